"""The inner loop of factorisation machines, field-aware or not, compiled by numba.

Every feature has a vector for each group of features. Two features f of group g and e of group h add the product of the
vector of f for h with that of e for g, times their values. With a single group that is a factorisation machine, with a
group for each field a field-aware one. `Sums[g, h]` adds up what the features of group g have for group h, so that no
pair is gone through: the pairs of all features together are half of `sums[g, h] · sums[h, g]` over g and h, less half of
what each feature would add with itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from headwater.recommendation.kernels import FAST, Rows
from headwater.recommendation.kernels_bpr import NOTHING, TRIES, Drawn, knows


class Machine(NamedTuple):
    """What is learnt, in place.

    Attributes:
        vectors: float32 of shape (features, groups, factors).
        weights: of features, float32 of shape (features,).
        groups: of features, int32 of shape (features,).
    """

    vectors: np.ndarray
    weights: np.ndarray
    groups: np.ndarray


class Pace(NamedTuple):
    """How steps are taken.

    Attributes:
        rate: the learning rate.
        penalty: the L2 penalty of what a step touches.
        candidates: items drawn against each interaction.
        logistic: whether each score is held against yes or no, and not two against one another.
    """

    rate: np.float32
    penalty: np.float32
    candidates: int
    logistic: bool


@njit(cache=True, nogil=True, fastmath=FAST)
def gather(side: Rows, row: int, machine: Machine, sums: np.ndarray) -> np.float32:
    """Puts the sums of the features of a row into `sums`; returns what they add without the features of other rows.

    Args:
        side: the features of each row with their values.
        row: which.
        machine: what is learnt.
        sums: float32 of shape (groups, groups, factors).
    """
    starts, features, values = side
    sums[:] = 0
    alone = np.float32(0)
    for place in range(starts[row], starts[row + 1]):
        feature, value = features[place], values[place]
        group, vectors = machine.groups[feature], machine.vectors[feature]
        alone += value * machine.weights[feature]
        for other in range(sums.shape[0]):
            for factor in range(sums.shape[2]):
                sums[group, other, factor] += value * vectors[other, factor]
        for factor in range(sums.shape[2]):
            alone -= np.float32(0.5) * (value * vectors[group, factor]) ** 2
    return alone + np.float32(0.5) * product(sums, sums)


@njit(cache=True, nogil=True, fastmath=FAST)
def learn(
    users: Rows, items: Rows, rows: Drawn, machine: Machine, pace: Pace, random: np.random.Generator
) -> None:
    """As many steps as there are interactions, each on one drawn at random, in place.

    Args:
        users: the features of each user.
        items: the features of each item.
        rows: what is drawn from.
        machine: what learns.
        pace: how.
        random: what draws.
    """
    room = np.zeros((4, machine.vectors.shape[1], *machine.vectors.shape[1:]), dtype=np.float32)
    user, liked, left, spare = room[0], room[1], room[2], room[3]
    for _ in range(len(rows.items)):
        at = int(random.random() * len(rows.items))
        owner, item = rows.owners[at], rows.items[at]
        gather(users, owner, machine, user)
        worst, most, found = NOTHING, np.float32(0), 0
        for _ in range(TRIES * pace.candidates):
            other = rows.pool[int(random.random() * len(rows.pool))]
            if knows(rows, owner, other):
                continue
            score = gather(items, other, machine, spare) + product(user, spare)
            if worst == NOTHING or score > most:
                worst, most = other, score
                left[:] = spare
            found += 1
            if found == pace.candidates:
                break
        if worst == NOTHING:
            continue
        lead = gather(items, item, machine, liked) + product(user, liked)
        up, down = _pulls(lead, most, pace.logistic)
        # What a user's feature meets: both items, each by its pull; and the user's own others, which both scores hold.
        spare[:] = up * liked + down * left + (up + down) * user
        liked += user
        left += user
        _move(users, owner, machine, spare, (up + down, np.float32(1)), pace)
        _move(items, item, machine, liked, (up, up), pace)
        _move(items, worst, machine, left, (down, down), pace)


@njit(cache=True, nogil=True, fastmath=FAST)
def product(one: np.ndarray, other: np.ndarray) -> np.float32:
    """The pairs of features of two rows, from their sums: each what it has for the group of the other."""
    total = np.float32(0)
    for group in range(one.shape[0]):
        for across in range(one.shape[0]):
            for factor in range(one.shape[2]):
                total += one[group, across, factor] * other[across, group, factor]
    return total


@njit(cache=True, nogil=True, fastmath=FAST)
def _pulls(lead: np.float32, most: np.float32, logistic: bool) -> tuple[np.float32, np.float32]:
    """How much the score of what a user had to do with should rise, and of what not; downwards below zero."""
    if logistic:
        return np.float32(1 / (1 + np.exp(lead))), np.float32(-1 / (1 + np.exp(-most)))
    pull = np.float32(1 / (1 + np.exp(lead - most)))
    return pull, -pull


@njit(cache=True, nogil=True, fastmath=FAST)
def _move(
    side: Rows, row: int, machine: Machine, met: np.ndarray, pulls: tuple[np.float32, np.float32], pace: Pace
) -> None:
    """A step of the features of a row.

    Args:
        side: the features of each row with their values.
        row: which.
        machine: what learns.
        met: the sums of all that the features meet, themselves included.
        pulls: of the row's score, and of what is in `met`.
        pace: rate and penalty.
    """
    starts, features, values = side
    shrink = 1 - pace.rate * pace.penalty
    for place in range(starts[row], starts[row + 1]):
        feature, value = features[place], values[place]
        group, vectors, step = machine.groups[feature], machine.vectors[feature], pace.rate * values[place]
        machine.weights[feature] = shrink * machine.weights[feature] + step * pulls[0]
        for other in range(met.shape[0]):
            # A feature makes no pair with itself.
            own = pulls[0] * value if other == group else np.float32(0)
            for factor in range(met.shape[2]):
                was = vectors[other, factor]
                vectors[other, factor] = shrink * was + step * (pulls[1] * met[other, group, factor] - own * was)
