"""What a head learns from beside the rows of the data: altered copies, mixtures, synthetic rows of small classes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from headwater.transfer.made import NONE, Made, shares
from headwater.transfer.mixup import mixtures
from headwater.transfer.smote import smote

if TYPE_CHECKING:
    from headwater.settings import Settings
    from headwater.transfer.classifier import Examples


def virtual(
    features: np.ndarray, train: Examples, settings: Settings
) -> tuple[np.ndarray, Examples, Made, dict[str, int]]:
    """Divides examples into the rows that came from the data and those that were made of them.

    Args:
        features: of all examples, shape (rows, width).
        train: rows of the data and their altered copies.
        settings: whether to add mixtures and synthetic rows.

    Returns:
        The features of the rows of the data; these rows, with the weight that is left to them; the made rows; how many
        of them each method on features has made.
    """
    # A large matrix is not copied where all of it came from the data.
    rows, own = (train, features) if train.altered is None else (train.take(train.drawn), features[train.drawn])
    parts = [Made.none(features.shape[1], train.n_classes), _copies(features, train)]
    counts = {}
    if "mixup" in (settings.augment or ()):
        mixed, weight = mixtures(own, rows, settings), settings.augment_weight
        parts.append(replace(mixed, weights=mixed.weights * weight / (1 + weight)))
        weights = np.ones(len(rows)) if rows.weights is None else rows.weights
        rows = replace(rows, weights=weights / (1 + weight))
        counts["mixup"] = len(mixed)
    if settings.imbalance == "smote":
        parts.append(smote(own, rows.targets, rows.n_classes, settings.seed))
        counts["smote"] = len(parts[-1])
    return own, rows, Made.together(parts), counts


def _copies(features: np.ndarray, train: Examples) -> Made:
    """The altered copies as made rows whose parent is the first drawn row of the same number, where there is one."""
    if train.altered is None:
        return Made.none(features.shape[1], train.n_classes)
    copies = np.flatnonzero(train.altered)
    first = {row: position for position, row in reversed(list(enumerate(train.parents[train.drawn].tolist())))}
    parent = np.array([first.get(row, NONE) for row in train.parents[copies].tolist()], np.intp)
    weights = np.ones(len(train)) if train.weights is None else train.weights
    goals = shares(train.targets[copies], train.n_classes)
    return Made(features[copies], goals, weights[copies], np.stack([parent, parent], axis=1))
