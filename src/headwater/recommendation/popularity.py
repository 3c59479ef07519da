"""What everybody likes: the baseline that any recommender has to beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from headwater.recommendation.interactions import Interactions
from headwater.recommendation.recommender import Asked, Known, Recommender
from headwater.run import Run


class Popularity(Recommender):
    """An item's score is the share of users who have had to do with it, for everyone alike.

    Attributes:
        shares: of each item, float32 of shape (n_items,); -inf for an item that nobody has had to do with.

    Example:
        >>> from headwater.recommendation.interactions import Histories
        >>> model = Popularity()
        >>> model.restore({"shares": np.array([0.5, 0.1], np.float32)}, {})
        >>> model.scores(Asked.new(Histories.of_lists([[1]], n_items=2))).tolist()
        [[0.5, 0.10000000149011612]]
    """

    def fit(self, known: Known, held_out: Interactions | None, run: Run) -> Self:
        self.shares = known_shares(known.interactions)
        self.n_items = len(self.shares)
        return self

    def scores(self, asked: Asked) -> np.ndarray:
        return np.tile(self.shares, (len(asked), 1))

    def arrays(self) -> dict[str, np.ndarray]:
        return {"shares": self.shares}

    def restore(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        self.shares = arrays["shares"]
        self.n_items = len(self.shares)


def average_history(known: Interactions) -> np.ndarray:
    """The share of the users who had each item, float32 of shape (n_items,)."""
    return (popularity(known) / max(1, len(known.user_ids))).astype(np.float32)


def known_shares(known: Interactions) -> np.ndarray:
    """The same, -inf for an item that nobody has had to do with."""
    shares = average_history(known)
    return np.where(shares > 0, shares, np.float32(-np.inf))


def popularity(interactions: Interactions) -> np.ndarray:
    """How many users have had to do with each item, int64 of shape (n_items,)."""
    return np.bincount(interactions.items, minlength=len(interactions.item_ids))
