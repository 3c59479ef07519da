"""Mean average precision at one overlap: what a training is scored by on its validation pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from headwater.data.boxes import Boxes

_OVERLAP: Final = 0.5
_DRAWS: Final = 200


def mean_precision(found: Sequence[Boxes], known: Sequence[Boxes], overlap: float = _OVERLAP) -> float:
    """The mean over the known classes of the area under precision over recall.

    Found boxes, the surest first, each take the known box of their class that they overlap most, if it is free and the
    overlap large enough. One that takes a difficult box counts neither way. Precision at a recall is the best at that
    recall or above (Everingham et al. 2010).

    Args:
        found: of each picture, with scores.
        known: of each picture.
        overlap: the least IoU of a box that is right.

    Example:
        >>> known = Boxes(np.array([[0, 0, 4, 4], [8, 8, 9, 9]], np.float32), np.array([0, 0]))
        >>> found = Boxes(np.array([[0, 0, 4, 5], [0, 0, 1, 1]], np.float32), np.array([0, 0]), np.array([0.9, 0.2]))
        >>> mean_precision([found], [known])
        0.5
    """
    return _mean([_Judged.of(*pair, overlap) for pair in zip(found, known, strict=True)])


def interval(found: Sequence[Boxes], known: Sequence[Boxes], seed: int) -> tuple[float, float, float]:
    """The mean precision, and between which two values it lies for 95 of 100 draws of as many pictures."""
    judged = [_Judged.of(*pair, _OVERLAP) for pair in zip(found, known, strict=True)]
    random = np.random.default_rng(seed)
    rows = len(judged)
    draws = [_mean([judged[row] for row in random.integers(rows, size=rows)]) for _ in range(_DRAWS if rows else 0)]
    low, high = np.quantile(draws or [0.0], (0.025, 0.975)).tolist()
    return _mean(judged), low, high


@dataclass(frozen=True)
class _Judged:
    """The found boxes of one picture, and how many of each class there are to find.

    Attributes:
        labels, scores: of each found box.
        right: 1 where it is right, 0 where it is wrong, not-a-number where it counts neither way.
        wanted: the class of each known box that is not difficult.
    """

    labels: np.ndarray
    scores: np.ndarray
    right: np.ndarray
    wanted: np.ndarray

    @classmethod
    def of(cls, found: Boxes, known: Boxes, overlap: float) -> Self:
        scores = np.ones(len(found)) if found.scores is None else found.scores
        return cls(found.labels, scores, _right(found, scores, known, overlap), known.labels[~_difficult(known)])


def _mean(judged: Sequence[_Judged]) -> float:
    if not judged:
        return 0.0
    labels, scores, right, wanted = (
        np.concatenate([getattr(one, name) for one in judged]) for name in ("labels", "scores", "right", "wanted")
    )
    counts = ~np.isnan(right)
    areas = []
    for label, many in zip(*np.unique(wanted, return_counts=True), strict=True):
        ours = counts & (labels == label)
        areas.append(_area(scores[ours], right[ours], int(many)))
    return float(np.mean(areas)) if areas else 0.0


def _right(found: Boxes, scores: np.ndarray, known: Boxes, overlap: float) -> np.ndarray:
    """Of each found box 1 where it is right and 0 where it is wrong; not-a-number where it counts neither way."""
    right, taken, difficult = np.zeros(len(found)), np.zeros(len(known), bool), _difficult(known)
    if not len(known):
        return right
    alike = _overlaps(found.places, known.places) * (found.labels[:, None] == known.labels)
    for row in np.argsort(-scores, kind="stable"):
        best = int(alike[row].argmax())
        if alike[row, best] < overlap:
            continue
        right[row] = np.nan if difficult[best] else float(not taken[best])
        taken[best] = True
    return right


def _area(scores: np.ndarray, right: np.ndarray, wanted: int) -> float:
    order = np.argsort(-scores, kind="stable")
    hits = right[order].cumsum()
    precision = hits / np.arange(1, len(hits) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float((best * right[order]).sum() / wanted)


def _difficult(boxes: Boxes) -> np.ndarray:
    return np.zeros(len(boxes), bool) if boxes.difficult is None else boxes.difficult.astype(bool)


def _overlaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The IoU of each pair, shape (n, m)."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    common = (high - low).clip(min=0).prod(axis=2)
    sizes = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (first, second)]
    return common / np.maximum(sizes[0][:, None] + sizes[1] - common, 1e-9)
