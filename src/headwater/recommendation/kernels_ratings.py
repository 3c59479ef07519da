"""The inner loop of biased factorisation of ratings, compiled by numba."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from headwater.recommendation.kernels import FAST, Rows

_ONE = np.float32(1)


class Learnt(NamedTuple):
    """What is learnt, in place: vectors of shape (.., factors + 1), all float32.

    Attributes:
        users: the last number of each is its bias, which stands beside a 1 of every item.
        items: the last number of each is 1.
        implied: what having rated an item says of a user, the last number 0; of shape (0, factors + 1) where nothing.
        biases: of items.
    """

    users: np.ndarray
    items: np.ndarray
    implied: np.ndarray
    biases: np.ndarray


class Pace(NamedTuple):
    """The learning rate, and the L2 penalties of vectors, of biases, and of what a rated item implies."""

    rate: np.float32
    vectors: np.float32
    biases: np.float32
    implied: np.float32


@njit(cache=True, nogil=True, fastmath=FAST)
def rate_users(rows: Rows, order: np.ndarray, learnt: Learnt, mean: np.float32, pace: Pace) -> None:
    """A step of stochastic gradient descent for every rating, user after user.

    What a user's rated items imply is added up once, and learns once, when the ratings of the user are done.

    Args:
        rows: the ratings of each user.
        order: of the users, int64.
        learnt: what learns.
        mean: of all ratings.
        pace: rate and penalties.
    """
    starts, items, ratings = rows
    width, implies = learnt.users.shape[1] - 1, len(learnt.implied) > 0
    keep, keep_bias = _ONE - pace.rate * pace.vectors, _ONE - pace.rate * pace.biases
    implied, pull = np.empty(width, dtype=np.float32), np.empty(width, dtype=np.float32)
    for user in order:
        first, end, own = starts[user], starts[user + 1], learnt.users[user]
        share = np.float32(1 / np.sqrt(max(1, end - first)))
        implied[:], pull[:] = 0, 0
        for place in range(first, first + implies * (end - first)):
            _add(implied, share, learnt.implied[items[place]], width)
        for place in range(first, end):
            other, bias = learnt.items[items[place]], learnt.biases[items[place]]
            found = mean + own[width] + bias + _product(own, other, width)
            if implies:
                found += _product(implied, other, width)
            error = ratings[place] - found
            step = pace.rate * error
            own[width] = keep_bias * own[width] + step
            learnt.biases[items[place]] = keep_bias * bias + step
            if implies:
                _add(pull, error, other, width)
            for factor in range(width):
                mine, its = own[factor], other[factor]
                own[factor] = keep * mine + step * its
                other[factor] = keep * its + step * mine
            if implies:
                _add(other, step, implied, width)
        for place in range(first, first + implies * (end - first)):
            said = learnt.implied[items[place]]
            for factor in range(width):
                said[factor] += pace.rate * (share * pull[factor] - pace.implied * said[factor])


@njit(inline="always")
def _product(one: np.ndarray, other: np.ndarray, width: int) -> np.float32:
    total = np.float32(0)
    for factor in range(width):
        total += one[factor] * other[factor]
    return total


@njit(inline="always")
def _add(out: np.ndarray, times: np.float32, values: np.ndarray, width: int) -> None:
    for factor in range(width):
        out[factor] += times * values[factor]
