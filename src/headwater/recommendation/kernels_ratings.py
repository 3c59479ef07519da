"""The inner loop of biased factorisation of ratings, compiled by numba."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from headwater.recommendation.kernels import FAST, Rows


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
    width, rate = learnt.users.shape[1] - 1, pace.rate
    implies = len(learnt.implied) > 0
    for user in order:
        first, end = starts[user], starts[user + 1]
        own, share = learnt.users[user], np.float32(1 / np.sqrt(max(1, end - first)))
        implied, pull = np.zeros(width, dtype=np.float32), np.zeros(width, dtype=np.float32)
        if implies:
            for place in range(first, end):
                implied += share * learnt.implied[items[place], :width]
        for place in range(first, end):
            item = items[place]
            other, found = learnt.items[item], mean + own[width] + learnt.biases[item]
            for factor in range(width):
                found += (own[factor] + implied[factor]) * other[factor]
            error = ratings[place] - found
            own[width] += rate * (error - pace.biases * own[width])
            learnt.biases[item] += rate * (error - pace.biases * learnt.biases[item])
            for factor in range(width):
                mine, its = own[factor], other[factor]
                own[factor] += rate * (error * its - pace.vectors * mine)
                other[factor] += rate * (error * (mine + implied[factor]) - pace.vectors * its)
                pull[factor] += error * its
        if implies:
            for place in range(first, end):
                said = learnt.implied[items[place], :width]
                said += rate * (share * pull - pace.implied * said)
