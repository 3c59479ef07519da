"""SMOTE: rows between neighbours of one class, until the small classes are as large as the largest."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import NearestNeighbors

from headwater.data.imbalance import drawn
from headwater.transfer.made import Made, shares

_NEIGHBOURS = 5


def smote(features: np.ndarray, targets: np.ndarray, n_classes: int, seed: int) -> Made:
    """Synthetic rows on the lines between a row and one of its nearest neighbours of the same class.

    Chawla et al. (2002): each row of a small class is taken as often as it fits into what is missing, and a draw
    without replacement makes up the rest; of its five nearest neighbours in Euclidean distance (all others where there
    are fewer) one is drawn, and a place between the two, uniformly. The place is one number a row, as the paper's text
    has it, not one a feature, as in its listing. A class of one row has no neighbours: the row is repeated.

    Args:
        features: shape (rows, width).
        targets: class positions of shape (rows,).
        n_classes: how many classes there are.
        seed: the seed of all draws.

    Example:
        >>> made = smote(np.array([[0.0], [1.0], [5.0], [6.0], [7.0]]), np.array([0, 0, 1, 1, 1]), 2, seed=0)
        >>> len(made), made.goals.tolist(), bool(0 <= made.features[0, 0] <= 1)
        (1, [[1.0, 0.0]], True)
    """
    random = np.random.default_rng(seed)
    sizes = np.bincount(targets, minlength=n_classes)
    made = [Made.none(features.shape[1], n_classes)]
    for number in np.flatnonzero((sizes > 0) & (sizes < sizes.max())).tolist():
        rows = np.flatnonzero(targets == number)
        first = drawn(rows, int(sizes.max()) - len(rows), random)
        near = _neighbours(features[rows])
        second = rows[near[np.searchsorted(rows, first), random.integers(0, near.shape[1], len(first))]]
        gap = random.random((len(first), 1)).astype(features.dtype)
        between = features[first] + gap * (features[second] - features[first])
        goals = shares(np.full(len(first), number), n_classes)
        made.append(Made(between, goals, np.ones(len(first)), np.stack([first, second], axis=1)))
    return Made.together(made)


def _neighbours(features: np.ndarray) -> np.ndarray:
    """The positions of the nearest other rows of each row, shape (rows, neighbours); itself where it is alone."""
    if len(features) == 1:
        return np.zeros((1, 1), np.intp)
    search = NearestNeighbors(n_neighbors=min(_NEIGHBOURS, len(features) - 1)).fit(features)
    return np.asarray(search.kneighbors(return_distance=False))
