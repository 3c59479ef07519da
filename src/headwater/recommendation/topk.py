"""The best few of many items for many rows, in blocks: the scores of all rows are never held at once."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from headwater.recommendation.blocks import in_blocks
from headwater.recommendation.interactions import Histories
from headwater.recommendation.lists import CELLS, Lists

_STRIPES = 64


def best(
    score: Callable[[int, int], np.ndarray],
    seen: Histories,
    k: int,
    *,
    but_seen: bool = True,
    allowed: np.ndarray | None = None,
) -> Lists:
    """The best items of each row; those whose score is -inf are never among them.

    Args:
        score: gives the scores of the rows from the first to before the end, float32 of shape (rows, items), which it
            keeps no hold of.
        seen: the history of each row.
        k: how many.
        but_seen: whether a row gets no item of its own history.
        allowed: whether each item may be recommended at all, shape (items,).

    Example:
        >>> scores = np.array([[0.5, 0.9, 0.7], [0.1, 0.2, 0.2]], dtype=np.float32)
        >>> seen = Histories.of_lists([[1], []], n_items=3)
        >>> best(lambda first, end: scores[first:end].copy(), seen, k=2).items.tolist()
        [[2, 0], [1, 2]]
    """

    def pick(first: int, end: int) -> Lists:
        scores = score(first, end)
        if allowed is not None:
            scores[:, ~allowed] = -np.inf
        if but_seen:
            ends = slice(seen.starts[first], seen.starts[end])
            scores[np.repeat(np.arange(end - first), seen.lengths[first:end]), seen.items[ends]] = -np.inf
        return _best_of(scores, k)

    parts = in_blocks(pick, len(seen), max(1, CELLS // max(1, seen.n_items)))
    empty = Lists(np.empty((0, k), dtype=np.int32), np.empty((0, k), dtype=np.float32))
    return Lists(*(np.concatenate([getattr(part, name) for part in (empty, *parts)]) for name in ("items", "scores")))


def product(users: np.ndarray, items: np.ndarray, biases: np.ndarray) -> Callable[[int, int], np.ndarray]:
    """The scores of a model of factors, for `best`.

    Args:
        users: shape (rows, factors).
        items: shape (items, factors).
        biases: shape (items,).

    Example:
        >>> product(np.ones((1, 2)), np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, 0.0]))(0, 1).tolist()
        [[3.5, 7.0]]
    """

    def score(first: int, end: int) -> np.ndarray:
        scores = users[first:end] @ items.T
        scores += biases
        return scores

    return score


def _best_of(scores: np.ndarray, k: int) -> Lists:
    """The best of each row, found in the stripes of items whose best is good enough: most items are looked at once."""
    rows, n_items = scores.shape
    width = max(1, -(-n_items // max(1, min(_STRIPES, math.isqrt(n_items // k)))))
    least, row, column = _stripes(scores, width, k)
    places = column[:, None] + np.arange(0, n_items, width)
    flat = np.minimum(places, n_items - 1) + (row * n_items)[:, None]
    found = np.where(places < n_items, scores.ravel()[flat], -np.inf)
    stripe, place = np.nonzero((found >= least[row, None]) & (found > -np.inf))
    row, item, value = row[stripe], places[stripe, place], found[stripe, place]
    order = np.lexsort((item, -value, row))
    row, item, value = row[order], item[order], value[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    row, item, value, rank = (part[rank < k] for part in (row, item, value, rank))
    answer = Lists(np.full((rows, k), -1, dtype=np.int32), np.full((rows, k), -np.inf, dtype=np.float32))
    answer.items[row, rank], answer.scores[row, rank] = item, value
    return answer


def _stripes(scores: np.ndarray, width: int, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A bound that the k-th best score of each row reaches, and row and number of the stripes that reach it too.

    Stripe c holds the items c, c + width, c + 2 * width ...: their maxima are then maxima of whole vectors.
    """
    rows, n_items = scores.shape
    whole = n_items // width
    peaks = scores[:, : whole * width].reshape(rows, whole, width).max(axis=1, initial=-np.inf)
    rest = scores[:, whole * width :]
    np.maximum(peaks[:, : rest.shape[1]], rest, out=peaks[:, : rest.shape[1]])
    least = np.full(rows, -np.inf, dtype=scores.dtype)
    if k < width:
        least = np.partition(peaks, width - k, axis=1)[:, width - k]
    return least, *np.nonzero((peaks >= least[:, None]) & (peaks > -np.inf))
