"""From scores to lists: the best items of each row, without those that are not to be recommended."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from headwater.recommendation.interactions import Histories
from headwater.recommendation.recommender import Asked, Recommender

CELLS: Final = 4_000_000
"""Scores that are in memory at once."""
_STRIPE: Final = 64
"""The most items that are looked at together."""
_DIGITS: Final = 5
"""Digits of a score that count: below them two machines, or two sizes of a block, need not agree."""


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
    rows, n_items = scores.shape
    k = min(k, n_items)
    lists = Lists(np.full((rows, k), -1, dtype=np.int64), np.full((rows, k), -np.inf, dtype=np.float32))
    # The stripes are the narrower the more items are wanted: a stripe that is looked into is looked into as a whole.
    peaks = _peaks(scores, max(1, -(-n_items // max(1, min(_STRIPE, math.isqrt(n_items // max(1, k)))))))
    if np.isnan(peaks).any():
        return best(np.where(np.isnan(scores), np.float32(-np.inf), scores), k)
    bound, unit = _bound(peaks, k)
    for row in np.flatnonzero(np.count_nonzero(peaks >= bound[:, None], axis=1) > 2 * k + _STRIPE):
        # So many equals are sorted as a whole, which is soon done with equals.
        order = np.argsort(-np.round(scores[row] / unit[row]), kind="stable")[:k]
        there = scores[row, order] > -np.inf
        lists.items[row, there], lists.scores[row, there] = order[there], scores[row, order[there]]
        peaks[row] = -np.inf
    row, item, value = _reaching(scores, peaks, bound - unit)
    order = np.lexsort((item, -np.round(value / unit[row]), row))
    row, item, value = row[order], item[order], value[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    row, item, value, rank = (part[rank < k] for part in (row, item, value, rank))
    lists.items[row, rank], lists.scores[row, rank] = item, value
    return lists


def _peaks(scores: np.ndarray, width: int) -> np.ndarray:
    """The highest score of each stripe of items, shape (rows, width).

    Stripe c holds the items c, c + width, c + 2 * width ...: its peak is then found by maxima of whole vectors.
    """
    rows, n_items = scores.shape
    whole = n_items // width
    peaks = scores[:, : whole * width].reshape(rows, whole, width).max(axis=1, initial=-np.inf)
    rest = scores[:, whole * width :]
    np.maximum(peaks[:, : rest.shape[1]], rest, out=peaks[:, : rest.shape[1]])
    return peaks


def _bound(peaks: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """What the k best of each row reach, and the fifth digit of its best: equals are equal, whatever computed them."""
    rows, width = peaks.shape
    bound = np.partition(peaks, width - k, axis=1)[:, width - k] if k < width else np.full(rows, -np.inf, np.float32)
    top = np.abs(peaks.max(axis=1, initial=-np.inf))
    top = np.maximum(np.where(np.isfinite(top), top, 0), 1e-30)
    return bound, 10.0 ** (np.floor(np.log10(top)) - _DIGITS)


def _reaching(scores: np.ndarray, peaks: np.ndarray, bound: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row, item and value of every score that reaches the bound of its row, looked for in the stripes that do."""
    n_items, width = scores.shape[1], peaks.shape[1]
    row, stripe = np.nonzero((peaks >= bound[:, None]) & (peaks > -np.inf))
    places = stripe[:, None] + np.arange(0, n_items, width)
    flat = np.minimum(places, n_items - 1) + (row * n_items)[:, None]
    found = np.where(places < n_items, scores.ravel()[flat], np.float32(-np.inf))
    at, place = np.nonzero((found >= bound[row, None]) & (found > -np.inf))
    return row[at], places[at, place], found[at, place]
