"""The nearest-prototype head: one mean direction a class (Snell, Swersky and Zemel 2017), compared by cosine."""

from __future__ import annotations

import numpy as np

from headwater.transfer.head import ABSENT, Head
from headwater.transfer.made import shares

SHARPNESS = 20.0
"""What a cosine is multiplied by to be a logit, before the temperature is measured."""


def solve(
    features: np.ndarray,
    targets: np.ndarray,
    n_classes: int,
    weights: np.ndarray | None = None,
) -> Head:
    """The head whose logits are the cosines between a row and the mean direction of each class.

    As a linear map of features that are left as long as they are, it multiplies all logits of a row by the row's length
    over the mean length: that changes how sure an answer is, and never which class it names.

    Args:
        features: shape (rows, width).
        targets: class positions of shape (rows,).
        n_classes: how many classes there are; one without a row is never named.
        weights: the weight of each row in its class's mean, shape (rows,).

    Example:
        >>> head = solve(np.array([[2.0, 0.0], [0.0, 1.0]]), np.array([0, 1]), n_classes=2)
        >>> head.logits(np.array([[5.0, 1.0], [1.0, 3.0]])).argmax(axis=1)
        array([0, 1])
    """
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    directions = features / np.maximum(lengths, 1e-12)
    weighed = shares(targets, n_classes) * (np.ones(len(targets)) if weights is None else weights)[:, None]
    means = weighed.T @ directions
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    bias = np.where(weighed.sum(axis=0) > 0, 0.0, ABSENT)
    scale = SHARPNESS / max(float(lengths.mean()), 1e-12)
    return Head((scale * means).astype(np.float32), bias.astype(np.float32), strength=0.0)
