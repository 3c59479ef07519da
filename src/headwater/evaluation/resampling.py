"""Counts of a model and its baselines on the same rows, and the same counts on resampled rows.

`JointCells` serves one class a row: it counts how often each combination (target, prediction, baseline predictions)
occurred. Every count metric depends on the rows through these cells alone, and drawing n rows with replacement is
drawing the cells' counts from a multinomial distribution with probabilities count / n. So resampling the cells *is* the
row bootstrap, at a cost that depends on the number of distinct combinations and not on the number of rows, and because
all predictors are in one cell, differences between them are paired.

`JointSample` serves several labels a row, where the distinct combinations may be as many as the rows. It counts all
rows, and draws its replicates from a uniform sample of them. `scale` says by how much spreads in that sample must
shrink to be those of all rows; up to the size of the sample it is 1 and the bootstrap is exact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from scipy import sparse

from headwater.evaluation.counts import Counts
from headwater.evaluation.sample import RowSample

_DRAWS = 20_000_000
_FEWEST_REPLICATES = 200


class Joint(Protocol):
    """The counts of several predictors; position 0 is the model, the others are the baselines."""

    @property
    def scale(self) -> float: ...

    def counts(self) -> list[Counts]:
        """The counts of each predictor on all rows."""
        ...

    def replicates(self, number: int, seed: int) -> list[Counts]:
        """The counts of each predictor on resampled rows, with a leading axis of replicates."""
        ...


class JointCells:
    """Sparse counts of (target, prediction, baseline predictions ...)."""

    scale = 1.0

    def __init__(self, n_classes: int, predictors: int) -> None:
        self.n_classes = n_classes
        self._shape = (n_classes,) * (1 + predictors)
        self._cells: Counter[int] = Counter()

    def update(self, targets: np.ndarray, predictions: Sequence[np.ndarray]) -> None:
        """Counts rows: class positions of shape (rows,) each."""
        codes, counts = np.unique(np.ravel_multi_index((targets, *predictions), self._shape), return_counts=True)
        for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
            self._cells[code] += count

    def cells(self) -> tuple[np.ndarray, np.ndarray]:
        """The distinct combinations, shape (1 + predictors, cells), and how often each occurred, shape (cells,)."""
        codes = np.fromiter(self._cells.keys(), dtype=np.int64, count=len(self._cells))
        counts = np.fromiter(self._cells.values(), dtype=np.int64, count=len(self._cells))
        return np.array(np.unravel_index(codes, self._shape)), counts

    def counts(self) -> list[Counts]:
        combinations, counts = self.cells()
        return [_first(part) for part in self._marginals(combinations, counts[np.newaxis])]

    def replicates(self, number: int, seed: int) -> list[Counts]:
        combinations, counts = self.cells()
        if not len(counts):
            return self._marginals(combinations, np.zeros((number, 0)))
        number = max(_FEWEST_REPLICATES, min(number, _DRAWS // len(counts)))
        random, rows = np.random.default_rng(seed), int(counts.sum())
        step = max(1, _DRAWS // 10 // len(counts))
        parts = [
            self._marginals(combinations, random.multinomial(rows, counts / rows, size=min(step, number - start)))
            for start in range(0, number, step)
        ]
        return [_stacked([part[predictor] for part in parts]) for predictor in range(len(self._shape) - 1)]

    def _marginals(self, combinations: np.ndarray, counts: np.ndarray) -> list[Counts]:
        """Sums cell counts of shape (replicates, cells) into the counts of each predictor."""
        targets, *predictions = combinations
        support, rows = self._by_class(targets, counts), counts.sum(axis=1)
        found = []
        for predicted in predictions:
            right = targets == predicted
            hits = self._by_class(targets[right], counts[:, right])
            found.append(Counts(hits, support, self._by_class(predicted, counts), hits.sum(axis=1), rows))
        return found

    def _by_class(self, classes: np.ndarray, counts: np.ndarray) -> np.ndarray:
        cells = len(classes)
        member = sparse.csr_array((np.ones(cells), (classes, np.arange(cells))), shape=(self.n_classes, cells))
        return (member @ counts.T).T


class JointSample:
    """Counts of all rows with several labels, and a sample of the rows for the replicates."""

    def __init__(self, n_classes: int, predictors: int, sample: RowSample) -> None:
        self.n_classes, self._sample = n_classes, sample
        self._totals = [_empty(n_classes) for _ in range(predictors)]

    @property
    def scale(self) -> float:
        return self._sample.scale

    def update(self, targets: np.ndarray, predictions: Sequence[np.ndarray]) -> None:
        """Counts rows: booleans of shape (rows, classes) each. The sample is updated by its owner."""
        everyone = np.ones((1, len(targets)), dtype=np.float32)
        for position, predicted in enumerate(predictions):
            added = _first(_weighted(targets, predicted, everyone))
            self._totals[position] = Counts(*map(np.add, _parts(self._totals[position]), _parts(added)))

    def counts(self) -> list[Counts]:
        return self._totals

    def replicates(self, number: int, seed: int) -> list[Counts]:
        random, rows = np.random.default_rng(seed), len(self._sample)
        weights = np.zeros((number, rows), dtype=np.float32)
        for replicate in range(number if rows else 0):
            weights[replicate] = np.bincount(random.integers(0, rows, rows), minlength=rows)
        return self._from_sample(weights)

    def _from_sample(self, weights: np.ndarray) -> list[Counts]:
        empty = np.zeros((0, self.n_classes), dtype=bool)
        columns = self._sample.columns
        return [
            _weighted(columns.get("target", empty), columns.get(f"prediction {position}", empty), weights)
            for position in range(len(self._totals))
        ]


def _weighted(targets: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> Counts:
    """Counts of rows of booleans under weights of shape (replicates, rows)."""
    hits, support, named = (weights @ part.astype(np.float32) for part in (targets & predicted, targets, predicted))
    whole = weights @ (targets == predicted).all(axis=1).astype(np.float32)
    return Counts(*(part.astype(np.float64) for part in (hits, support, named, whole, weights.sum(axis=1))))


def _parts(counts: Counts) -> tuple[np.ndarray, ...]:
    return counts.hits, counts.support, counts.predicted, counts.whole, counts.rows


def _first(counts: Counts) -> Counts:
    return Counts(*(part[0] for part in _parts(counts)))


def _stacked(parts: list[Counts]) -> Counts:
    return Counts(*(np.concatenate(same) for same in zip(*map(_parts, parts), strict=True)))


def _empty(n_classes: int) -> Counts:
    nothing = np.zeros(n_classes)
    return Counts(nothing, nothing, nothing, np.zeros(()), np.zeros(()))
