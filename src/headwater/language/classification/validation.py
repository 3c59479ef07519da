"""How a fitted model does on its validation rows, as one stage of its trace."""

from __future__ import annotations

import numpy as np

from headwater.transfer import scores
from headwater.transfer.classifier import Examples, Stage


def stage(name: str, logits: np.ndarray, valid: Examples, seconds: float, decision: str) -> Stage:
    """The accuracy of logits of shape (rows, classes) with its 95 % bootstrap interval.

    Example:
        >>> valid = Examples(["a", "b"], np.array([0, 1]), 2)
        >>> stage("C = 1", np.array([[1.0, 0.0], [0.0, 1.0]]), valid, 0.1, "kept").score
        1.0
    """
    found = scores.estimate(scores.correct(logits, valid.targets), seed=0)
    return Stage(name, found.value, found.low, found.high, seconds, decision)


def mean_loss(logits: np.ndarray, targets: np.ndarray) -> float:
    """The mean negative log-likelihood of the targets, in nats; for several labels the mean over labels."""
    if targets.ndim == 2:
        return float(np.mean(np.logaddexp(0, logits) - targets * logits))
    top = logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0]
    return float(np.mean(log_sum - logits[np.arange(len(targets)), targets]))
