"""Which found box is of which known one: the rule of COCO (Lin et al. 2014), for all thresholds and sizes at once.

What is difficult is pardoned by the rule of Pascal VOC (Everingham et al. 2010), which COCO does not know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from headwater.data.boxes import Boxes

OVERLAPS: Final = np.round(np.arange(0.5, 1.0, 0.05), 2)
"""How much of their union two boxes must share to be of one thing: ten thresholds."""
SIZES: Final = ("all", "small", "medium", "large")
_AREAS: Final = np.array([[0, 1e10], [0, 32**2], [32**2, 96**2], [96**2, 1e10]])
"""Square pixels of the boxes that count in each size, both ends included."""
MOST: Final = 100
"""The surest boxes of a class that count in one picture."""
_LIMITS: Final = np.minimum(OVERLAPS, 1 - 1e-10)
_BITS: Final = 1 << np.arange(len(OVERLAPS), dtype=np.int64)


@dataclass(frozen=True)
class Matched:
    """The found boxes of one picture that count, class by class, the surest first.

    Attributes:
        found: the position of each among the found boxes, shape (boxes,).
        labels: the class of each.
        scores: how sure the model is of each.
        ranks: how many boxes of its class in the picture are surer.
        hits: for each size, a bit for every threshold at which it is of a known box, shape (boxes, sizes).
        ignored: the same where it counts neither for the model nor against it.
        seen: which known boxes are found at the lowest threshold, shape (known,).
        counted: which known boxes have to be found in each size, shape (known, sizes).
    """

    found: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    ranks: np.ndarray
    hits: np.ndarray
    ignored: np.ndarray
    seen: np.ndarray
    counted: np.ndarray


def overlaps(found: np.ndarray, known: np.ndarray, crowds: np.ndarray | None = None) -> np.ndarray:
    """The area that boxes share, over that of their union, or over that of the found one where the known is a crowd.

    Args:
        found: left, top, right, bottom, shape (found, 4).
        known: the same, shape (known, 4).
        crowds: which known ones are crowds, shape (known,).

    Returns:
        Shape (found, known), from 0 to 1.

    Example:
        >>> overlaps(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2], [0, 0, 4, 4]])).round(3).tolist()
        [[0.333, 0.25]]
    """
    found, known = np.asarray(found, dtype=np.float64), np.asarray(known, dtype=np.float64)
    low = np.maximum(found[:, None, :2], known[None, :, :2])
    high = np.minimum(found[:, None, 2:], known[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    own, other = _areas(found)[:, None], _areas(known)[None, :]
    whole = own + other - shared
    if crowds is not None:
        whole = np.where(crowds[None, :], own, whole)
    return np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)


def match(known: Boxes, found: Boxes) -> Matched:
    """Gives each found box, the surest first, the free known box of its class that it overlaps most.

    What is difficult, a crowd, or of another size than is looked at, is never missed, and whoever finds it is not
    blamed. Of two known boxes that a found one overlaps alike it gets the later. A crowd can be found many times, by
    what lies in it; so can what is difficult, by the boxes that overlap nothing else more.
    """
    crowds = np.zeros(len(known), dtype=bool) if known.crowd is None else known.crowd.astype(bool)
    difficult = known.pardoned & ~crowds
    counted = ~(known.pardoned[:, None] | _outside(known.places))
    scores = np.ones(len(found)) if found.scores is None else found.scores
    parts = []
    seen = np.zeros(len(known), dtype=bool)
    for label in np.unique(found.labels).tolist():
        mine = np.flatnonzero(found.labels == label)
        mine = mine[np.argsort(-scores[mine], kind="stable")][:MOST]
        theirs = np.flatnonzero(known.labels == label)
        shared = overlaps(found.places[mine], known.places[theirs], crowds[theirs])
        easy = ~difficult[theirs]
        pardons, forgiving = _pardoned(shared, difficult[theirs], easy & ~crowds[theirs])
        hits, ignored, taken = _assigned(shared[:, easy], ~counted[theirs[easy]].T, crowds[theirs[easy]], pardons)
        # What is found nowhere counts against the model only where it has the size that is looked at.
        ignored |= ~hits & _outside(found.places[mine])[:, :, None]
        seen[theirs[easy]] = taken
        seen[theirs[forgiving]] = True
        parts.append((mine, np.arange(len(mine)), hits @ _BITS, (ignored & ~hits) @ _BITS))
    order, ranks, hits, ignored = (np.concatenate(part) for part in zip(*parts, strict=True)) if parts else _EMPTY
    return Matched(
        order, found.labels[order], np.asarray(scores)[order].astype(np.float32), ranks.astype(np.uint8),
        hits.astype(np.uint16), ignored.astype(np.uint16), seen, counted,
    )  # fmt: skip


_EMPTY: Final = (*[np.empty(0, np.int64)] * 2, *[np.empty((0, len(SIZES)), np.int64)] * 2)


def _pardoned(shared: np.ndarray, difficult: np.ndarray, clean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At which thresholds each found box is of a difficult one, and the positions of those that are found so.

    A find is of what is difficult where it overlaps none of the clean boxes as much: as Pascal VOC has it, also if
    these are taken, and however many finds there are.

    Args:
        shared: overlaps of shape (found, known).
        difficult: shape (known,).
        clean: those that are neither difficult nor a crowd, shape (known,).

    Returns:
        Shape (found, thresholds), and the positions.

    Example:
        >>> shared = np.array([[0.7, 0.6], [0.6, 0.7]])
        >>> pardons, forgiving = _pardoned(shared, np.array([True, False]), np.array([False, True]))
        >>> pardons.sum(axis=1).tolist(), forgiving.tolist()
        ([5, 0], [0])
    """
    hard = np.where(difficult, shared, -1.0)
    most = hard.max(axis=1, initial=-1.0)
    nearer = most > np.where(clean, shared, -1.0).max(axis=1, initial=-1.0)
    pardons = nearer[:, None] & (most[:, None] >= _LIMITS)
    which = pardons[:, 0]
    return pardons, np.unique(hard[which].argmax(axis=1)) if which.any() else np.empty(0, np.int64)


