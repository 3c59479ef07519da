"""Rows dealt into folds: each is answered once by what has learnt from the other folds.

Every class is dealt out evenly, and rows that belong together (near copies, one group of the user's) lie in one fold:
what has learnt from the one would know the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Deal:
    """How rows are dealt.

    Attributes:
        seed: the seed of the deal.
        groups: for each row a number; rows of one number lie in one fold. None where each row is a group of its own.
        most: how many folds there are at most.
    """

    seed: int = 0
    groups: np.ndarray | None = None
    most: int = 5

    def take(self, rows: np.ndarray | Sequence[int]) -> Deal:
        """The deal of the rows at these positions."""
        return self if self.groups is None else replace(self, groups=self.groups[rows])

    def folds(self, targets: np.ndarray) -> list[np.ndarray]:
        """The rows of each fold, ascending; a class of one group is in none, so that it is always learnt from.

        There are no more folds than the smallest class has groups, but for those of one group. A group of rows with
        several classes is dealt out with the class of its first row.

        Args:
            targets: class positions of shape (rows,), or zeros and ones of shape (rows, classes), where each distinct
                set of labels counts as a class, and the sets that occur in one group are dealt out together.

        Example:
            >>> deal = Deal(groups=np.array([0, 0, 2, 3, 4, 5]))
            >>> [fold.tolist() for fold in deal.folds(np.array([0, 0, 0, 1, 1, 1]))]
            [[0, 1, 4, 5], [2, 3]]
        """
        groups = np.arange(len(targets)) if self.groups is None else self.groups
        _, first, group_of, sizes = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
        dealt = _dealt(_kinds(targets[first]), sizes, self.most, np.random.default_rng(self.seed))
        fold_of = dealt[group_of]
        return [np.flatnonzero(fold_of == fold) for fold in range(dealt.max(initial=-1) + 1) if (fold_of == fold).any()]


def answerable(targets: np.ndarray, held: np.ndarray) -> np.ndarray:
    """The rows of a fold whose class some row outside of it has: what has never seen a class cannot be judged by it.

    A group may hold the only rows of a class beside rows of others, and is dealt out with these.

    Args:
        targets: as `Deal.folds` takes them; of rows with several labels all are judged.
        held: the rows of the fold.

    Example:
        >>> answerable(np.array([0, 0, 1, 2]), np.array([1, 3]))
        array([1])
    """
    return held if targets.ndim == 2 else held[np.isin(targets[held], np.delete(targets, held))]


def _kinds(targets: np.ndarray) -> np.ndarray:
    """The class of each group; of sets of labels a number each, and one for all that occur once."""
    if targets.ndim == 1:
        return targets
    _, kinds, times = np.unique(targets, axis=0, return_inverse=True, return_counts=True)
    return np.where(times[kinds.ravel()] > 1, kinds.ravel(), -1)


def _dealt(kinds: np.ndarray, sizes: np.ndarray, most: int, random: np.random.Generator) -> np.ndarray:
    """The fold of each group, -1 for one that is alone in its class; the largest are dealt first, shape (groups,)."""
    counts = np.unique(kinds, return_counts=True)[1]
    n_folds = int(min(most, max(2, counts[counts > 1].min(initial=most))))
    fold_of, turn = np.full(len(kinds), -1), 0
    for kind in np.unique(kinds):
        groups = random.permutation(np.flatnonzero(kinds == kind))
        groups = groups[np.argsort(-sizes[groups], kind="stable")]
        if len(groups) > 1:
            fold_of[groups] = (np.arange(len(groups)) + turn) % n_folds
            turn += len(groups)
    return fold_of
