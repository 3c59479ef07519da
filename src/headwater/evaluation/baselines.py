"""The trivial baseline that any model has to beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np


@dataclass(frozen=True)
class MajorityBaseline:
    """Always answers the most frequent class; where several labels may hold, those that hold in half the rows or more.

    Attributes:
        answer: a class position, or zeros and ones of shape (classes,).

    Example:
        >>> MajorityBaseline.fit(np.array([0, 2, 2]), 3).predict(2).tolist()
        [2, 2]
    """

    answer: int | tuple[int, ...]

    @classmethod
    def fit(cls, targets: np.ndarray, n_classes: int) -> Self:
        """Counts targets: class positions of shape (rows,), or zeros and ones of shape (rows, classes)."""
        if targets.ndim == 2:
            shares = targets.sum(axis=0) / max(len(targets), 1)
            return cls(tuple((shares >= 0.5).astype(int).tolist()))
        return cls(int(np.bincount(targets, minlength=n_classes).argmax()))

    def predict(self, rows: int) -> np.ndarray:
        """The encoded answer for this many rows: shape (rows,) or (rows, classes)."""
        return np.array(np.broadcast_to(np.asarray(self.answer), (rows, *np.shape(self.answer))))

    def to_json(self) -> dict[str, Any]:
        """The answer, by name."""
        return {"answer": self.answer}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Takes back what `to_json` gave."""
        answer = state["answer"]
        return cls(tuple(answer) if isinstance(answer, list) else answer)
