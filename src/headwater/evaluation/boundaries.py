"""How well the edges of regions are found: the boundary F-measure."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from scipy.spatial import KDTree

_TOLERANCE: Final = 0.0075
"""How far an edge may lie from the true one, as a share of the picture's diagonal (Csurka et al. 2013)."""


def boundary_f(known: np.ndarray, found: np.ndarray, n_classes: int, tolerance: float | None = None) -> np.ndarray:
    """The F-measure of the edges of each class.

    The edge of a class is its pixels that touch one of another class. Precision is the share of the found edge that
    lies near the true one, recall the share of the true one that lies near the found (Csurka et al., What is a good
    evaluation measure for semantic segmentation?, 2013). What touches nothing but void, or the end of the picture, is
    no edge.

    Args:
        known: class positions of shape (height, width); -1 is void.
        found: class positions of the same shape.
        n_classes: how many classes there are.
        tolerance: the pixels that are near; 0.75 % of the diagonal, but 1 at least, if not given.

    Returns:
        Shape (classes,); not-a-number for a class that is not in `known`.

    Example:
        >>> known = np.array([[0, 0, 1, 1]] * 4)
        >>> boundary_f(known, known, 2).tolist(), boundary_f(known, 0 * known, 2).tolist()
        ([1.0, 1.0], [0.0, 0.0])
    """
    near = max(1.0, _TOLERANCE * math.hypot(*known.shape)) if tolerance is None else tolerance
    true = _edges(known, n_classes)
    seen = _edges(np.where(known < 0, -1, found), n_classes)
    values = np.full(n_classes, np.nan)
    for position in np.unique(known[known >= 0]).tolist():
        values[position] = _f(true[position], seen[position], near)
    return values


def _f(true: np.ndarray, seen: np.ndarray, near: float) -> float:
    """The F-measure of some places, shape (places, 2), against the true ones."""
    if not len(true) or not len(seen):
        return float(len(true) == len(seen))
    precision, recall = _share(seen, true, near), _share(true, seen, near)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _share(places: np.ndarray, others: np.ndarray, near: float) -> float:
    """The share of places that have one of the others near."""
    # The bound is open, and a place at just that distance is near as well.
    distances = KDTree(others).query(places, distance_upper_bound=near + 1e-6)[0]
    return float(np.isfinite(distances).mean())


def _edges(positions: np.ndarray, n_classes: int) -> list[np.ndarray]:
    """The places of each class's edge, of shape (places, 2)."""
    edge = np.zeros(positions.shape, dtype=bool)
    for one, other in (
        ((slice(1, None), slice(None)), (slice(None, -1), slice(None))),
        ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
    ):
        differ = (positions[one] != positions[other]) & (positions[one] >= 0) & (positions[other] >= 0)
        edge[one] |= differ
        edge[other] |= differ
    places = np.argwhere(edge)
    of_class = positions[edge]
    order = np.argsort(of_class, kind="stable")
    return np.split(places[order], np.searchsorted(of_class[order], np.arange(1, n_classes)))
