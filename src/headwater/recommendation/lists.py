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
_STRETCH: Final = 64
"""Items that lie beside one another and are looked at together."""
_DIGITS: Final = 5
"""Digits of a score that count: below them two machines, or two sizes of a block, need not agree."""
_SPARE: Final = 8


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
    model: Recommender, asked: Asked, seen: Histories | None = None, allowed: np.ndarray | None = None
) -> np.ndarray:  # fmt: skip
    """The scores of every item for each row, -inf for those that are not to be recommended.

    Args:
        model: a fitted one.
        asked: the rows.
        seen: what each row is not to get; None where it may get everything.
        allowed: a mask of the items that may be recommended; None where all may.

    Returns:
        Float32 of shape (rows, n_items).
    """
    scores = model.scores(asked)
    if scores.dtype != np.float32 or scores.base is not None or not scores.flags.writeable:
        scores = scores.astype(np.float32)  # what may be the model's own is not written to
    if seen is not None:
        scores[np.repeat(np.arange(len(seen)), seen.lengths), seen.items] = -np.inf
    if allowed is not None:
        scores[:, ~allowed] = -np.inf
    return scores


def best(scores: np.ndarray, k: int) -> Lists:
    """The k best items of each row; of those that are equal in five digits the first.

    Example:
        >>> found = best(np.array([[0.1, 0.9, -np.inf, 0.9]], np.float32), 4)
        >>> found.items.tolist()
        [[1, 3, 0, -1]]
    """
    near, n_items = _near(scores, k), scores.shape[1]
    found = np.take_along_axis(scores, np.minimum(near, n_items - 1), axis=1)
    found[near >= n_items] = -np.inf
    order = np.argsort(-_rounded(found), axis=1, kind="stable")[:, :k]
    items, values = np.take_along_axis(near, order, axis=1), np.take_along_axis(found, order, axis=1)
    return Lists(np.where(np.isfinite(values), items, -1), np.where(np.isfinite(values), values, -np.inf))


def _near(scores: np.ndarray, k: int) -> np.ndarray:
    """Positions among which the best k of each row are, ascending: the stretches of items with the highest peaks.

    The k-th best item is no worse than the k-th highest peak, so that no stretch below has one of the best. The last
    stretch may reach beyond the items.
    """
    rows, n_items = scores.shape
    starts = np.arange(0, n_items, _STRETCH)
    if len(starts) <= k + _SPARE or not rows:
        return np.tile(np.arange(n_items), (rows, 1))
    peaks = np.maximum.reduceat(scores, starts, axis=1)
    chosen = np.sort(np.argpartition(-peaks, k + _SPARE - 1, axis=1)[:, : k + _SPARE], axis=1)
    return (starts[chosen][:, :, None] + np.arange(_STRETCH)).reshape(rows, -1)


def _rounded(scores: np.ndarray) -> np.ndarray:
    """Scores in units of the fifth digit of the largest of each row: equals are equal, whatever computed them."""
    finite = np.where(np.isfinite(scores), np.abs(scores), 0).max(axis=1, initial=0, keepdims=True)
    unit = 10.0 ** (np.floor(np.log10(np.maximum(finite, 1e-30))) - _DIGITS)
    return np.where(np.isnan(scores), -np.inf, np.round(scores / unit))
