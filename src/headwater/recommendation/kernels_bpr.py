"""The inner loop of Bayesian personalised ranking, compiled by numba."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from headwater.recommendation.kernels import FAST

NOTHING = -1
TRIES = 20


class Steps(NamedTuple):
    """How steps are taken.

    Attributes:
        rate: the learning rate.
        penalty: the L2 penalty of what a step touches.
        candidates: items drawn against each interaction.
        learn_items: whether items learn too, and not users alone.
    """

    rate: np.float32
    penalty: np.float32
    candidates: int
    learn_items: bool


class Drawn(NamedTuple):
    """What is drawn from.

    Attributes:
        starts: of the rows, int64 of shape (users + 1,).
        items: of each row, ascending, int32 of shape (interactions,).
        owners: the row of each interaction, int32 of shape (interactions,).
        pool: the items that are drawn against interactions, as often as they are to be drawn, int32.
    """

    starts: np.ndarray
    items: np.ndarray
    owners: np.ndarray
    pool: np.ndarray


@njit(cache=True, nogil=True, fastmath=FAST)
def take_steps(
    rows: Drawn, factors: tuple[np.ndarray, np.ndarray, np.ndarray], steps: Steps, random: np.random.Generator
) -> None:
    """As many steps as there are interactions, each on one drawn at random, in place.

    Args:
        rows: what is drawn from.
        factors: of users and of items, float32 of shape (.., factors); biases of items, float32.
        steps: how they are taken.
        random: what draws.
    """
    users, others, biases = factors
    shrink = 1 - steps.rate * steps.penalty
    for _ in range(len(rows.items)):
        at = int(random.random() * len(rows.items))
        user, liked = users[rows.owners[at]], rows.items[at]
        left = _negative(rows, rows.owners[at], factors, steps.candidates, random)
        if left == NOTHING:
            continue
        lead = _score(user, others[liked], biases[liked]) - _score(user, others[left], biases[left])
        pull = steps.rate / (1 + np.exp(lead))
        for factor in range(len(user)):
            was, better, worse = user[factor], others[liked, factor], others[left, factor]
            user[factor] = shrink * was + pull * (better - worse)
            if steps.learn_items:
                others[liked, factor] = shrink * better + pull * was
                others[left, factor] = shrink * worse - pull * was
        if steps.learn_items:
            biases[liked] = shrink * biases[liked] + pull
            biases[left] = shrink * biases[left] - pull


@njit(cache=True, nogil=True)
def knows(rows: Drawn, owner: int, item: int) -> bool:
    """Whether a row holds an item."""
    history = rows.items[rows.starts[owner] : rows.starts[owner + 1]]
    place = np.searchsorted(history, item)
    return bool(place < len(history) and history[place] == item)


@njit(cache=True, nogil=True, fastmath=FAST)
def _score(user: np.ndarray, item: np.ndarray, bias: np.float32) -> np.float32:
    total = bias
    for factor in range(len(user)):
        total += user[factor] * item[factor]
    return total


@njit(cache=True, nogil=True, fastmath=FAST)
def _negative(
    rows: Drawn, owner: int, factors: tuple[np.ndarray, np.ndarray, np.ndarray], candidates: int,
    random: np.random.Generator,
) -> int:  # fmt: skip
    """The best scored of some items drawn that the user had nothing to do with; `NOTHING` where none was found."""
    users, others, biases = factors
    best, most, found = NOTHING, np.float32(0), 0
    for _ in range(TRIES * candidates):
        item = rows.pool[int(random.random() * len(rows.pool))]
        if knows(rows, owner, item):
            continue
        score = _score(users[owner], others[item], biases[item]) if candidates > 1 else np.float32(0)
        if best == NOTHING or score > most:
            best, most = item, score
        found += 1
        if found == candidates:
            break
    return best
