"""The maximum mean discrepancy of two sets of features, which no classifier has to find (Gretton et al. 2012).

It compares the mean similarity of rows within the sides with that across them. Where the classifier of `distance` looks
for one direction that tells the sides apart, the Gaussian kernel sees any difference, of spread and of shape as well,
if there are rows enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headwater.transfer.distance import scaled

PERMUTATIONS = 499
_ROWS_FOR_MEDIAN = 1000
_ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Discrepancy:
    """The squared discrepancy and whether it is chance.

    Attributes:
        value: the unbiased estimate of the squared discrepancy; around 0, also below it, where the sides are alike.
        p: the share of relabellings (the truth among them) whose value is at least this.
        width: of the Gaussian kernel, the median distance of two rows.
    """

    value: float
    p: float
    width: float


def discrepancy(
    source: np.ndarray, target: np.ndarray, *, permutations: int = PERMUTATIONS, seed: int = 0
) -> Discrepancy:
    """The discrepancy of features of shape (source rows, width) and (target rows, width).

    The kernel of all rows with all is held in single precision: 64 MB for 2,000 rows a side.

    Example:
        >>> rows = np.random.default_rng(1).normal(size=(100, 3))
        >>> discrepancy(rows[:50], rows[50:]).p > 0.05, discrepancy(rows[:50], 3 * rows[50:]).p
        (True, 0.002)
    """
    features = scaled(np.concatenate([source, target]))
    truth = np.repeat([False, True], [len(source), len(target)])
    random = np.random.default_rng(seed)
    width = _median_distance(features, random)
    kernel = _kernel(features, width)
    relabelled = random.permuted(np.repeat(truth[:, None], permutations, axis=1), axis=0)
    values = _values(kernel, np.column_stack([truth, relabelled]))
    p = (1 + np.sum(values[1:] >= values[0])) / (1 + permutations)
    return Discrepancy(float(values[0]), float(p), width)


def _values(kernel: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """The unbiased estimate for each column of sides, shape (rows, columns); the kernel's diagonal is zero."""
    target = sides.astype(np.float32)
    across = kernel @ target
    inside = np.einsum("ij,ij->j", target, across, dtype=np.float64)
    towards = across.sum(axis=0, dtype=np.float64)
    between = towards - inside
    rest = kernel.sum(dtype=np.float64) - inside - 2 * between
    n, m = sides.sum(axis=0), (~sides).sum(axis=0)
    return inside / (n * (n - 1)) + rest / (m * (m - 1)) - 2 * between / (n * m)


def _kernel(features: np.ndarray, width: float) -> np.ndarray:
    """The Gaussian kernel of all rows with all, float32 of shape (rows, rows), zero on the diagonal."""
    found = np.empty((len(features), len(features)), dtype=np.float32)
    for start in range(0, len(features), _ROWS_AT_ONCE):
        part = _squared_distances(features[start : start + _ROWS_AT_ONCE], features)
        np.exp(-part / (2 * width**2), out=found[start : start + _ROWS_AT_ONCE], casting="same_kind")
    np.fill_diagonal(found, 0)
    return found


def _median_distance(features: np.ndarray, random: np.random.Generator) -> float:
    """The median heuristic, on a sample of rows; 1 where all rows are equal."""
    few = features[random.permutation(len(features))[:_ROWS_FOR_MEDIAN]]
    distances = _squared_distances(few, few)[np.triu_indices(len(few), 1)]
    return float(np.sqrt(np.median(distances))) or 1.0


def _squared_distances(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    lengths = np.einsum("ij,ij->i", some, some)[:, None] + np.einsum("ij,ij->i", others, others)
    return np.maximum(lengths - 2 * some @ others.T, 0)
