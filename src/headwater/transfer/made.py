"""Feature rows that are made of the rows of the data, and how they learn with them without judging them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

NONE = -1
"""The parent of a made row that was made of no row of the data."""


@dataclass(frozen=True)
class Made:
    """Rows in feature space that stand for no row of the data, each made of one or two that do.

    Attributes:
        features: shape (made, width).
        goals: the share of each class, shape (made, classes).
        weights: the weight of each in the loss, shape (made,).
        parents: the positions of the two rows it was made of, shape (made, 2); twice the same where it is one, or NONE.
            Where one of them is held out, the made row takes no part: it would tell the held-out answer.
    """

    features: np.ndarray
    goals: np.ndarray
    weights: np.ndarray
    parents: np.ndarray

    def __len__(self) -> int:
        return len(self.weights)

    @classmethod
    def none(cls, width: int, n_classes: int) -> Self:
        """No row, in a space of this width."""
        return cls(np.zeros((0, width), np.float32), np.zeros((0, n_classes)), np.zeros(0), np.zeros((0, 2), np.intp))

    @classmethod
    def together(cls, parts: Sequence[Self]) -> Self:
        """The rows of all parts, one after another."""
        fields = zip(*((part.features, part.goals, part.weights, part.parents) for part in parts), strict=True)
        return cls(*map(np.concatenate, fields))

    def touched_by(self, rows: np.ndarray) -> np.ndarray:
        """The positions of the made rows that have a parent among these rows."""
        return np.flatnonzero(np.isin(self.parents, rows).any(axis=1))


def shares(targets: np.ndarray, n_classes: int) -> np.ndarray:
    """Targets as the share of each class, shape (rows, classes).

    Example:
        >>> shares(np.array([1, 0]), 2).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    return targets.astype(np.float64) if targets.ndim == 2 else np.eye(n_classes)[targets]
