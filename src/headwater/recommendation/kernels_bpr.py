"""The inner loop of Bayesian personalised ranking, compiled by numba."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from headwater.recommendation.kernels import FAST

NOTHING = -1
TRIES = 20
_ONE = np.float32(1)


class Steps(NamedTuple):
    """How steps are taken.

    Attributes:
        rate: the learning rate.
        penalty: the L2 penalty of what a step touches.
        learn_items: whether items learn too, and not users alone.
    """

    rate: np.float32
    penalty: np.float32
    learn_items: bool


class Drawn(NamedTuple):
    """What is drawn from.

    Attributes:
        starts: of the rows, int64 of shape (users + 1,).
        items: of each row, ascending, int32 of shape (interactions,).
        pool: the items that are drawn against interactions, as often as they are to be drawn, int32.
        candidates: how many of them are drawn against each.
    """

    starts: np.ndarray
    items: np.ndarray
    pool: np.ndarray
    candidates: int


@njit(cache=True, nogil=True, fastmath=FAST)
def take_steps(
    rows: Drawn, order: np.ndarray, factors: tuple[np.ndarray, np.ndarray, np.ndarray], steps: Steps,
    random: np.random.Generator,
) -> None:  # fmt: skip
    """As many steps of each user as it has interactions, each on one drawn at random, in place.

    User after user: the vector and the history of one are then at hand, and it ranks as well as with all mixed.

    Args:
        rows: what is drawn from.
        order: of the users, int64.
        factors: of users and of items, float32 of shape (.., factors); biases of items, float32.
        steps: how they are taken.
        random: what draws.
    """
    users, others, biases = factors
    shrink, width = _ONE - steps.rate * steps.penalty, users.shape[1]
    for user in order:
        first, end = rows.starts[user], rows.starts[user + 1]
        for _ in range(end - first):
            liked = rows.items[first + int(random.random() * (end - first))]
            left = _negative(rows, user, factors, random)
            if left == NOTHING:
                continue
            lead = biases[liked] - biases[left]
            for factor in range(width):
                lead += users[user, factor] * (others[liked, factor] - others[left, factor])
            pull = steps.rate / (_ONE + np.exp(lead))
            if steps.learn_items:
                _move(users[user], others[liked], others[left], pull, shrink)
                biases[liked] = shrink * biases[liked] + pull
                biases[left] = shrink * biases[left] - pull
            else:
                for factor in range(width):
                    push = pull * (others[liked, factor] - others[left, factor])
                    users[user, factor] = shrink * users[user, factor] + push


@njit(inline="always")
def _move(user: np.ndarray, better: np.ndarray, worse: np.ndarray, pull: np.float32, shrink: np.float32) -> None:
    for factor in range(len(user)):
        was, up, down = user[factor], better[factor], worse[factor]
        user[factor] = shrink * was + pull * (up - down)
        better[factor] = shrink * up + pull * was
        worse[factor] = shrink * down - pull * was


@njit(inline="always")
def knows(rows: Drawn, user: int, item: int) -> bool:
    """Whether a row holds an item."""
    place = rows.starts[user] + np.searchsorted(rows.items[rows.starts[user] : rows.starts[user + 1]], item)
    return place < rows.starts[user + 1] and rows.items[place] == item


@njit(inline="always")
def _negative(
    rows: Drawn, user: int, factors: tuple[np.ndarray, np.ndarray, np.ndarray], random: np.random.Generator
) -> int:
    """The best scored of some items drawn that the user had nothing to do with; `NOTHING` where none was found."""
    users, others, biases = factors
    best, most, found = NOTHING, np.float32(0), 0
    for _ in range(TRIES * rows.candidates):
        item = rows.pool[int(random.random() * len(rows.pool))]
        if knows(rows, user, item):
            continue
        score = biases[item]
        for factor in range(users.shape[1] if rows.candidates > 1 else 0):
            score += users[user, factor] * others[item, factor]
        if best == NOTHING or score > most:
            best, most = item, score
        found += 1
        if found == rows.candidates:
            break
    return best
