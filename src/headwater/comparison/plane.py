"""A second axis for rows that already have a first: the main direction of what the first leaves."""

from __future__ import annotations

import numpy as np
from sklearn.utils.extmath import randomized_svd


def rest(features: np.ndarray, axis: np.ndarray, seed: int = 0) -> np.ndarray:
    """Where rows stand on the first principal component of their features once an axis is taken out of them.

    Args:
        features: shape (rows, width).
        axis: where each row stands on the first axis, shape (rows,).
        seed: the seed of the randomised decomposition.

    Returns:
        Shape (rows,), uncorrelated with the axis, of mean 0 and standard deviation 1; zeros where nothing is left.

    Example:
        >>> rows = np.random.default_rng(0).normal(size=(500, 3)) * [1, 99, 1]
        >>> found = rest(rows, rows[:, 0])
        >>> np.abs(np.corrcoef([found, *rows.T])[0]).round(1).tolist()
        [1.0, 0.0, 1.0, 0.0]
    """
    centred, along = features - features.mean(axis=0, dtype=np.float64), axis - axis.mean()
    left = centred - np.outer(along, along @ centred / max(float(along @ along), 1e-300))
    places = randomized_svd(left, 1, random_state=seed)[0][:, 0]
    spread = float(places.std())
    return (places - places.mean()) / spread if spread > 1e-12 and np.abs(left).max() > 1e-9 else np.zeros(len(axis))
