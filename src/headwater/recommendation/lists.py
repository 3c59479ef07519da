"""From scores to lists: the best items of each row, without those that are not to be recommended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from headwater.recommendation.interactions import Histories
from headwater.recommendation.recommender import Asked, Recommender

CELLS: Final = 4_000_000
"""Scores that are in memory at once."""
_DIGITS: Final = 5
"""Digits of a score that count: below them two machines, or two sizes of a block, need not agree."""
_SPARE: Final = 64


@dataclass(frozen=True)
class Lists:
    """The best items of some rows.

    Attributes:
        items: positions of shape (rows, k), the best first; -1 where no item is left.
        scores: float32 of the same shape; -inf there.
    """

    items: np.ndarray
    scores: np.ndarray


def blocks(rows: int, n_items: int) -> Iterator[np.ndarray]:
    """The positions of rows in blocks whose scores fit into memory."""
    step = max(1, CELLS // max(1, n_items))
    for start in range(0, rows, step):
        yield np.arange(start, min(start + step, rows))


def wanted(
    model: Recommender, asked: Asked, seen: Histories | None, allowed: np.ndarray | None
) -> np.ndarray:  # fmt: skip
    """The scores of every item for each row, -inf for those that are not to be recommended.

    Args:
        model: a fitted one.
        asked: the rows.
        seen: what each row is not to get; None where it may get everything.
        allowed: a mask of the items that may be recommended; None where all may.

    Returns:
        Float32 of shape (rows, n_items), rounded to five digits of the largest of each row, so that equals are equal.
    """
    scores = model.scores(asked).astype(np.float32, copy=True)
    finite = np.where(np.isfinite(scores), np.abs(scores), 0).max(axis=1, initial=0, keepdims=True)
    unit = 10.0 ** (np.floor(np.log10(np.maximum(finite, 1e-30))) - _DIGITS)
    np.round(scores / unit, out=scores)
    scores *= unit.astype(np.float32)
    scores[np.isnan(scores)] = -np.inf
    if seen is not None:
        scores[np.repeat(np.arange(len(seen)), seen.lengths), seen.items] = -np.inf
    if allowed is not None:
        scores[:, ~allowed] = -np.inf
    return scores


def best(scores: np.ndarray, k: int) -> Lists:
    """The k best items of each row; of equals the first.

    Example:
        >>> found = best(np.array([[0.1, 0.9, -np.inf, 0.9]], np.float32), 4)
        >>> found.items.tolist()
        [[1, 3, 0, -1]]
    """
    n_items = scores.shape[1]
    wide = min(n_items, k + _SPARE)
    if wide < n_items:
        near = np.sort(np.argpartition(-scores, wide - 1, axis=1)[:, :wide], axis=1)
    else:
        near = np.tile(np.arange(n_items), (len(scores), 1))
    order = np.argsort(-np.take_along_axis(scores, near, axis=1), axis=1, kind="stable")[:, :k]
    items = np.take_along_axis(near, order, axis=1)
    found = np.take_along_axis(scores, items, axis=1)
    return Lists(np.where(np.isfinite(found), items, -1), np.where(np.isfinite(found), found, -np.inf))
