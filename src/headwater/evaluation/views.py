"""What features are worth, measured without any label: is an image known again, and do images differ at all?"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

_PART: Final = 1024
_ALIKE: Final = 1e-6
"""The spread below which features are one and the same, and the rest is rounding."""


def found_again(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Whether, of all second views, that of the same row is nearest to its first view by cosine.

    The means over the rows are taken off first: what all views share tells none from another. A row that ties with
    another is not found, so that features that are all the same find nothing.

    Args:
        first: features of a view of each row, shape (rows, width).
        second: the same of another view.

    Returns:
        1 or 0, shape (rows,).

    Example:
        >>> first = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
        >>> found_again(first, first + 0.1).tolist(), found_again(first, np.ones((3, 2))).tolist()
        ([1.0, 1.0, 1.0], [0.0, 0.0, 0.0])
    """
    ours, theirs = _directions(first), _directions(second)
    found = np.zeros(len(ours))
    for start in range(0, len(ours), _PART):
        likeness = ours[start : start + _PART] @ theirs.T
        own = np.arange(len(likeness))
        mine = likeness[own, start + own].copy()
        likeness[own, start + own] = -np.inf
        found[start : start + _PART] = mine > likeness.max(axis=1, initial=-1.0) + _ALIKE
    return found


def spread(features: np.ndarray) -> float:
    """How far features of length one lie from their mean, root mean square: 0 where all are the same, 1 at most.

    The sign of collapse that Chen and He (2021) watch, there divided by the root of the width.

    Example:
        >>> spread(np.array([[1.0, 0.0], [-2.0, 0.0]])), spread(np.ones((4, 3)))
        (1.0, 0.0)
    """
    units = _units(features)
    return math.sqrt(max(0.0, float(((units - units.mean(axis=0)) ** 2).sum(axis=1).mean()))) if len(units) else 0.0


def effective_rank(features: np.ndarray) -> float:
    """In how many directions features really vary (Roy and Vetterli, The effective rank, 2007).

    The exponential of the entropy of the shares that the singular values have in their sum: the width where all
    directions count alike, 1 where there is one or where all rows are the same.

    Args:
        features: shape (rows, width); each is brought to length one, and their mean is taken off.

    Example:
        >>> round(effective_rank(np.concatenate([np.eye(4), -np.eye(4)])), 3), effective_rank(np.ones((8, 4)))
        (4.0, 1.0)
    """
    if spread(features) <= _ALIKE:
        return 1.0
    units = _units(features)
    centred = units - units.mean(axis=0)
    sizes = np.sqrt(np.clip(np.linalg.eigvalsh(centred.T @ centred), 0, None))
    shares = sizes[sizes > _ALIKE * sizes.max()] / sizes.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _directions(features: np.ndarray) -> np.ndarray:
    """Features about their mean, of length one; nothing where all rows are the same."""
    values = features.astype(np.float64)
    centred = values - values.mean(axis=0, keepdims=True)
    centred[np.abs(centred) <= _ALIKE * (np.abs(values).max(initial=0.0) or 1.0)] = 0
    return _units(centred)


def _units(features: np.ndarray) -> np.ndarray:
    values = features.astype(np.float64)
    sizes = np.linalg.norm(values, axis=1, keepdims=True)
    return values / np.where(sizes > 0, sizes, 1)
