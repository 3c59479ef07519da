"""CORAL: the features of one place are given the mean and the covariance of another (Sun, Feng and Saenko 2016).

A head that learns from labelled features so recoloured meets, where it will be used, features of the spread that it was
made for. Nothing is changed at prediction, and no label of the other place is needed.
"""

from __future__ import annotations

import numpy as np

SHRINKAGE = 10.0
"""What is added to every variance, in mean variances of the other place; docs/unlabelled.md says where it is from."""


def recoloured(features: np.ndarray, like: np.ndarray, shrinkage: float = SHRINKAGE) -> np.ndarray:
    """The features with the mean of others, and their covariance as far as the shrinkage lets it: whitened, coloured.

    The paper adds 1 to every variance of standardised features. Of a foundation's hundreds of features, on a few
    thousand rows, so little leaves most directions to chance, and the head loses more than the alignment gains.

    Args:
        features: of labelled rows, shape (rows, width).
        like: of rows from where the head will be used, shape (other rows, width).
        shrinkage: what is added to every variance, in mean variances of `like`; without end, the mean alone is moved.

    Example:
        >>> here, there = np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 0.0]]), np.array([[5.0, 5.0], [5.0, 9.0], [9.0, 5.0]])
        >>> recoloured(here, there).mean(axis=0).round(3).tolist() == there.mean(axis=0).round(3).tolist()
        True
    """
    mean, spread = _moments(features)
    other_mean, other_spread = _moments(like)
    added = shrinkage * float(np.trace(other_spread)) / len(other_spread) * np.eye(len(other_spread))
    coloured = (features - mean) @ _power(spread + added, -0.5) @ _power(other_spread + added, 0.5) + other_mean
    return coloured.astype(features.dtype)


def _moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    centred = features - features.mean(axis=0, dtype=np.float64)
    return features.mean(axis=0, dtype=np.float64), centred.T @ centred / len(features)


def _power(spread: np.ndarray, exponent: float) -> np.ndarray:
    sizes, axes = np.linalg.eigh(spread)
    return (axes * np.maximum(sizes, 1e-12 * sizes.max() + 1e-300) ** exponent) @ axes.T
