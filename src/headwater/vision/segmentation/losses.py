"""What a network of masks learns by: the cross entropy of pixels, and how much regions overlap with the true ones."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

_EVERY = 2
_UNEQUAL = 10
_SMALL = 1.0
"""Pixels that are added above and below, so that a region of none has an overlap."""


def class_weights(frequencies: np.ndarray, how: str) -> np.ndarray:
    """The weight of each class in the cross entropy, float32 of shape (classes,).

    Args:
        frequencies: how frequent each class is where it occurs, shape (classes,).
        how: `none` weighs all alike; `median-frequency` by the median of the frequencies over their own (Eigen and
            Fergus 2015); `root` by the root of that; `auto` so where one class is ten times as frequent as another.

    Returns:
        Weights whose mean over the pixels is about 1; 0 for a class that never occurs.

    Example:
        >>> class_weights(np.array([0.8, 0.2]), "median-frequency").round(3).tolist()
        [0.625, 2.5]
    """
    there = frequencies > 0
    unequal = there.any() and frequencies[there].max() > _UNEQUAL * frequencies[there].min()
    if how == "none" or not there.any() or (how == "auto" and not unequal):
        return there.astype(np.float32)
    weights = np.zeros(len(frequencies))
    weights[there] = np.median(frequencies[there]) / frequencies[there]
    weights = weights if how == "median-frequency" else np.sqrt(weights)
    mean = float((weights * frequencies).sum() / frequencies.sum())
    return (weights / mean).astype(np.float32)


def segmentation_loss(logits: torch.Tensor, masks: torch.Tensor, weights: torch.Tensor, dice: float) -> torch.Tensor:
    """The loss of pictures, summed over them: cross entropy a pixel, and `dice` times one less the overlap of regions.

    Args:
        logits: shape (rows, classes, height, width).
        masks: class positions, int64 of shape (rows, height, width); such as are no position are void.
        weights: of each class, shape (classes,).
        dice: how much the second part counts (Milletari et al. 2016); it is a mean over the classes in a picture.

    Returns:
        A scalar in single precision, whatever the precision of the logits.

    Example:
        >>> logits, masks = torch.zeros(1, 2, 1, 2), torch.tensor([[[0, 255]]])
        >>> round(segmentation_loss(logits, masks, torch.ones(2), 0.0).item(), 4)  # log 2: void does not count
        0.6931
    """
    scores, n_classes = logits.float(), logits.shape[1]
    known = masks < n_classes
    targets = torch.where(known, masks, -1)
    room = known.sum(dim=(1, 2)).clamp(min=1)
    entropy = functional.cross_entropy(scores, targets, weights, reduction="none", ignore_index=-1)
    found = (entropy.sum(dim=(1, 2)) / room).sum()
    if not dice:
        return found
    # Every second pixel of every second row tells as much of how regions overlap, at a quarter of the cost.
    return found + dice * _apart(*(values[..., ::_EVERY, ::_EVERY] for values in (scores, masks, known)))


def _apart(scores: torch.Tensor, masks: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """One less the soft Dice of each picture's classes, the mean over those that it has, summed over the pictures."""
    rows, n_classes = scores.shape[:2]
    spread = scores.softmax(dim=1) * known[:, None]
    places = torch.where(known, masks, 0)
    right = spread.gather(1, places[:, None]).reshape(rows, -1)
    empty, by_class = torch.zeros(rows, n_classes, device=scores.device), places.reshape(rows, -1)
    hits = empty.scatter_add(1, by_class, right)
    support = empty.scatter_add(1, by_class, known.reshape(rows, -1).float())
    overlap = (2 * hits + _SMALL) / (spread.sum(dim=(2, 3)) + support + _SMALL)
    there = support > 0
    return ((1 - overlap) * there / there.sum(dim=1, keepdim=True).clamp(min=1)).sum()
