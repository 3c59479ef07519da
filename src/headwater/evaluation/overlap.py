"""How much found regions overlap with the true ones: IoU, Dice and accuracies out of counts of pixels."""

from __future__ import annotations

from typing import Final

import numpy as np

from headwater.evaluation.counts import Counts, Scores, ratio

BY_CLASS: Final = {"mean_iou": "iou", "mean_dice": "dice", "mean_class_accuracy": "recall"}
"""For each mean over the classes, what it is the mean of."""


def confusion_of(known: np.ndarray, found: np.ndarray, n_classes: int) -> np.ndarray:
    """Pixels by known (rows) and found class (columns), int64 of shape (classes, classes).

    Args:
        known: class positions of any shape; pixels of another number are void, and not counted.
        found: class positions of the same shape.
        n_classes: how many classes there are.

    Example:
        >>> confusion_of(np.array([0, 1, 1, -1]), np.array([0, 1, 0, 1]), 2).tolist()
        [[1, 0], [1, 1]]
    """
    there = (known >= 0) & (known < n_classes)
    codes = known[there].astype(np.int64) * n_classes + found[there]
    return np.bincount(codes, minlength=n_classes**2).reshape(n_classes, n_classes)


def counts_of(confusion: np.ndarray) -> Counts:
    """The counts of a confusion of pixels, of shape (..., classes, classes)."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    return Counts(hits, confusion.sum(-1), confusion.sum(-2), hits.sum(-1), confusion.sum((-2, -1)))


def of_classes(counts: Counts) -> Scores:
    """IoU (Jaccard), Dice (F1), precision and recall of each class, shape (..., classes); 0 where nothing is either."""
    return {
        "iou": ratio(counts.hits, counts.support + counts.predicted - counts.hits),
        "dice": ratio(2 * counts.hits, counts.support + counts.predicted),
        "precision": ratio(counts.hits, counts.predicted),
        "recall": ratio(counts.hits, counts.support),
    }


def overall(counts: Counts) -> Scores:
    """One value for each metric, shape (...); classes without a true pixel are left out of the means.

    Example:
        >>> found = overall(counts_of(np.array([[3, 1], [0, 4]])))
        >>> {name: round(float(value), 3) for name, value in found.items()}
        {'mean_iou': 0.775, 'mean_dice': 0.873, 'mean_class_accuracy': 0.875, 'pixel_accuracy': 0.875}
    """
    classes, there = of_classes(counts), counts.support > 0
    found = {
        name: ratio((classes[own] * there).sum(axis=-1), there.sum(axis=-1), empty=np.nan)
        for name, own in BY_CLASS.items()
    }
    return found | {"pixel_accuracy": ratio(counts.whole, counts.rows, empty=np.nan)}
