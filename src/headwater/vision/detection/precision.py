"""Mean average precision at one overlap: what a training is scored by on its validation pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from headwater.data.boxes import Boxes
from headwater.evaluation.matching import match
from headwater.evaluation.precision import Ranked, spread

_DRAWS: Final = 200


def mean_precision(found: Sequence[Boxes], known: Sequence[Boxes]) -> float:
    """The primary metric of detection, mAP50, without anything around it; 0 where no box is known.

    Args:
        found: of each picture, with scores.
        known: of each picture.

    Example:
        >>> known = Boxes(np.array([[0, 0, 4, 4], [8, 8, 9, 9]], np.float32), np.array([0, 1]))
        >>> found = Boxes(np.array([[0, 0, 4, 5], [0, 0, 1, 1]], np.float32), np.array([0, 1]), np.array([0.9, 0.2]))
        >>> mean_precision([found], [known])
        0.5
    """
    return float(np.mean([ranked.average_precision() for ranked in _ranked(found, known)] or [0.0]))


def interval(found: Sequence[Boxes], known: Sequence[Boxes], seed: int) -> tuple[float, float, float]:
    """The mean precision, and between which two values it lies for 95 of 100 draws of as many pictures."""
    classes = _ranked(found, known)
    if not classes:
        return 0.0, 0.0, 0.0
    weights = spread(len(known), _DRAWS, seed)
    drawn = np.array([ranked.resampled(weights) for ranked in classes])
    there = np.isfinite(drawn)
    means = np.where(there, drawn, 0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    low, high = np.quantile(means, (0.025, 0.975)).tolist()
    return mean_precision(found, known), low, high


def _ranked(found: Sequence[Boxes], known: Sequence[Boxes]) -> list[Ranked]:
    """The found boxes of each class that has known ones, the surest first."""
    told = [match(*pair) for pair in zip(known, found, strict=True)]
    if not told:
        return []
    labels, scores, hits, ignored = (
        np.concatenate([getattr(one, name) for one in told]) for name in ("labels", "scores", "hits", "ignored")
    )
    pictures = np.repeat(np.arange(len(told)), [len(one.labels) for one in told])
    wanted = [boxes.labels[one.counted[:, 0]] for boxes, one in zip(known, told, strict=True)]
    order = np.argsort(-scores, kind="stable")
    classes = []
    for label in np.unique(np.concatenate(wanted)):
        mine = order[labels[order] == label]
        counts = np.array([int((one == label).sum()) for one in wanted])
        classes.append(Ranked((hits[mine, 0] & 1) > 0, (ignored[mine, 0] & 1) == 0, pictures[mine], counts))
    return classes
