"""How well frozen features would serve a target, told from arrays alone: LogME and the H-score."""

from __future__ import annotations

import math

import numpy as np
from sklearn.covariance import ledoit_wolf

_STEPS = 200
_CLOSE = 1e-6
_TINY = 1e-12
_FLAT = 1e-9
"""The share of the largest singular value below which a direction is none."""


def logme(features: np.ndarray, targets: np.ndarray) -> float:
    """The log evidence, a row, of a Bayesian linear map from features to the target (You et al. 2021).

    The precisions of the weights and of the noise are those under which the target is likeliest. They are found by the
    paper's fixed-point iteration in the coordinates of one singular value decomposition. Of several classes or labels,
    the evidence of each against the rest is averaged. Higher is better; only scores of the same targets compare.

    Args:
        features: shape (rows, width).
        targets: class positions of shape (rows,), or zeros and ones of shape (rows, classes).

    Returns:
        The mean evidence; not-a-number where no class can be told from the rest.

    Example:
        >>> features = np.array([[0.0, 1.0], [0.1, 1.0], [1.0, 1.0], [1.1, 0.9]])
        >>> logme(features, np.array([0, 0, 1, 1])) > logme(features, np.array([0, 1, 0, 1]))
        True
    """
    features = np.asarray(features, dtype=np.float64)
    columns = targets if targets.ndim == 2 else targets[:, None] == np.unique(targets)
    told = [column for column in np.asarray(columns, dtype=np.float64).T if np.ptp(column) > 0]
    if not told:
        return math.nan
    axes, sizes, _ = np.linalg.svd(features, full_matrices=False)
    real = sizes > sizes.max(initial=0.0) * _FLAT
    return float(np.mean([_evidence(column, axes[:, real], sizes[real] ** 2) for column in told]))


def _evidence(target: np.ndarray, axes: np.ndarray, spread: np.ndarray) -> float:
    """The log evidence of one target divided by the rows, at the best precisions of weights and noise.

    Args:
        target: shape (rows,).
        axes: the left singular vectors of the features, shape (rows, rank).
        spread: their squared singular values, shape (rank,). Directions without any change no evidence.
    """
    rows, energy = len(target), (axes.T @ target) ** 2
    outside = max(float(target @ target - energy.sum()), 0.0)

    def at(ratio: float) -> tuple[float, float, float]:
        """How many weights the rows determine, the squared length of the mean weights, and their squared error."""
        kept = spread / (spread + ratio)
        error = float((energy * (1 - kept) ** 2).sum()) + outside
        return float(kept.sum()), float((energy * kept**2 / spread).sum()), error

    weights = noise = 1.0
    for _ in range(_STEPS):
        ratio = weights / noise
        known, length, error = at(ratio)
        weights, noise = max(known, _TINY) / (length + _TINY), (rows - known) / (error + _TINY)
        if abs(weights / noise - ratio) <= _CLOSE * ratio:
            break
    _, length, error = at(weights / noise)
    volume = np.log1p(noise / weights * spread).sum()
    return float(rows * math.log(noise / (2 * math.pi)) - volume - noise * error - weights * length) / (2 * rows)


def h_score(features: np.ndarray, targets: np.ndarray) -> float:
    """How much of the features' spread lies between the classes (Bao et al. 2019), with shrunken covariances.

    The trace of cov(features)^-1 cov(class means). With few rows the inverse explodes, so the covariance is that of
    Ledoit and Wolf (2004), and the class means' is shrunk alike (Ibrahim et al. 2022). Higher is better: at most the
    number of classes less one.

    Args:
        features: shape (rows, width).
        targets: class positions of shape (rows,). Rows with several labels have no H-score.

    Returns:
        The score; not-a-number where the features never change.

    Example:
        >>> features = np.array([[0.0], [0.1], [1.0], [1.1]])
        >>> h_score(features, np.array([0, 0, 1, 1])) > h_score(features, np.array([0, 1, 0, 1]))
        True
    """
    centred = np.asarray(features, dtype=np.float64) - np.mean(features, axis=0, dtype=np.float64)
    if not np.ptp(centred, axis=0).any():
        return math.nan
    spread, shrinkage = ledoit_wolf(centred, assume_centered=True)
    _, classes, counts = np.unique(targets, return_inverse=True, return_counts=True)
    sums = np.zeros((len(counts), centred.shape[1]))
    np.add.at(sums, classes, centred)
    means = sums / counts[:, None]
    between = (counts[:, None] / len(centred) * means * np.linalg.solve(spread, means.T).T).sum()
    return float((1 - shrinkage) * between)
