"""The ratings that users and items have on average: what any model of ratings has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from headwater.recommendation.interactions import Interactions

_USERS, _ITEMS, _SWEEPS = 15.0, 10.0, 15


@dataclass(frozen=True)
class Biases:
    """A mean, and by how much each user and each item lies above it, shrunk towards nothing (Koren 2010).

    Attributes:
        mean: of all ratings.
        users: float64 of shape (users,).
        items: float64 of shape (items,).
        lowest: of all ratings; no answer is below it.
        highest: the same at the other end.

    Example:
        >>> from headwater.recommendation.ids import Ids
        >>> pairs = np.array([0, 0], np.int32), np.array([0, 1], np.int32)
        >>> known = Interactions(*pairs, np.array([5, 3], np.float32), None, Ids("u"), Ids("ab"), rated=True)
        >>> biases = Biases.of(known)
        >>> biases.mean, bool(biases.items[0] > 0 > biases.items[1])
        (4.0, True)
    """

    mean: float
    users: np.ndarray
    items: np.ndarray
    lowest: float
    highest: float

    @classmethod
    def of(cls, known: Interactions) -> Self:
        """The biases of ratings, by alternating means."""
        mean = float(known.values.mean(dtype=np.float64))
        counts = [
            np.bincount(known.users, minlength=len(known.user_ids)),
            np.bincount(known.items, minlength=len(known.item_ids)),
        ]
        users, items = np.zeros(len(counts[0])), np.zeros(len(counts[1]))
        above = known.values.astype(np.float64) - mean
        for _ in range(_SWEEPS):
            items = np.bincount(known.items, above - users[known.users], len(items)) / (_ITEMS + counts[1])
            users = np.bincount(known.users, above - items[known.items], len(users)) / (_USERS + counts[0])
        return cls(mean, users, items, float(known.values.min()), float(known.values.max()))

    def ratings(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """What users would give items, float64 of shape (rows,); an unknown user, -1, is like the mean."""
        own = np.where(users >= 0, self.users[np.maximum(users, 0)], 0.0)
        return np.clip(self.mean + own + self.items[items], self.lowest, self.highest)
