"""The trivial baseline that any model has to beat."""

from __future__ import annotations

from typing import Self

import numpy as np


class MajorityBaseline:
    """Always answers the most frequent class; where several labels may hold, those that hold in most rows.

    Example:
        >>> MajorityBaseline().fit(np.array([0, 2, 2])).predict(2).tolist()
        [2, 2]
    """

    def __init__(self) -> None:
        self.answer_ = np.array(0)

    def fit(self, targets: np.ndarray) -> Self:
        """Counts targets: class positions of shape (rows,), or zeros and ones of shape (rows, classes)."""
        several = targets.ndim == 2
        self.answer_ = np.asarray(targets.mean(axis=0) >= 0.5 if several else np.bincount(targets).argmax())
        return self

    def predict(self, rows: int) -> np.ndarray:
        """The encoded answer for this many rows: shape (rows,) or (rows, classes)."""
        return np.broadcast_to(self.answer_, (rows, *np.shape(self.answer_))).astype(np.int64)
