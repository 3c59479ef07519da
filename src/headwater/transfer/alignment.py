"""CORAL: the features of one place are given the mean and the covariance of another (Sun, Feng and Saenko 2016).

A head that learns from labelled features so recoloured meets, where it will be used, features of the spread that it was
made for. Nothing is changed at prediction, and no label of the other place is needed.
"""

from __future__ import annotations

import numpy as np


def recoloured(features: np.ndarray, like: np.ndarray) -> np.ndarray:
    """The features with the mean and the covariance of others: whitened, then coloured anew.

    The paper adds the identity to both covariances, for features of about unit scale; here each is shrunk by its own
    amount towards a multiple of the identity (Ledoit and Wolf 2004), which does not depend on their scale.

    Args:
        features: of labelled rows, shape (rows, width).
        like: of rows from where the head will be used, shape (other rows, width).

    Example:
        >>> here, there = np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 0.0]]), np.array([[5.0, 5.0], [5.0, 9.0], [9.0, 5.0]])
        >>> recoloured(here, there).mean(axis=0).round(3).tolist() == there.mean(axis=0).round(3).tolist()
        True
    """
    mean, spread = _moments(features)
    other_mean, other_spread = _moments(like)
    coloured = (features - mean) @ _power(spread, -0.5) @ _power(other_spread, 0.5) + other_mean
    return coloured.astype(features.dtype)


def _moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.covariance import ledoit_wolf

    return features.mean(axis=0, dtype=np.float64), ledoit_wolf(features.astype(np.float64))[0]


def _power(spread: np.ndarray, exponent: float) -> np.ndarray:
    sizes, axes = np.linalg.eigh(spread)
    return (axes * np.maximum(sizes, 1e-12 * sizes.max() + 1e-300) ** exponent) @ axes.T
