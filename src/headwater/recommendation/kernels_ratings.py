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
    users, others, all_implied, biases = learnt.users, learnt.items, learnt.implied, learnt.biases
    width, implies, rate = users.shape[1] - 1, len(all_implied) > 0, pace.rate
    keep, keep_bias = _ONE - rate * pace.vectors, _ONE - rate * pace.biases
    own, implied = np.empty(width, dtype=np.float32), np.empty(width, dtype=np.float32)
    pull = np.empty(width, dtype=np.float32)
    for user in order:
        first, end, own_bias = starts[user], starts[user + 1], users[user, width]
        share = np.float32(1 / np.sqrt(max(1, end - first)))
        own[:], implied[:], pull[:] = users[user, :width], 0, 0
        for place in range(first, first + implies * (end - first)):
            _add(implied, share, all_implied, items[place])
        for place in range(first, end):
            item = items[place]
            found = mean + own_bias + biases[item] + _product(own, others, item)
            if implies:
                found += _product(implied, others, item)
            error = ratings[place] - found
            step = rate * error
            own_bias = keep_bias * own_bias + step
            biases[item] = keep_bias * biases[item] + step
            if implies:
                _add(pull, error, others, item)
            for factor in range(width):
                mine, its = own[factor], others[item, factor]
                own[factor] = keep * mine + step * its
                others[item, factor] = keep * its + step * mine
            if implies:
                _add_to(others, item, step, implied)
        users[user, :width], users[user, width] = own, own_bias
        for place in range(first, first + implies * (end - first)):
            item = items[place]
            for factor in range(width):
                said = all_implied[item, factor]
                all_implied[item, factor] = said + rate * (share * pull[factor] - pace.implied * said)


# Rows are named by their position: a view of a row would be counted each time, which takes as long as its product.
@njit(inline="always")
def _product(one: np.ndarray, others: np.ndarray, row: int) -> np.float32:
    total = np.float32(0)
    for factor in range(len(one)):
        total += one[factor] * others[row, factor]
    return total


@njit(inline="always")
def _add(out: np.ndarray, times: np.float32, values: np.ndarray, row: int) -> None:
    for factor in range(len(out)):
        out[factor] += times * values[row, factor]


@njit(inline="always")
def _add_to(out: np.ndarray, row: int, times: np.float32, values: np.ndarray) -> None:
    for factor in range(len(values)):
        out[row, factor] += times * values[factor]
