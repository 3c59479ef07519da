"""Pictures of one class that were taken for another, of the classes that are most often confused."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from headwater.data.pictures import Picture
from headwater.evaluation.showing import shown

_PAIRS, _EXAMPLES, _SHOWN = 30, 3, 6
_SIDE: Final = 64
"""Pixels along the longer edge of an example."""

Pair = tuple[int, int]
"""The positions of the true and of the predicted class."""


class Confusions:
    """Keeps, of the most frequent pairs of classes, the wrong answers that the model was surest of.

    Every pair is counted, as in a confusion matrix; pictures are kept of 30 pairs at a time, three of each. A pair that
    becomes more frequent than the rarest of them takes its place: memory does not grow with the rows.

    Example:
        >>> kept = Confusions()
        >>> kept.update([Picture("a.png"), Picture("b.png")], np.array([0, 0]), np.array([1, 1]), np.array([0.6, 0.9]))
        >>> [(one["target"], one["prediction"], one["count"]) for one in kept.rows(("cat", "dog"))]
        [('cat', 'dog', 2)]
        >>> [example["text"] for example in kept.rows(("cat", "dog"))[0]["examples"]]
        ['b.png', 'a.png']
    """

    def __init__(self) -> None:
        self._counts: Counter[Pair] = Counter()
        self._kept: dict[Pair, list[tuple[float, int, Picture]]] = {}
        self._seen = 0

    def update(
        self, inputs: Sequence[Picture], targets: np.ndarray, predictions: np.ndarray, confidences: np.ndarray
    ) -> None:
        """Looks at some rows.

        Args:
            inputs: the picture of each row.
            targets: class positions of shape (rows,).
            predictions: class positions of shape (rows,).
            confidences: of the wrong answers, shape (rows,); minus infinity for right ones.
        """
        for row in np.flatnonzero(np.isfinite(confidences)).tolist():
            pair = (int(targets[row]), int(predictions[row]))
            self._counts[pair] += 1
            if self._admits(pair):
                self._keep(pair, (float(confidences[row]), -self._seen - row, inputs[row]))
        self._seen += len(inputs)

    def rows(self, classes: Sequence[Any]) -> list[dict[str, Any]]:
        """The most frequent pairs as the report shows them, each with its examples, the surest first."""
        frequent = sorted(self._kept, key=lambda pair: (-self._counts[pair], pair))[:_SHOWN]
        return [
            {
                "target": classes[pair[0]], "prediction": classes[pair[1]], "count": self._counts[pair],
                "examples": [
                    {**shown(picture, side=_SIDE), "confidence": confidence}
                    for confidence, _, picture in sorted(self._kept[pair], key=lambda one: one[:2], reverse=True)
                ],
            }
            for pair in frequent
        ]  # fmt: skip

    def _admits(self, pair: Pair) -> bool:
        if pair not in self._kept and len(self._kept) == _PAIRS:
            rarest = min(self._kept, key=self._counts.__getitem__)
            if self._counts[pair] <= self._counts[rarest]:
                return False
            del self._kept[rarest]
        self._kept.setdefault(pair, [])
        return True

    def _keep(self, pair: Pair, found: tuple[float, int, Picture]) -> None:
        examples = self._kept[pair]
        if len(examples) < _EXAMPLES:
            heapq.heappush(examples, found)
        elif found[:2] > examples[0][:2]:
            heapq.heapreplace(examples, found)
