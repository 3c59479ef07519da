"""Which of many things belong together, found without comparing each with each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def join(size: int, pairs: np.ndarray) -> np.ndarray:
    """For each of `size` things, the first that it is joined with, directly or through others, by pairs (n, 2).

    Example:
        >>> join(4, np.array([[1, 2], [2, 3]])).tolist()
        [0, 1, 1, 1]
    """
    edges = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    return first_of(connected_components(edges, directed=False)[1])


def first_of(groups: np.ndarray) -> np.ndarray:
    """Group numbers, each replaced by the position at which it first occurs.

    Example:
        >>> first_of(np.array([7, 3, 7])).tolist()
        [0, 1, 0]
    """
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    return first[inverse]


def pairs_of(codes: Sequence[np.ndarray], size: int) -> np.ndarray:
    """Pairs (n, 2) of different things below `size`, each once, out of codes low * size + high of the same.

    Example:
        >>> pairs_of([np.array([1, 5]), np.array([1])], 3).tolist()
        [[0, 1], [1, 2]]
    """
    ordered = np.sort(np.concatenate(codes))
    return np.stack(np.divmod(ordered[np.diff(ordered, prepend=-1) > 0], size), axis=1)
