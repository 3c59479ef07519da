"""The inner loop of implicit alternating least squares, compiled by numba."""

from __future__ import annotations

import numpy as np
from numba import njit

from headwater.recommendation.kernels import FAST, Rows

_ONE = np.float32(1)
_LEAST = np.float32(1e-20)


@njit(cache=True, nogil=True, fastmath=FAST)
def improve(
    rows: Rows, vectors: np.ndarray, others: np.ndarray, gram: np.ndarray, penalties: np.ndarray, steps: int
) -> None:
    """Takes steps of conjugate gradient towards the solution of each row's normal equations, in place.

    Row after row, and not step after step: from the second step on the items of a row are at hand.

    Args:
        rows: the items of each row; the values are what they weigh more than what is lacking.
        vectors: of the rows, float32 of shape (rows, factors).
        others: of the items, float32 of shape (items, factors).
        gram: `others.T @ others`.
        penalties: of the rows, float32 of shape (rows,).
        steps: how many.
    """
    starts, items, weights = rows
    width = vectors.shape[1]
    residual, change = np.empty(width, dtype=np.float32), np.empty(width, dtype=np.float32)
    for row in range(len(vectors)):
        at, own, share = vectors[row], items[starts[row] : starts[row + 1]], weights[starts[row] : starts[row + 1]]
        _shrink(at, gram, penalties[row], residual)
        _weigh(own, share, at, others, _ONE, residual)
        direction, length = residual.copy(), _product(residual, residual)
        for _ in range(steps):
            if length < _LEAST:
                break
            _shrink(direction, gram, penalties[row], change)
            _weigh(own, share, direction, others, np.float32(0), change)
            step = -length / _product(direction, change)
            for factor in range(width):
                at[factor] += step * direction[factor]
                residual[factor] += step * change[factor]
            before, length = length, _product(residual, residual)
            for factor in range(width):
                direction[factor] = residual[factor] + length / before * direction[factor]


@njit(inline="always")
def _product(one: np.ndarray, other: np.ndarray) -> np.float32:
    total = np.float32(0)
    for factor in range(len(one)):
        total += one[factor] * other[factor]
    return total


@njit(inline="always")
def _shrink(at: np.ndarray, gram: np.ndarray, penalty: np.float32, out: np.ndarray) -> None:
    """Puts what the lack of every interaction, and the penalty, take from a vector into `out`."""
    for factor in range(len(at)):
        out[factor] = -penalty * at[factor]
    whole = len(at) // 4 * 4
    for other in range(0, whole, 4):
        one, two, three, four = gram[other], gram[other + 1], gram[other + 2], gram[other + 3]
        first, second, third, fourth = at[other], at[other + 1], at[other + 2], at[other + 3]
        for factor in range(len(at)):
            out[factor] -= first * one[factor] + second * two[factor] + third * three[factor] + fourth * four[factor]
    for other in range(whole, len(at)):
        for factor in range(len(at)):
            out[factor] -= at[other] * gram[other, factor]


@njit(inline="always")
def _weigh(
    items: np.ndarray, weights: np.ndarray, at: np.ndarray, others: np.ndarray, wanted: np.float32, out: np.ndarray
) -> None:
    """Adds the sum over the items of `(wanted * (1 + weight) - weight * at·other) * other` to `out`.

    Four items at a time: `at` and `out` are then read a quarter as often.
    """
    whole = len(items) // 4 * 4
    for place in range(0, whole, 4):
        first, second = others[items[place]], others[items[place + 1]]
        third, fourth = others[items[place + 2]], others[items[place + 3]]
        one, two, three, four = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
        for factor in range(len(at)):
            one += at[factor] * first[factor]
            two += at[factor] * second[factor]
            three += at[factor] * third[factor]
            four += at[factor] * fourth[factor]
        one = wanted * (_ONE + weights[place]) - weights[place] * one
        two = wanted * (_ONE + weights[place + 1]) - weights[place + 1] * two
        three = wanted * (_ONE + weights[place + 2]) - weights[place + 2] * three
        four = wanted * (_ONE + weights[place + 3]) - weights[place + 3] * four
        for factor in range(len(at)):
            out[factor] += one * first[factor] + two * second[factor] + three * third[factor] + four * fourth[factor]
    for place in range(whole, len(items)):
        last = others[items[place]]
        share = wanted * (_ONE + weights[place]) - weights[place] * _product(at, last)
        for factor in range(len(at)):
            out[factor] += share * last[factor]
