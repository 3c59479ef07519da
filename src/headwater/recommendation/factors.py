"""Models in which a score is the product of a user's vector and an item's."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from headwater.recommendation.interactions import Histories, Interactions
from headwater.recommendation.recommender import NEW, Asked, Recommender
from headwater.settings import Settings


class FactorModel(Recommender):
    """A score is `user vector · item vector + item bias`; an item that nobody had to do with has the bias -inf.

    Attributes:
        users: of the users learnt from, float32 of shape (users, factors).
        items: float32 of shape (n_items, factors).
        biases: float32 of shape (n_items,).
    """

    own_passes: ClassVar[int]
    """The epochs, unless the run says how many."""
    own_rate: ClassVar[float | None] = None
    """The learning rate of the first epoch, unless the run says which; it falls to zero. None where there is none."""
    users: np.ndarray
    items: np.ndarray
    biases: np.ndarray

    @abstractmethod
    def folded(self, histories: Histories) -> np.ndarray:
        """The vectors of users whom the model has not learnt from, float32 of shape (rows, factors).

        No history is empty.
        """

    def factors(self, asked: Asked) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A vector for each row, a vector for each item, and the biases of the items."""
        vectors = self.users[asked.users]
        new = np.flatnonzero(asked.users == NEW)
        if len(new):
            vectors[new] = self._of_new(asked.histories.take(new))
        return vectors, self.items, self.biases

    def scores(self, asked: Asked) -> np.ndarray:
        vectors = self.factors(asked)[0]
        scores = np.hstack([vectors, np.ones((len(vectors), 1), dtype=np.float32)]) @ self._table
        scores[:, self._lacking] = -np.inf
        return scores

    def arrays(self) -> dict[str, np.ndarray]:
        return {"users": self.users, "items": self.items, "biases": self.biases}

    def restore(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        self.users, self.items, self.biases = arrays["users"], arrays["items"], arrays["biases"]

    @classmethod
    def completed(cls, settings: Settings, rows: int) -> Settings:
        passes = cls.own_passes if settings.epochs is None else settings.epochs
        rate = cls.own_rate if settings.learning_rate is None else settings.learning_rate
        return replace(settings, epochs=passes, learning_rate=rate)

    def settle(self, users: np.ndarray, told: np.ndarray) -> None:
        """Keeps the vectors of users; those without an interaction get the mean of the others.

        Args:
            users: shape (users, factors).
            told: whether each had an interaction, shape (users,).
        """
        self.users = np.ascontiguousarray(users, dtype=np.float32)
        self.users[~told] = self.users[told].mean(axis=0)

    def _of_new(self, histories: Histories) -> np.ndarray:
        """Of people of whom nothing is known, the mean user's: items are ranked as they please all together."""
        vectors = np.tile(self._typical, (len(histories), 1))
        told = np.flatnonzero(histories.lengths)
        if len(told):
            vectors[told] = self.folded(histories.take(told))
        return vectors

    @cached_property
    def _table(self) -> np.ndarray:
        """Vectors and finite biases of the items, an item a column: a product with it lies as memory does."""
        return np.vstack([self.items.T, np.where(np.isfinite(self.biases), self.biases, 0)]).astype(np.float32)

    @cached_property
    def _lacking(self) -> np.ndarray:
        """The positions of the items that have no score."""
        return np.flatnonzero(~np.isfinite(self.biases))

    @cached_property
    def _typical(self) -> np.ndarray:
        """The mean user's vector: of a fitted model it stays, and a server asks for it with every request."""
        return self.users.mean(axis=0)


def turned(known: Interactions) -> Interactions:
    """The same interactions with items as users, and users as items."""
    return replace(
        known, users=known.items, items=known.users, user_ids=known.item_ids, item_ids=known.user_ids, times=None
    )


def rows_of(histories: Histories, first: int, end: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Some rows of histories, as kernels take them."""
    return histories.starts[first : end + 1], histories.items, histories.values


def ascending(histories: Histories) -> Histories:
    """The same histories, the items of each in the order of their positions."""
    matrix = histories.matrix(binary=False)
    return Histories(histories.starts, matrix.indices.astype(np.int32, copy=False), matrix.data, histories.n_items)


def first_vectors(random: np.random.Generator, rows: int, width: int) -> np.ndarray:
    """Small random vectors to start from, float32 of shape (rows, width)."""
    return random.standard_normal((rows, width), dtype=np.float32) * np.float32(0.1 / np.sqrt(width))
