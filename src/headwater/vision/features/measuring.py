"""Measures how well features serve: the same views of the same images, for the model and its baselines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import torch
from torch.nn import functional

from headwater.data.naming import text_of
from headwater.data.pictures import Picture
from headwater.evaluation.features import Measured
from headwater.evaluation.sample import RowSample
from headwater.evaluation.views import effective_rank, found_again, spread
from headwater.ranking.neighbours import NEIGHBOURS, leave_one_out
from headwater.vision.features.pretrainer import Pretrainer, features_of, fixed_views
from headwater.vision.features.views import Twins
from headwater.vision.pixels import decoded

MOST: Final = 1024
"""The images that are measured among one another; of more, as many drawn at random."""
_AT_ONCE: Final = 128
_SMALL: Final = 8
_Views = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
Features = dict[str, np.ndarray]
"""Of each who answers, the model first, an array whose first axis is the images."""


class FeatureTally:
    """A stream of images, of which at most `MOST` are measured.

    Args:
        pretrainer: the model.
        name: what to call it.
    """

    def __init__(self, pretrainer: Pretrainer, name: str) -> None:
        self._pretrainer, self._name = pretrainer, name
        self._sample = RowSample(MOST, seed=0)

    @property
    def rows(self) -> int:
        """How many images came."""
        return self._sample.seen

    def update(self, pictures: Sequence[Picture], labels: Sequence[Any]) -> None:
        """Takes images, each with its label or None."""
        if pictures:
            self._sample.update({"pictures": _objects(pictures), "labels": _objects(labels)})

    def measured(self) -> Measured:
        """What the images tell."""
        pictures, labels = (self._sample.columns[name].tolist() for name in ("pictures", "labels"))
        whole, first, second = seen(self._pretrainer, self._name, pictures)
        return Measured(
            found={name: found_again(first[name], second[name]) for name in whole},
            right=_known_by_neighbours(whole, labels),
            varied={name: (spread(values), effective_rank(values)) for name, values in whole.items()},
        )


def seen(pretrainer: Pretrainer, name: str, pictures: Sequence[Picture]) -> tuple[Features, Features, Features]:
    """Features of images as they are, of their first and of their second views, by the model and its baselines.

    The baselines are the network as it was before it learnt, and small pixels of 8 by 8.

    Args:
        pretrainer: the model.
        name: what to call it.
        pictures: readable ones.
    """
    blank: Any = None
    parts: list[list[Features]] = [[], [], []]
    for views in _views(pretrainer, pictures):
        blank = blank or pretrainer.untrained(views[0])
        for found, view in zip(parts, views, strict=True):
            found.append({
                name: features_of(pretrainer.encoder.network.eval(), pretrainer, view),
                "untrained network": features_of(blank, pretrainer, view),
                "small pixels": functional.adaptive_avg_pool2d(view, _SMALL).flatten(1).numpy(),
            })  # fmt: skip
    whole, first, second = (_joined(found) for found in parts)
    return whole, first, second


def known_again(pretrainer: Pretrainer, pictures: Sequence[Picture]) -> np.ndarray:
    """Whether the model knows each image again among those of its part of the rows, shape (rows,).

    The parts are as large as one another: in a small one nearly every image would be known.
    """
    found = [np.zeros(0)]
    for rows in _parts(len(pictures), MOST):
        parts = [
            [features_of(pretrainer.encoder.network.eval(), pretrainer, view) for view in views[1:]]
            for views in _views(pretrainer, pictures[rows])
        ]
        first, second = (np.concatenate(part) for part in zip(*parts, strict=True))
        found.append(found_again(first, second))
    return np.concatenate(found)


def _views(pretrainer: Pretrainer, pictures: Sequence[Picture]) -> Iterator[_Views]:
    """Some images at a time as they are, and two views of each."""
    for start in range(0, len(pictures), _AT_ONCE):
        pixels = decoded(pictures[start : start + _AT_ONCE], pretrainer.encoder.reading.side, grey=False)
        whole, _ = fixed_views(pixels, Twins(), 0)
        yield whole, *fixed_views(pixels, pretrainer.twin_views, pretrainer.seed + start)


def _parts(rows: int, most: int) -> list[slice]:
    """Rows cut into as few parts of at most so many as there can be, whose sizes differ by one at most.

    Example:
        >>> _parts(5, 4), _parts(4, 4), _parts(0, 4)
        ([slice(0, 3, None), slice(3, 5, None)], [slice(0, 4, None)], [])
    """
    found = np.array_split(np.arange(rows), max(1, math.ceil(rows / most)))
    return [slice(int(part[0]), int(part[-1]) + 1) for part in found if len(part)]


def _joined(parts: list[Features]) -> Features:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _known_by_neighbours(features: Features, labels: Sequence[Any]) -> Features:
    """Whether the labels of the nearest images tell that of each image.

    Nothing without two classes of labels, nor where those who vote are more than half of the images: were they all, the
    vote would be that of the other classes, however good the features are.
    """
    rows = [row for row, label in enumerate(labels) if label is not None]
    classes, targets = np.unique([text_of(labels[row]) for row in rows], return_inverse=True)
    if len(classes) < 2 or len(rows) < 2 * NEIGHBOURS:
        return {}
    return {name: leave_one_out(values[rows], targets) for name, values in features.items()}


def _objects(values: Sequence[Any]) -> np.ndarray:
    found = np.empty(len(values), object)
    found[:] = list(values)
    return found
