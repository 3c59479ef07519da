"""The loss of logits on held-out rows, by which strengths and the progress of a fit are compared."""

from __future__ import annotations

import numpy as np


def mean_loss(logits: np.ndarray, targets: np.ndarray) -> float:
    """The mean negative log-likelihood of the targets, in nats; for several labels the mean over labels."""
    if targets.ndim == 2:
        return float(np.mean(np.logaddexp(0, logits) - targets * logits))
    top = logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0]
    return float(np.mean(log_sum - logits[np.arange(len(targets)), targets]))
