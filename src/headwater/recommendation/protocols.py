"""Which interactions are held out: a share of each user's or each item's, the newest, the last ones, or whole items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from headwater.data.holdout import newest
from headwater.errors import DataError
from headwater.recommendation.interactions import Interactions

TRAIN, VALID, TEST, GIVEN = 0, 1, 2, 3
"""The parts of a division; what is given of a test user is shown to the model when it is asked, and never learnt."""
SENTENCES: Final = {
    "random": "a random {share} of each user's interactions is the test",
    "stratified": "a random {share} of each item's interactions is the test",
    "time": "the newest {share} of all interactions is the test",
    "leave-last-out": "the last interaction of each user is the test",
    "cold-items": "all interactions with a random {share} of the items are the test, and these items alone are ranked",
    "cold-users": "a random {share} of the users is not learnt from: of each, a half is given and the rest is the test",
    "split": "column {column} says which interactions are the test",
    "files": "a file of its own holds the test",
}


@dataclass(frozen=True)
class Wanted:
    """What is to be held out.

    Attributes:
        protocol: a name of `settings.PROTOCOLS`, `auto` aside.
        test: the share of the test; 0 where none is wanted.
        valid: the share of the rest that is held out for validation; 0 where none is wanted.
        seed: of every draw.
    """

    protocol: str
    test: float
    valid: float
    seed: int = 0


def divided(interactions: Interactions, wanted: Wanted) -> np.ndarray:
    """The part of each interaction, int8 of shape (interactions,).

    Raises:
        DataError: the protocol needs points in time, and the data has none.

    Example:
        >>> from headwater.recommendation.ids import Ids
        >>> pairs = np.zeros(4, np.int32), np.arange(4, dtype=np.int32)
        >>> known = Interactions(*pairs, np.ones(4, np.float32), np.arange(4.0), Ids("u"), Ids("abcd"))
        >>> divided(known, Wanted("leave-last-out", 0.2, 0.1)).tolist()
        [0, 0, 1, 2]
    """
    parts = np.zeros(len(interactions), dtype=np.int8)
    random = np.random.default_rng(wanted.seed)
    for part, share in ((TEST, wanted.test), (VALID, wanted.valid)):
        if share:
            rest = np.flatnonzero(parts == TRAIN)
            held = _held(interactions.take(rest), wanted.protocol, share, random)
            parts[rest[held]] = part
    if wanted.protocol == "cold-users":
        parts[_halves(interactions, parts, random)] = GIVEN
    return parts


def sentence(protocol: str, share: float, column: str | None = None) -> str:
    """What the test is, in words.

    Example:
        >>> sentence("random", 0.2)
        "a random 20 % of each user's interactions is the test"
    """
    return SENTENCES[protocol].format(share=f"{100 * share:.3g} %", column=column)


def _held(rest: Interactions, protocol: str, share: float, random: np.random.Generator) -> np.ndarray:
    """A mask of the interactions to hold out."""
    if protocol == "time":
        return newest(_moments(rest), share)
    if protocol == "leave-last-out":
        return last(rest)
    if protocol in ("cold-items", "cold-users"):
        of, how_many = (rest.items, rest.item_ids) if protocol == "cold-items" else (rest.users, rest.user_ids)
        there = np.flatnonzero(np.bincount(of, minlength=len(how_many)))
        taken = random.permutation(there)[: max(1, round(share * len(there)))]
        return np.isin(of, taken)
    return _share_of_each(rest.items if protocol == "stratified" else rest.users, share, random)


def _share_of_each(of: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    """A mask of a random share of each group, rounded to whole interactions; at least one of each stays behind."""
    order = np.lexsort((random.random(len(of)), of))
    counts = np.bincount(of)
    starts = np.concatenate([[0], np.cumsum(counts)])[:-1]
    ranks = np.empty(len(of), dtype=np.int64)
    ranks[order] = np.arange(len(of)) - starts[of[order]]
    taken = np.minimum(np.floor(counts * share + 0.5).astype(np.int64), counts - 1)
    return ranks < taken[of]


def last(rest: Interactions) -> np.ndarray:
    """A mask of the last interaction of each user who has another before it, shape (interactions,)."""
    order = rest.by_user()
    users = rest.users[order]
    ends = np.ones(len(users), dtype=bool)
    ends[:-1] = users[1:] != users[:-1]
    held = np.zeros(len(rest), dtype=bool)
    held[order[ends]] = True
    return held & (np.bincount(rest.users, minlength=len(rest.user_ids))[rest.users] > 1)


def _halves(interactions: Interactions, parts: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The interactions of test users that are given: a random half of each user's, at least one of them."""
    rows = np.flatnonzero(parts == TEST)
    users = interactions.users[rows]
    held = _share_of_each(users, 0.5, random) if len(rows) else np.zeros(0, dtype=bool)
    return rows[~held]


def _moments(rest: Interactions) -> np.ndarray:
    if rest.times is None:
        raise DataError(
            "To hold out the newest interactions, the data must say when they were", where="--protocol", got="time",
            accepted="a column named timestamp or the like", fix="Name it with --time, or choose another protocol.",
        )  # fmt: skip
    return rest.times
