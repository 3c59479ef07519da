"""The inner loop of factorisation machines, field-aware or not, compiled by numba.

Every feature has a vector for each group of features. A feature of group g and one of group h add the product of the
vector that the first has for h with that of the second for g, times their values. With a single group that is a
factorisation machine, with a group for each field a field-aware one. No pair is gone through: what the features of a
group have for each group is added up, and the pairs of two rows are the products of such sums.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from headwater.recommendation.kernels import FAST
from headwater.recommendation.kernels_bpr import NOTHING, TRIES, Drawn, knows


class Machine(NamedTuple):
    """What is learnt, in place.

    Attributes:
        vectors: those of a feature for each group, one after the other: float32 of shape (features, groups * factors).
        weights: of features, float32 of shape (features,).
        groups: of features, int32 of shape (features,).
        factors: numbers in a vector.
    """

    vectors: np.ndarray
    weights: np.ndarray
    groups: np.ndarray
    factors: int


class Side(NamedTuple):
    """The features of users, or of items.

    Attributes:
        starts: of each row, int64 of shape (rows + 1,).
        features: int32 of shape (entries,).
        values: float32 of shape (entries,).
        first: the first group of these features.
        end: the group after the last.
    """

    starts: np.ndarray
    features: np.ndarray
    values: np.ndarray
    first: int
    end: int


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
def learn(sides: tuple[Side, Side], rows: Drawn, machine: Machine, pace: Pace, random: np.random.Generator) -> None:
    """As many steps as there are interactions, each on one drawn at random, in place.

    Args:
        sides: the features of users and of items.
        rows: what is drawn from.
        machine: what learns.
        pace: how.
        random: what draws.
    """
    users, items = sides
    room = np.zeros((5, machine.vectors.shape[1] // machine.factors, machine.vectors.shape[1]), dtype=np.float32)
    user, liked, left, tried, met = room[0], room[1], room[2], room[3], room[4]
    for _ in range(len(rows.items)):
        at = int(random.random() * len(rows.items))
        owner, item = rows.owners[at], rows.items[at]
        alone = gather(users, owner, machine, user)
        worst, most, found = NOTHING, np.float32(0), 0
        for _ in range(TRIES * pace.candidates):
            other = rows.pool[int(random.random() * len(rows.pool))]
            if knows(rows, owner, other):
                continue
            score = alone + gather(items, other, machine, tried) + pairs(users, user, items, tried)
            if worst == NOTHING or score > most:
                worst, most = other, score
                left[:] = tried
            found += 1
            if found == pace.candidates:
                break
        if worst == NOTHING:
            continue
        lead = alone + gather(items, item, machine, liked) + pairs(users, user, items, liked)
        up, down = _pulls(lead, most, pace)
        met[:] = up * liked + down * left + (up + down) * user
        liked += user
        left += user
        _move(users, owner, machine, met, (up + down, np.float32(1)), pace)
        _move(items, item, machine, liked, (up, up), pace)
        _move(items, worst, machine, left, (down, down), pace)
        liked[:] = 0
        left[:] = 0


@njit(cache=True, nogil=True, fastmath=FAST)
def gather(side: Side, row: int, machine: Machine, sums: np.ndarray) -> np.float32:
    """Adds up the vectors of a row's features; returns what these add to a score among themselves.

    Args:
        side: the features.
        row: whose.
        machine: what is learnt.
        sums: for each group of features, what they have for each group: float32 of shape (groups, groups * factors).
    """
    sums[side.first : side.end] = 0
    alone = np.float32(0)
    for place in range(side.starts[row], side.starts[row + 1]):
        feature, value = side.features[place], side.values[place]
        vectors, group = machine.vectors[feature], machine.groups[feature]
        alone += value * machine.weights[feature]
        for number in range(len(vectors)):
            sums[group, number] += value * vectors[number]
        for number in range(group * machine.factors, (group + 1) * machine.factors):
            alone -= np.float32(0.5) * (value * vectors[number]) ** 2
    return alone + np.float32(0.5) * pairs(side, sums, side, sums)


@njit(cache=True, nogil=True, fastmath=FAST)
def pairs(side: Side, sums: np.ndarray, other_side: Side, others: np.ndarray) -> np.float32:
    """What the pairs of a feature of one row with a feature of another add to a score."""
    total, factors = np.float32(0), sums.shape[1] // sums.shape[0]
    for group in range(side.first, side.end):
        for across in range(other_side.first, other_side.end):
            for factor in range(factors):
                total += sums[group, across * factors + factor] * others[across, group * factors + factor]
    return total


@njit(cache=True, nogil=True, fastmath=FAST)
def _pulls(lead: np.float32, most: np.float32, pace: Pace) -> tuple[np.float32, np.float32]:
    """How much the score of what a user had to do with should rise, and of what not; downwards below zero."""
    if pace.logistic:
        return np.float32(1 / (1 + np.exp(lead))), np.float32(-1 / (1 + np.exp(-most)))
    pull = np.float32(1 / (1 + np.exp(lead - most)))
    return pull, -pull


@njit(cache=True, nogil=True, fastmath=FAST)
def _move(
    side: Side, row: int, machine: Machine, met: np.ndarray, pulls: tuple[np.float32, np.float32], pace: Pace
) -> None:
    """A step of the features of a row.

    Args:
        side: the features.
        row: whose.
        machine: what learns.
        met: the sums of all that the features meet, themselves included.
        pulls: of the row's score, and of what is in `met`.
        pace: rate and penalty.
    """
    shrink, factors = 1 - pace.rate * pace.penalty, machine.factors
    for place in range(side.starts[row], side.starts[row + 1]):
        feature, value = side.features[place], side.values[place]
        group, vectors, step = machine.groups[feature], machine.vectors[feature], pace.rate * value
        machine.weights[feature] = shrink * machine.weights[feature] + step * pulls[0]
        for across in range(len(met)):
            # A feature makes no pair with itself.
            own = pulls[0] * value if across == group else np.float32(0)
            for factor in range(factors):
                was = vectors[across * factors + factor]
                change = pulls[1] * met[across, group * factors + factor] - own * was
                vectors[across * factors + factor] = shrink * was + step * change
