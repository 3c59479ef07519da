"""How a fitted model does on its validation rows, as one stage of its trace."""

from __future__ import annotations

import math

import numpy as np

from headwater.evaluation.intervals import Z
from headwater.transfer.classifier import Examples, Stage


def stage(name: str, logits: np.ndarray, valid: Examples, seconds: float, decision: str) -> Stage:
    """The accuracy of logits of shape (rows, classes) with its 95 % interval (Wilson 1927).

    Example:
        >>> valid = Examples(["a", "b"], np.array([0, 1]), 2)
        >>> stage("C = 1", np.array([[1.0, 0.0], [0.0, 1.0]]), valid, 0.1, "kept").score
        1.0
    """
    score, rows = accuracy(logits, valid.targets), max(len(valid), 1)
    centre = (score + Z**2 / (2 * rows)) / (1 + Z**2 / rows)
    reach = Z * math.sqrt(score * (1 - score) / rows + Z**2 / (4 * rows**2)) / (1 + Z**2 / rows)
    return Stage(name, score, max(centre - reach, 0.0), min(centre + reach, 1.0), seconds, decision)


def accuracy(logits: np.ndarray, targets: np.ndarray) -> float:
    """The share of right classes or, where several labels hold, of right labels; 0 without rows."""
    if not len(targets):
        return 0.0
    right = (logits > 0) == (targets > 0.5) if targets.ndim == 2 else logits.argmax(axis=1) == targets
    return float(right.mean())


def mean_loss(logits: np.ndarray, targets: np.ndarray) -> float:
    """The mean negative log-likelihood of the targets, in nats; for several labels the mean over labels."""
    if targets.ndim == 2:
        return float(np.mean(np.logaddexp(0, logits) - targets * logits))
    top = logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0]
    return float(np.mean(log_sum - logits[np.arange(len(targets)), targets]))
