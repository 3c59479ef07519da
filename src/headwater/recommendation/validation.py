"""Which epoch is the best: how high a network ranks interactions that it does not learn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np

from headwater.recommendation.interactions import Histories, Interactions
from headwater.recommendation.protocols import last
from headwater.recommendation.recommender import Asked

_EVERY = 10
"""One user of so many gives the last item away where no interactions are held out."""
_LEAST = 3
_MOST_USERS, _AT_ONCE = 2000, 256
_LEAST_LOG_CHANCE = -50.0
"""That of an item that cannot be recommended."""
Scorer = Callable[[Asked], np.ndarray]


def divided(known: Interactions, held_out: Interactions | None) -> tuple[Interactions, Interactions]:
    """What is learnt from, and what chooses the epoch: the last item of some users, where nothing is held out.

    Example:
        >>> from headwater.recommendation.ids import Ids
        >>> users, items = np.zeros(4, np.int32), np.array([2, 0, 3, 1], np.int32)
        >>> values, times = np.ones(4, np.float32), np.array([3.0, 1.0, 2.0, 0.0])
        >>> one = Interactions(users, items, values, times, Ids(["a"]), Ids([7, 8, 9, 10]))
        >>> [part.items.tolist() for part in divided(one, None)]
        [[0, 3, 1], [2]]
    """
    if held_out is not None and len(held_out):
        return known, held_out
    counts = np.bincount(known.users, minlength=len(known.user_ids))
    giving = np.zeros(len(counts), dtype=bool)
    giving[np.flatnonzero(counts >= _LEAST)[::_EVERY]] = True
    chosen = last(known) & giving[known.users]
    return known.take(~chosen), known.take(chosen)


@dataclass(frozen=True)
class Validation:
    """Users, what they had, and what they had that is held out.

    Attributes:
        asked: a row for each user with something held out, 2,000 at most.
        wanted: the items held out of each row, an array a row.
    """

    asked: Asked
    wanted: list[np.ndarray]

    @classmethod
    def of(cls, known: Interactions, held_out: Interactions) -> Self:
        """The users of the interactions held out, with the histories that are known."""
        users = np.unique(held_out.users)
        users = users[:: max(1, -(-len(users) // _MOST_USERS))]
        order = np.argsort(held_out.users, kind="stable")
        starts = np.searchsorted(held_out.users[order], users)
        stops = np.searchsorted(held_out.users[order], users, side="right")
        wanted = [held_out.items[order[start:stop]] for start, stop in zip(starts, stops, strict=True)]
        return cls(Asked(Histories.of_users(known).take(users), users.astype(np.int32)), wanted)

    def gains(self, scores: Scorer) -> np.ndarray:
        """The mean of 1 / log2(1 + rank) of what each user wanted, among all items not had, shape (users,).

        It is the gain of NDCG without a cut: where few users are held out, a cut at ten would leave it to chance.
        """
        return self._of_each(scores, _gain)

    def log_chances(self, scores: Scorer) -> np.ndarray:
        """The mean logarithm of the chance of what each user wanted, among all items not had, shape (users,).

        Scores are logits here. It tells two epochs apart by less than ranks do, of which only the first count.
        """
        return self._of_each(scores, _log_chance)

    def _of_each(self, scores: Scorer, measure: Callable[..., float]) -> np.ndarray:
        found: list[float] = []
        for start in range(0, len(self.asked), _AT_ONCE):
            asked = self.asked.take(np.arange(start, min(start + _AT_ONCE, len(self.asked))))
            found += [
                measure(row, asked.histories.of(place), self.wanted[start + place])
                for place, row in enumerate(scores(asked))
            ]
        return np.array(found or [0.0])


def _log_chance(scores: np.ndarray, had: np.ndarray, wanted: np.ndarray) -> float:
    own = scores[wanted].astype(np.float64)
    others = scores.astype(np.float64)
    others[had] = -np.inf
    others[wanted] = own
    peak = others.max()
    if not np.isfinite(peak):  # nothing is left that could be recommended
        return _LEAST_LOG_CHANCE
    chances = own - peak - np.log(np.exp(others - peak).sum())
    return float(np.maximum(chances, _LEAST_LOG_CHANCE).mean())


def _gain(scores: np.ndarray, had: np.ndarray, wanted: np.ndarray) -> float:
    scores = scores.copy()
    own = scores[wanted]
    scores[had] = -np.inf
    scores[wanted] = -np.inf  # none of them stands in the way of another
    ranks = 1 + (scores[None, :] > own[:, None]).sum(axis=1)
    there = np.isfinite(own)
    return float(np.where(there, 1 / np.log2(1 + ranks), 0).mean())
