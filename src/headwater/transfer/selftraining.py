"""Self-training: a model's own confident answers on unlabelled rows become training rows of the next.

Answers below the gate are left alone, and of those above it the classes have the shares of the training rows: an error
that feeds on itself (Arazo et al. 2020) must not let one class swallow the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headwater.transfer.classifier import Examples

_SCARCE = 0.1
"""The share of the classes, those with the fewest answers above the gate, that the others do not wait for."""


@dataclass(frozen=True)
class Believed:
    """Unlabelled rows whose answer is taken for the truth.

    Attributes:
        rows: their positions, shape (rows,), the most confident of each class first.
        classes: the answer to each, shape (rows,).
    """

    rows: np.ndarray
    classes: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def same(self, other: Believed | None) -> bool:
        """Whether the other believes the same of the same rows."""
        return other is not None and self._as_set() == other._as_set()

    def _as_set(self) -> set[tuple[int, int]]:
        return set(zip(self.rows.tolist(), self.classes.tolist(), strict=True))


def believed(chances: np.ndarray, shares: np.ndarray, confidence: float) -> Believed:
    """The answers that pass the gate.

    Args:
        chances: calibrated probabilities of shape (rows, classes).
        shares: the share of each class in the training rows, shape (classes,).
        confidence: the least probability of an answer that is believed.

    Example:
        >>> chances = np.array([[0.99, 0.01], [0.6, 0.4], [0.95, 0.05], [0.08, 0.92]])
        >>> believed(chances, np.array([0.5, 0.5]), confidence=0.9).rows.tolist()
        [0, 3]
    """
    answers, certain = chances.argmax(axis=1), chances.max(axis=1)
    passing = [np.flatnonzero((answers == name) & (certain >= confidence)) for name in range(len(shares))]
    known = shares > 0
    all_told = np.array([len(rows) for rows in passing])[known] / shares[known]
    most = np.ceil(float(np.quantile(all_told, _SCARCE, method="lower")) * shares).astype(np.int64)
    kept = np.concatenate(
        [rows[np.argsort(-certain[rows], kind="stable")][:count] for rows, count in zip(passing, most, strict=True)]
    )
    return Believed(kept, answers[kept])


def joined(train: Examples, unlabelled: Sequence[Any], found: Believed, weight: float) -> Examples:
    """The training rows, and behind them the believed ones, each of which counts `weight` of a labelled row."""
    own = np.ones(len(train)) if train.weights is None else train.weights
    here = np.ones(len(train), dtype=bool) if train.of_source is None else ~train.of_source
    counts = np.full(len(found), weight * own[here].sum() / len(np.unique(train.parents[here])))
    inputs = [unlabelled[row] for row in found.rows.tolist()]
    # Nobody knows whether they are right: like altered copies they are learnt from, never measured on.
    altered = np.ones(len(found), dtype=bool)
    return train.followed_by(Examples(inputs, found.classes, train.n_classes, weights=counts, altered=altered))
