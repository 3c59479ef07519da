"""The linear discriminant head: one Gaussian a class, all of one covariance, shrunk so that few rows can tell it.

The strength of the shrinkage is Ledoit and Wolf's (A well-conditioned estimator for large-dimensional covariance
matrices, 2004). Nothing of the size width x width is made: all comes from the products of the rows with one another.
"""

from __future__ import annotations

import numpy as np

from headwater.transfer.head import ABSENT, Head
from headwater.transfer.made import shares

_LEAST_SHRINKAGE = 1e-6


def solve(
    features: np.ndarray,
    targets: np.ndarray,
    n_classes: int,
    weights: np.ndarray | None = None,
) -> Head:
    """The head of the shared, shrunk covariance; where no class has two rows, that of the nearest mean.

    Args:
        features: shape (rows, width).
        targets: class positions of shape (rows,).
        n_classes: how many classes there are; one without a row is never named.
        weights: the weight of each row in the means and the shares of the classes, shape (rows,).

    Example:
        >>> rows = np.array([[0.0, 0.1], [0.2, 0.0], [3.0, 3.1], [3.2, 2.9]])
        >>> head = solve(rows, np.array([0, 0, 1, 1]), n_classes=2)
        >>> head.logits(np.array([[0.3, 0.3], [2.0, 3.0]])).argmax(axis=1)
        array([0, 1])
    """
    rows = features.astype(np.float64)
    weighed = shares(targets, n_classes) * (np.ones(len(rows)) if weights is None else weights)[:, None]
    sizes = weighed.sum(axis=0)
    means = weighed.T @ rows / np.maximum(sizes, 1e-12)[:, None]
    centred = rows - means[targets]
    level, shrinkage = shrunk(centred)
    middle = sizes @ means / sizes.sum()
    moved = means - middle  # logits of the same differences, from smaller numbers
    weight = _solved(centred, moved, level, shrinkage)
    bias = -0.5 * (weight * moved).sum(axis=1) - weight @ middle + np.log(np.maximum(sizes / sizes.sum(), 1e-12))
    absent = sizes <= 0
    weight[absent], bias[absent] = 0.0, ABSENT
    return Head(np.ascontiguousarray(weight, dtype=np.float32), bias.astype(np.float32), strength=shrinkage)


def shrunk(centred: np.ndarray) -> tuple[float, float]:
    """The mean variance of rows around 0, and the share of it, times the identity, that Ledoit and Wolf put in.

    The optimal covariance is `(1 - share) * centred.T @ centred / rows + share * mean * identity`.

    Args:
        centred: rows of mean 0, shape (rows, width).

    Example:
        >>> mean, share = shrunk(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]))
        >>> mean, share
        (0.5, 1.0)
    """
    rows, width = centred.shape
    # The squared length of the covariance is that of the products of the rows, whichever way they are multiplied.
    products = centred @ centred.T if rows < width else centred.T @ centred
    squares = (centred**2).sum(axis=1)
    level = float(squares.sum()) / (rows * width)
    if level < 1e-12:
        return 1.0, 1.0
    length = float((products**2).sum()) / rows**2
    spread = length - width * level**2
    noise = (float((squares**2).sum()) / rows - length) / rows
    return level, 1.0 if spread <= 0 else float(np.clip(noise / spread, _LEAST_SHRINKAGE, 1.0))


def _solved(centred: np.ndarray, right: np.ndarray, level: float, share: float) -> np.ndarray:
    """Rows of `right` times the inverse of the shrunk covariance, by the Woodbury identity where rows are few."""
    rows, width = centred.shape
    ridge, part = share * level, (1 - share) / rows
    if rows >= width:
        return np.linalg.solve(part * centred.T @ centred + ridge * np.eye(width), right.T).T
    inner = ridge * np.eye(rows) + part * centred @ centred.T
    return (right - part * np.linalg.solve(inner, centred @ right.T).T @ centred) / ridge
