"""The inner loops of models of factors and of neighbours, compiled by numba.

`Rows` are in the form of `Histories`: int64 starts, int32 items, float32 values.
"""

from __future__ import annotations

import numpy as np
from numba import njit

FAST = {"reassoc", "contract", "arcp", "nsz"}
"""What the compiler may do to sums to compute several terms at once; infinity stays what it is."""
STRIPE = 16
Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


@njit(cache=True, nogil=True, fastmath=FAST)
def weigh(rows: Rows, vectors: np.ndarray, others: np.ndarray, preferred: np.float32, out: np.ndarray) -> None:
    """Adds to each row of `out` the sum over its items of `(preferred * (1 + w) - w * vector·other) * other`.

    With `preferred` 1 that is the part of the interactions in the residual of the normal equations of implicit ALS,
    with 0 in their product with `vectors`, its sign turned.

    Args:
        rows: the values are the weights w.
        vectors: shape (rows, factors).
        others: shape (items, factors).
        preferred: what an interaction is taken for.
        out: shape (rows, factors).
    """
    starts, items, weights = rows
    for row in range(len(starts) - 1):
        for place in range(starts[row], starts[row + 1]):
            other = items[place]
            dot = np.float32(0)
            for factor in range(vectors.shape[1]):
                dot += vectors[row, factor] * others[other, factor]
            share = preferred * (1 + weights[place]) - weights[place] * dot
            for factor in range(vectors.shape[1]):
                out[row, factor] += share * others[other, factor]




@njit(cache=True, nogil=True, fastmath=True)
def nearest(
    left: Rows, right: tuple[np.ndarray, np.ndarray], scale: np.ndarray, near: np.ndarray, likeness: np.ndarray
) -> None:
    """Puts the entities that are most like each row into `near` and their likeness beside them, by position.

    The likeness is the sum over common features of the row's weight, times the scale of the entity. Of equal ones those
    with the lower positions are kept; places without an entity keep the likeness 0.

    Args:
        left: the features of each row, with their weights.
        right: the entities that have each feature: int64 starts and int32 entities.
        scale: float32 of shape (entities,), filled up with zeros to a multiple of `STRIPE`.
        near: int32 of shape (rows, k); on entry its first column holds the entity that the row must not get, or -1.
        likeness: float32 of shape (rows, k), zeros.
    """
    starts, features, weights = left
    places, entities = right
    total = np.zeros(len(scale), dtype=np.float32)
    peaks, k = np.empty(len(total) // STRIPE, dtype=np.float32), near.shape[1]
    found, values = np.empty(len(total), dtype=np.int32), np.empty(len(total), dtype=np.float32)
    for row in range(len(near)):
        for at in range(starts[row], starts[row + 1]):
            feature, weight = features[at], weights[at]
            for place in range(places[feature], places[feature + 1]):
                total[entities[place]] += weight
        if near[row, 0] >= 0:
            total[near[row, 0]] = 0
        for stripe in range(len(peaks)):
            peak = np.float32(0)
            for entity in range(stripe * STRIPE, (stripe + 1) * STRIPE):
                total[entity] *= scale[entity]
                peak = max(peak, total[entity])
            peaks[stripe] = peak
        # As many stripes reach this bound as entities are wanted, so that no lower one can be among these.
        bound = _largest(peaks, k)
        count = 0
        for stripe in range(len(peaks)):
            if peaks[stripe] > 0 and peaks[stripe] >= bound:
                for entity in range(stripe * STRIPE, (stripe + 1) * STRIPE):
                    if total[entity] > 0 and total[entity] >= bound:
                        found[count], values[count] = entity, total[entity]
                        count += 1
        bound = _largest(values[:count], k)
        over = 0
        for at in range(count):
            over += values[at] > bound
        kept, equal = 0, max(0, k - over)
        for at in range(count):
            if values[at] == bound:
                equal -= 1
            if values[at] > bound or (values[at] == bound and equal >= 0):
                near[row, kept], likeness[row, kept] = found[at], values[at]
                kept += 1
        total[:] = 0


@njit(cache=True, nogil=True)
def _largest(values: np.ndarray, k: int) -> np.float32:
    """The k-th largest of some values; 0 where there are no more than k."""
    if len(values) <= k:
        return np.float32(0)
    return np.partition(values, len(values) - k)[len(values) - k]
