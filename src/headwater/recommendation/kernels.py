"""The inner loops of models of factors and of neighbours, compiled by numba.

`Rows` are in the form of `Histories`: int64 starts, int32 items, float32 values.
"""

from __future__ import annotations

import numpy as np
from numba import njit

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


@njit(cache=True, nogil=True, fastmath=True)
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
