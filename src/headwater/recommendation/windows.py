"""Histories cut into what a network of sequences reads in one go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from headwater.recommendation.interactions import Histories

NOTHING = -1
"""What stands where a row has no item any more."""


@dataclass(frozen=True)
class Windows:
    """Runs of items of one user each, and what came before each item of them.

    Attributes:
        before: what comes before each item, end to end; the number of items where nothing does, int32.
        items: the items themselves, of the same shape, int32.
        starts: where each window begins, and where the last ends, int64 of shape (windows + 1,).

    Example:
        >>> windows = Windows.of(Histories.of_lists([[3, 1, 2], [], [0]], n_items=4), longest=2)
        >>> before, items = windows.padded(np.arange(3))
        >>> before.tolist(), items.tolist()
        ([[4, 0], [3, 1], [4, 0]], [[3, -1], [1, 2], [0, -1]])
    """

    before: np.ndarray
    items: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, histories: Histories, longest: int) -> Self:
        """Windows of at most so many items; of a longer history the last is whole, and the first is what is left."""
        before = np.empty_like(histories.items)
        before[1:] = histories.items[:-1]
        there = histories.lengths > 0
        before[histories.starts[:-1][there]] = histories.n_items
        cuts = [
            np.arange(stop, start, -longest)[::-1]
            for start, stop in zip(histories.starts[:-1].tolist(), histories.starts[1:].tolist(), strict=True)
        ]
        return cls(before, histories.items, np.concatenate([[0], *cuts]).astype(np.int64))

    @property
    def lengths(self) -> np.ndarray:
        """The items of each window."""
        return np.diff(self.starts)

    def padded(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What came before, and what came, int64 of shape (rows, longest of them), filled up with 0 and `NOTHING`."""
        lengths = self.lengths[rows][:, None]
        steps = np.arange(lengths.max(initial=0))
        inside = steps < lengths
        places = np.where(inside, self.starts[rows][:, None] + steps, 0)
        before, items = np.where(inside, self.before[places], 0), np.where(inside, self.items[places], NOTHING)
        return before.astype(np.int64), items.astype(np.int64)


def latest(histories: Histories, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """What a network reads to tell the next item of each history.

    Returns:
        The latest items, int64 of shape (rows, places), filled up with 0; a history of fewer begins with the number of
        items. And how many places each row has, int64 of shape (rows,).

    Example:
        >>> inputs, lengths = latest(Histories.of_lists([[3, 1, 2], [], [0]], n_items=4), longest=2)
        >>> inputs.tolist(), lengths.tolist()
        ([[1, 2], [4, 0], [4, 0]], [2, 1, 2])
    """
    had = histories.lengths
    begins = had < longest
    lengths = np.minimum(had + begins, longest)
    steps = np.arange(lengths.max(initial=1))
    inside = steps < lengths[:, None]
    places = histories.starts[1:, None] - lengths[:, None] + steps
    places = np.where(inside, np.clip(places, 0, max(0, len(histories.items) - 1)), 0)
    items = histories.items if len(histories.items) else np.zeros(1, np.int32)
    inputs = np.where(inside, items[places], 0).astype(np.int64)
    inputs[begins, 0] = histories.n_items
    return inputs, lengths
