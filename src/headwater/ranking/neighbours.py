"""Nearest neighbours: how often the rows nearest to a row tell its class, the row itself left out."""

from __future__ import annotations

import numpy as np

from headwater.transfer import scores

NEIGHBOURS = 10
_PART = 1024


def leave_one_out(features: np.ndarray, targets: np.ndarray, neighbours: int = NEIGHBOURS) -> np.ndarray:
    """Whether the vote of each row's nearest other rows, by cosine, is right.

    Nothing is learnt and nothing is chosen, so that no row need be held out but the one that is asked about. Among
    classes with as many votes the first one is taken.

    Args:
        features: shape (rows, width), two rows or more.
        targets: class positions of shape (rows,), or zeros and ones of shape (rows, classes), each label voted on.
        neighbours: how many rows vote; all others where there are fewer.

    Returns:
        For each row 1 or 0, or the share of right labels where several may hold; shape (rows,).

    Example:
        >>> features = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
        >>> leave_one_out(features, np.array([0, 0, 1, 1]), neighbours=1).tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    sizes = np.linalg.norm(features, axis=1, keepdims=True)
    units = features / np.where(sizes > 0, sizes, 1)
    several, rows = targets.ndim == 2, len(units)
    votes = targets if several else targets[:, None] == np.arange(targets.max() + 1)
    votes, count = votes.astype(np.float64), min(neighbours, rows - 1)
    answers = np.zeros(targets.shape)
    for start in range(0, rows, _PART):
        part = slice(start, start + _PART)
        likeness = units[part] @ units.T
        own = np.arange(len(likeness))
        likeness[own, start + own] = -np.inf
        nearest = np.argpartition(likeness, -count, axis=1)[:, -count:]
        shares = votes[nearest].mean(axis=1)
        answers[part] = shares > 0.5 if several else shares.argmax(axis=1)
    return scores.agreeing(answers, targets)