def _assigned(
    shared: np.ndarray, pardoned: np.ndarray, crowds: np.ndarray, pardons: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hits and pardoned finds of shape (found, sizes, thresholds), and which known boxes are found at all.

    Args:
        shared: overlaps of shape (found, known).
        pardoned: which known boxes do not count, shape (sizes, known).
        crowds: which of them can be found many times, shape (known,).
        pardons: where a find is pardoned whatever else it overlaps, shape (found, thresholds).
    """
    shape = (len(SIZES), len(OVERLAPS))
    hits, ignored = np.zeros((2, len(shared), *shape), dtype=bool)
    ignored |= pardons[:, None]
    free = np.ones((*shape, shared.shape[1]), dtype=bool)
    taken = np.zeros(shared.shape[1], dtype=bool)
    sizes, thresholds = np.indices(shape)
    for place in np.flatnonzero(shared.max(axis=1, initial=0) >= _LIMITS[0]).tolist():
        near = free & (shared[place] >= _LIMITS[:, None]) & ~pardons[place][:, None]
        usual = near & ~pardoned[:, None, :]
        counts = usual.any(axis=2)
        wanted = np.where(counts[:, :, None], usual, near)
        best = wanted.shape[2] - 1 - np.where(wanted, shared[place], -1)[:, :, ::-1].argmax(axis=2)
        there = wanted.any(axis=2)
        hits[place], ignored[place] = counts, ignored[place] | (there & ~counts)
        free[sizes[there], thresholds[there], best[there]] = crowds[best[there]]
        taken[best[0, 0]] |= there[0, 0]
    return hits, ignored, taken


def _outside(places: np.ndarray) -> np.ndarray:
    """Which boxes have another size than is looked at, shape (boxes, sizes)."""
    areas = _areas(np.asarray(places, dtype=np.float64))[:, None]
    return (areas < _AREAS[:, 0]) | (areas > _AREAS[:, 1])


def _areas(places: np.ndarray) -> np.ndarray:
    return (places[:, 2] - places[:, 0]) * (places[:, 3] - places[:, 1])
