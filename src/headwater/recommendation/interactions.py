"""Who had to do with what: interactions as arrays, and the same gathered into the history of each user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy import sparse

from headwater.recommendation.ids import Ids


@dataclass(frozen=True)
class Interactions:
    """Pairs of users and items, each at most once.

    Attributes:
        users: positions in `user_ids`, int32 of shape (interactions,).
        items: positions in `item_ids`, int32 of shape (interactions,).
        values: the rating, or 1 where the data has none, float32 of shape (interactions,).
        times: the later the larger, float64 of shape (interactions,); None where the data has none.
        user_ids: every user there is, those without an interaction here included.
        item_ids: every item there is, those without an interaction here included.
        rated: whether values are ratings.
    """

    users: np.ndarray
    items: np.ndarray
    values: np.ndarray
    times: np.ndarray | None
    user_ids: Ids
    item_ids: Ids
    rated: bool = False

    def __len__(self) -> int:
        return len(self.users)

    def by_user(self) -> np.ndarray:
        """The rows user after user, each user's by time where times are known, else as they came: shape (rows,)."""
        if self.times is None:
            return gathered(self.users, len(self.user_ids))
        return np.lexsort((np.arange(len(self)), self.times, self.users))

    def take(self, rows: np.ndarray) -> Interactions:
        """The interactions at these positions, or where a mask is true."""
        times = None if self.times is None else self.times[rows]
        return replace(self, users=self.users[rows], items=self.items[rows], values=self.values[rows], times=times)


def gathered(rows: np.ndarray, n_rows: int) -> np.ndarray:
    """The positions that bring equal rows together, in their order: a stable sort in time linear in their number.

    Args:
        rows: integers of shape (interactions,), from 0 to `n_rows` - 1.
        n_rows: how many different ones there may be.

    Returns:
        Int32 of the same shape, or int64 where that is too small.

    Example:
        >>> gathered(np.array([1, 0, 1, 0]), 2).tolist()
        [1, 3, 0, 2]
    """
    # SciPy counts where it turns pairs into rows; each interaction is a column of its own, so that none is merged.
    marks, columns = np.ones(len(rows), dtype=bool), np.arange(len(rows))
    return sparse.csr_matrix((marks, (rows, columns)), shape=(n_rows, len(rows))).indices


@dataclass(frozen=True)
class Histories:
    """The items of each row, one after the other: by time where times are known, else in the order they came in.

    Row r holds `items[starts[r]:starts[r + 1]]`, and the same of `values`. It is a matrix in CSR form whose columns are
    not sorted.

    Attributes:
        starts: int64 of shape (rows + 1,).
        items: int32 of shape (interactions,).
        values: float32 of shape (interactions,): ratings, or 1.
        n_items: how many items there are.

    Example:
        >>> histories = Histories.of_lists([[2, 0], []], n_items=3)
        >>> len(histories), histories.of(0).tolist(), histories.matrix().toarray().tolist()
        (2, [2, 0], [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    """

    starts: np.ndarray
    items: np.ndarray
    values: np.ndarray
    n_items: int

    @classmethod
    def of_users(cls, known: Interactions) -> Self:
        """The history of every user of `known.user_ids`, in their order."""
        order = known.by_user()
        counts = np.bincount(known.users, minlength=len(known.user_ids))
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(starts, known.items[order], known.values[order], len(known.item_ids))

    @classmethod
    def of_lists(
        cls, items: Sequence[Sequence[int]], n_items: int, values: Sequence[Sequence[float]] | None = None
    ) -> Self:
        """A history for each list of items; values are 1 where none are given."""
        starts = np.concatenate([[0], np.cumsum([len(row) for row in items])]).astype(np.int64)
        flat = np.fromiter((item for row in items for item in row), dtype=np.int32, count=int(starts[-1]))
        given = values if values is not None else [[1.0] * len(row) for row in items]
        known = np.fromiter((value for row in given for value in row), dtype=np.float32, count=int(starts[-1]))
        return cls(starts, flat, known, n_items)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> np.ndarray:
        """How many items each row has, int64 of shape (rows,)."""
        return np.diff(self.starts)

    def of(self, row: int) -> np.ndarray:
        """The items of one row, the latest last."""
        return self.items[self.starts[row] : self.starts[row + 1]]

    def take(self, rows: np.ndarray) -> Histories:
        """The histories of these rows, in this order."""
        lengths = self.lengths[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        places = np.repeat(self.starts[rows] - starts[:-1], lengths) + np.arange(starts[-1])
        return Histories(starts, self.items[places], self.values[places], self.n_items)

    def only(self, kept: np.ndarray) -> Histories:
        """The same rows with some of their items alone; `kept` is a mask of shape (interactions,)."""
        before = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
        return Histories(before[self.starts], self.items[kept], self.values[kept], self.n_items)

    def matrix(self, *, binary: bool = True) -> sparse.csr_matrix:
        """Float32 of shape (rows, n_items): 1 for each item of a history, or its value."""
        values = np.ones(len(self.items), dtype=np.float32) if binary else self.values
        # A copy: sorting would put the items of these histories into another order than their values.
        found = sparse.csr_matrix((values, self.items, self.starts), shape=(len(self), self.n_items), copy=True)
        found.sort_indices()
        return found
