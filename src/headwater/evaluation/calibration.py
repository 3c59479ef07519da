"""Probabilities from logits, and the temperature that makes them honest."""

from __future__ import annotations

import numpy as np

LOWEST, HIGHEST = 0.01, 100.0


def probabilities(logits: np.ndarray, temperature: float = 1.0, several: bool = False) -> np.ndarray:  # noqa: FBT001, FBT002
    """Softmax of logits / temperature, or the sigmoid of each where several labels may hold; shape (rows, classes).

    Example:
        >>> probabilities(np.array([[1000.0, 1000.0]])).tolist()
        [[0.5, 0.5]]
    """
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    if several:
        small = np.exp(-np.abs(scaled))
        return np.where(scaled >= 0, 1.0, small) / (1.0 + small)
    raised = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def fit_temperature(logits: np.ndarray, targets: np.ndarray, several: bool = False) -> float:  # noqa: FBT001, FBT002
    """The temperature with the least log-loss on validation rows (Guo et al. 2017), within 0.01 and 100.

    The loss is convex in 1 / temperature, so that bisection on its derivative finds the one optimum. Targets are
    smoothed by one part in rows + 2, after Platt (1999): without it, rows that the model separates perfectly would ask
    for unlimited confidence however few they are.

    Args:
        logits: shape (rows, classes).
        targets: class positions of shape (rows,), or zeros and ones of shape (rows, classes).
        several: whether several labels may hold.

    Example:
        >>> fit_temperature(np.zeros((0, 2)), np.zeros(0, dtype=int))
        1.0
    """
    rows = len(logits)
    if not rows or not np.ptp(logits):
        return 1.0
    scores = np.asarray(logits, dtype=np.float64)
    wanted = float((_smoothed(targets, scores.shape[1], several=several) * scores).sum())
    low, high = np.log(LOWEST), np.log(HIGHEST)
    for _ in range(30):
        middle = (low + high) / 2
        expected = float((probabilities(scores, np.exp(middle), several=several) * scores).sum())
        low, high = (middle, high) if expected > wanted else (low, middle)
    return float(np.exp((low + high) / 2))


def _smoothed(targets: np.ndarray, classes: int, *, several: bool) -> np.ndarray:
    share = 1 / (len(targets) + 2)
    truth = np.asarray(targets, dtype=np.float64) if several else np.eye(classes)[targets]
    return (1 - share) * truth + share / (2 if several else classes)
