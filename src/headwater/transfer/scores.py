"""How a stage is scored on validation rows, and whether one stage is better than another."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit, log_softmax, softmax

from headwater.application import Marks, Stage
from headwater.evaluation.intervals import Estimate, Gain, paired_gain, percentile

_REPLICATES = 2000


def correct(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Whether each row is right, shape (rows,): 1 or 0, or the share of right labels where several may hold.

    Example:
        >>> correct(np.array([[2.0, 1.0], [0.0, 3.0]]), np.array([0, 0])).tolist()
        [1.0, 0.0]
    """
    return agreeing(logits > 0 if targets.ndim == 2 else logits.argmax(axis=1), targets)


def agreeing(answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The same of answers that are encoded like the targets.

    Example:
        >>> agreeing(np.array([1, 1]), np.array([0, 1])).tolist()
        [0.0, 1.0]
    """
    if targets.ndim == 2:
        return ((answers > 0.5) == (targets > 0.5)).mean(axis=1)
    return (answers == targets).astype(np.float64)


def score(logits: np.ndarray, targets: np.ndarray) -> float:
    """Accuracy, with ties broken by the mean probability of the truth; higher is better.

    Accuracy is what users ask for, but on few rows many epochs share one value. The mean probability is scaled to
    stay below the worth of one row, so that it decides only between equals. Log-loss would not do in its place: a
    fine-tuned network grows overconfident, and so worse in it, while its accuracy still rises.
    """
    if targets.ndim == 2:
        truth = np.where(targets > 0.5, expit(logits), expit(-logits)).mean()
        return float(correct(logits, targets).mean() + truth / (targets.size + 1))
    truth = softmax(logits, axis=1)[np.arange(len(targets)), targets].mean()
    return float(correct(logits, targets).mean() + truth / (len(targets) + 1))


def losses(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The log-loss of each row, shape (rows,); the mean over the labels where several may hold.

    Example:
        >>> losses(np.array([[0.0, 0.0]]), np.array([1])).round(3).tolist()
        [0.693]
    """
    if targets.ndim == 2:
        return (np.logaddexp(0, logits) - targets * logits).mean(axis=1)
    return -log_softmax(logits, axis=1)[np.arange(len(targets)), targets]


def marks(found: np.ndarray, targets: np.ndarray) -> Marks:
    """The marks of probabilities of shape (rows, classes).

    Example:
        >>> marks(np.array([[0.75, 0.25], [0.5, 0.5]]), np.array([0, 1])).right.tolist()
        [1.0, 0.0]
    """
    if targets.ndim == 2:
        right, truth = agreeing(found, targets), np.where(targets > 0.5, found, 1 - found).mean(axis=1)
    else:
        right, truth = agreeing(found.argmax(axis=1), targets), found[np.arange(len(targets)), targets]
    return Marks(right, truth, finest=1 / targets.size)


def estimate(right: np.ndarray, seed: int, *, bounded: bool = True) -> Estimate:
    """The mean of `correct` with its bootstrap interval; or of what is not `bounded` by 0 and 1, such as returns.

    Example:
        >>> print(estimate(np.array([-200.0, -200.0]), 0, bounded=False))
        -200.0 [-200.0, -200.0]
    """
    bounds = (0.0, 1.0) if bounded else (-math.inf, math.inf)
    return percentile(float(right.mean()), _replicates(right, seed), rows=len(right), bounds=bounds)


def stage(name: str, right: np.ndarray, seconds: float, decision: str, seed: int = 0) -> Stage:
    """A stage of a fit by the held-out rows it had right, with its 95 % interval; without a score where there are none.

    Example:
        >>> stage("C = 1", np.array([1.0, 1.0]), 0.1, "kept").score
        1.0
    """
    if not len(right):
        return Stage(name, None, None, None, seconds, decision)
    found = estimate(right, seed)
    return Stage(name, found.value, found.low, found.high, seconds, decision)


def gain(right: np.ndarray, base: np.ndarray, over: str, seed: int, metric: str = "accuracy") -> Gain:
    """How much better one stage is than another on the same rows, by paired bootstrap."""
    difference = right - base
    return paired_gain(over, metric, float(difference.mean()), _replicates(difference, seed))


def _replicates(values: np.ndarray, seed: int) -> np.ndarray:
    """Bootstrap means, shape (replicates,): rows of equal value are drawn together, as one multinomial count."""
    distinct, counts = np.unique(values, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(values), counts / len(values), size=_REPLICATES)
    return drawn @ distinct / len(values)
