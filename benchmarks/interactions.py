"""Interactions for the benchmarks of recommenders, as arrays on disk that every library's environment can read."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from harness import WORK

K = 10
_OFFSET, _OF_USERS, _OF_ITEMS = 20, 0.6, 0.8
"""The power laws: the chance of the n-th user or item is (n + 20) to this power, below 0."""


@dataclass(frozen=True)
class Pairs:
    """Ratings of items by users, each pair once.

    Attributes:
        users: positions, int32 of shape (pairs,).
        items: the same of items.
        ratings: float32 of shape (pairs,).
        n_users: how many users there are.
        n_items: how many items there are.
    """

    users: np.ndarray
    items: np.ndarray
    ratings: np.ndarray
    n_users: int
    n_items: int

    @classmethod
    def read(cls, file: str | Path) -> Pairs:
        """Reads what `write` wrote."""
        with np.load(file) as found:
            shape = found["shape"].tolist()
            return cls(found["users"], found["items"], found["ratings"], *shape)

    def write(self, file: Path) -> str:
        shape = np.array([self.n_users, self.n_items])
        np.savez(file, users=self.users, items=self.items, ratings=self.ratings, shape=shape)
        return str(file)

    def take(self, rows: np.ndarray | slice) -> Pairs:
        return Pairs(self.users[rows], self.items[rows], self.ratings[rows], self.n_users, self.n_items)

    @cached_property
    def matrix(self) -> Any:
        """Ones in a SciPy matrix in CSR form, float32 of shape (n_users, n_items)."""
        from scipy import sparse

        ones = np.ones(len(self.users), dtype=np.float32)
        return sparse.csr_matrix((ones, (self.users, self.items)), shape=(self.n_users, self.n_items))


def movielens(folder: Path, seed: int) -> tuple[str, str]:
    """The files of train and test: a quarter of each item's ratings, drawn at random, is the test."""
    with gzip.open(folder / "movielens_100k" / "ml-100k.inter.gz", "rt", encoding="utf-8") as opened:
        rows = np.array(list(csv.reader(opened, delimiter="\t"))[1:], dtype=float)
    (_, users), (_, items) = (np.unique(rows[:, column], return_inverse=True) for column in (0, 1))
    pairs = Pairs(
        users.astype(np.int32), items.astype(np.int32), rows[:, 2].astype(np.float32),
        int(users.max()) + 1, int(items.max()) + 1,
    )  # fmt: skip
    order = np.random.default_rng(seed).permutation(len(users))
    order = order[np.argsort(items[order], kind="stable")]
    counts = np.bincount(items)
    place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    test = place >= np.round(0.75 * np.repeat(counts, counts))
    parts = {"train": pairs.take(np.sort(order[~test])), "test": pairs.take(np.sort(order[test]))}
    train, held_out = (part.write(WORK / f"movielens-{seed}-{name}.npz") for name, part in parts.items())
    return train, held_out


def generated(count: int, n_users: int, n_items: int, seed: int) -> Pairs:
    """Pairs whose users and items follow power laws, drawn until there are so many different ones."""
    random = np.random.default_rng(seed)
    laws = [
        np.cumsum((np.arange(number) + _OFFSET) ** -power)
        for number, power in ((n_users, _OF_USERS), (n_items, _OF_ITEMS))
    ]
    keys = np.empty(0, dtype=np.int64)
    while len(keys) < count:
        more = int(1.3 * (count - len(keys))) + 1000
        users, items = (np.searchsorted(law, law[-1] * random.random(more)) for law in laws)
        keys = np.unique(np.concatenate([keys, users.astype(np.int64) * n_items + items]))
    keys = random.permutation(keys)[:count]
    names = [random.permutation(number).astype(np.int32) for number in (n_users, n_items)]
    ones = np.ones(count, dtype=np.float32)
    return Pairs(names[0][keys // n_items], names[1][keys % n_items], ones, n_users, n_items)


def ndcg(scores: np.ndarray, train: Pairs, test: Pairs) -> float:
    """NDCG@10 over the users with test items: all that a user has not in `train` are ranked."""
    scores = np.array(scores, dtype=np.float32)
    scores[train.users, train.items] = -np.inf
    wanted = np.zeros(scores.shape, dtype=bool)
    wanted[test.users, test.items] = True
    gains = 1 / np.log2(np.arange(2, K + 2))
    hits = np.take_along_axis(wanted, np.argsort(-scores, axis=1, kind="stable")[:, :K], axis=1)
    asked = wanted.sum(axis=1)
    ideal = np.concatenate([[0], np.cumsum(gains)])[np.minimum(asked, K)]
    return float((hits[asked > 0] @ gains / ideal[asked > 0]).mean())


def rmse(answers: np.ndarray, test: Pairs) -> float:
    """The root of the mean squared error of the ratings of `test`."""
    return float(np.sqrt(np.mean(np.square(np.asarray(answers) - test.ratings))))
