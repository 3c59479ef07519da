"""The most confident mistakes of a stream of predictions."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from headwater.data.duplicates import place
from headwater.data.pictures import Picture
from headwater.evaluation.confusions import Confusions
from headwater.evaluation.showing import shown

if TYPE_CHECKING:
    from headwater.data.records import Records

_LONGEST_TEXT = 1000


class Mistakes:
    """Keeps the wrong answers that the model was surest of, in memory that does not grow with the rows.

    Where several labels may hold, the surest wrong label of a row counts: one that was named, or one that was not. Of
    pictures with one label each, examples of the classes that are most often confused are kept beside them.

    Example:
        >>> kept = Mistakes(1)
        >>> kept.update(["fine", "bad"], np.array([1, 0]), np.array([[0.6, 0.4], [0.1, 0.9]]))
        >>> kept.rows(("neg", "pos"))
        [{'input': 'bad', 'target': 'neg', 'prediction': 'pos', 'confidence': 0.9, 'place': None}]
    """

    def __init__(self, size: int = 20) -> None:
        self.size = size
        self._heap: list[tuple[float, int, dict[str, Any]]] = []
        self._seen = 0
        self._confusions = Confusions()

    def update(
        self, inputs: Sequence[Any], targets: np.ndarray, probabilities: np.ndarray, records: Records | None = None
    ) -> None:
        """Looks at some rows.

        Args:
            inputs: the input of each row.
            targets: class positions of shape (rows,), or zeros and ones of shape (rows, classes).
            probabilities: shape (rows, classes).
            records: what the inputs were taken from, one for each usable row, to say where a mistake stands.
        """
        several = targets.ndim == 2
        confidences = _several(targets, probabilities) if several else _single(targets, probabilities)
        predictions = (probabilities >= 0.5).astype(np.int64) if several else probabilities.argmax(axis=1)
        usable = None if records is None else records.usable
        if not several and len(inputs) and isinstance(inputs[0], Picture):
            self._confusions.update(inputs, targets, predictions, confidences)
        for row in np.argsort(-confidences, kind="stable")[: self.size].tolist():
            rank = (float(confidences[row]), -self._seen - row)
            if np.isfinite(rank[0]) and self._admits(rank):
                where = None if records is None or usable is None else place(records, int(usable[row]))
                given = shown(inputs[row], _LONGEST_TEXT, between="\n")
                found = {"input": given, "target": targets[row], "prediction": predictions[row]}
                self._keep(rank, {**found, "confidence": rank[0], "place": where})
        self._seen += len(inputs)

    def rows(self, classes: Sequence[Any]) -> list[dict[str, Any]]:
        """The mistakes as the report shows them, the surest first, with the names of the classes."""
        kept = [row for *_, row in sorted(self._heap, key=lambda entry: entry[:2], reverse=True)]
        return [{**row, **{side: _named(row[side], classes) for side in ("target", "prediction")}} for row in kept]

    def confused(self, classes: Sequence[Any]) -> list[dict[str, Any]]:
        """Of pictures, examples of the most frequent pairs of a true and a predicted class; else nothing."""
        return self._confusions.rows(classes)

    def _admits(self, rank: tuple[float, int]) -> bool:
        return len(self._heap) < self.size or rank > self._heap[0][:2]

    def _keep(self, rank: tuple[float, int], row: dict[str, Any]) -> None:
        push = heapq.heappush if len(self._heap) < self.size else heapq.heapreplace
        push(self._heap, (*rank, row))


def _single(targets: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """The confidence of each wrong answer; minus infinity for right ones."""
    return np.where(probabilities.argmax(axis=1) == targets, -np.inf, probabilities.max(axis=1, initial=-np.inf))


def _several(targets: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    named = probabilities >= 0.5
    sure = np.where(named == (targets > 0.5), -np.inf, np.where(named, probabilities, 1 - probabilities))
    return sure.max(axis=1, initial=-np.inf)


def _named(encoded: Any, classes: Sequence[Any]) -> Any:
    if np.ndim(encoded):
        return [classes[position] for position in np.flatnonzero(encoded).tolist()]
    return classes[int(encoded)]
