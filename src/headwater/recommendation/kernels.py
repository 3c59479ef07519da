"""The inner loop of models of neighbours, compiled by numba, and what all kernels share.

`Rows` are in the form of `Histories`: int64 starts, int32 items, float32 values.
"""

from __future__ import annotations

import numpy as np
from numba import njit

FAST = {"reassoc", "contract", "arcp", "nsz"}
"""What the compiler may do to sums to compute several terms at once; infinity stays what it is.

Whole numbers beside single precision would make double precision of it: constants say that they are single.
"""
STRIPE = 16
Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


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
    total, peaks = np.zeros(len(scale), dtype=np.float32), np.empty(len(scale) // STRIPE, dtype=np.float32)
    found = np.empty(len(scale), dtype=np.int32)
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
        count = _collect(total, peaks, near.shape[1], found)
        _keep_largest(total, found[:count], near[row], likeness[row])
        total[:] = 0


@njit(cache=True, nogil=True)
def _collect(total: np.ndarray, peaks: np.ndarray, k: int, found: np.ndarray) -> int:
    """Puts the entities among which the k largest are into `found`, by position; returns how many they are.

    So many stripes reach the k-th largest of their peaks that nothing below it can be among the k largest.
    """
    bound, count = _largest(peaks, k), 0
    for stripe in range(len(peaks)):
        if peaks[stripe] > 0 and peaks[stripe] >= bound:
            for entity in range(stripe * STRIPE, (stripe + 1) * STRIPE):
                if total[entity] > 0 and total[entity] >= bound:
                    found[count] = entity
                    count += 1
    return count


@njit(cache=True, nogil=True)
def _keep_largest(total: np.ndarray, found: np.ndarray, near: np.ndarray, likeness: np.ndarray) -> None:
    """Puts those of the found entities with the largest totals into `near`, and their totals into `likeness`."""
    values = total[found]
    bound = _largest(values, len(near))
    equals, kept = len(near) - np.sum(values > bound), 0
    for at in range(len(found)):
        equals -= values[at] == bound
        if values[at] > bound or (values[at] == bound and equals >= 0):
            near[kept], likeness[kept] = found[at], values[at]
            kept += 1


@njit(cache=True, nogil=True)
def _largest(values: np.ndarray, k: int) -> np.float32:
    """The k-th largest of some values; 0 where there are no more than k."""
    if len(values) <= k:
        return np.float32(0)
    return np.partition(values, len(values) - k)[len(values) - k]
