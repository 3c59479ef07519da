"""The most confident mistakes of a stream of predictions."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

_LONGEST_TEXT = 1000


class Mistakes:
    """Keeps the wrong answers that the model was surest of, in memory that does not grow with the rows.

    Example:
        >>> kept = Mistakes(1)
        >>> kept.update(["fine", "bad"], ["pos", "neg"], ["neg", "pos"], [0.6, 0.9])
        >>> kept.rows()
        [{'input': 'bad', 'target': 'neg', 'prediction': 'pos', 'confidence': 0.9, 'place': None}]
    """

    def __init__(self, size: int = 20) -> None:
        self.size = size
        self._heap: list[tuple[float, int, dict[str, Any]]] = []
        self._seen = 0

    def update(
        self,
        inputs: Sequence[Any],
        targets: Sequence[Any],
        predictions: Sequence[Any],
        confidences: Sequence[float],
        places: Sequence[str | None] | None = None,
    ) -> None:
        """Looks at some rows; `places` says where each came from, such as `reviews.csv:17`."""
        for row, (target, prediction) in enumerate(zip(targets, predictions, strict=True)):
            self._seen += 1
            if target != prediction:
                rank = (float(confidences[row]), -self._seen)
                if len(self._heap) == self.size and rank <= self._heap[0][:2]:
                    continue
                place = None if places is None else places[row]
                self._keep(rank, _row(inputs[row], target, prediction, rank[0], place))

    def rows(self) -> list[dict[str, Any]]:
        """The mistakes as the report shows them, the surest first."""
        return [row for *_, row in sorted(self._heap, key=lambda entry: entry[:2], reverse=True)]

    def _keep(self, rank: tuple[float, int], row: dict[str, Any]) -> None:
        push = heapq.heappush if len(self._heap) < self.size else heapq.heapreplace
        if self.size:
            push(self._heap, (*rank, row))


def _row(given: Any, target: Any, prediction: Any, confidence: float, place: str | None) -> dict[str, Any]:
    parts = given if isinstance(given, list | tuple) else [given]
    text = "\n".join(str(part) for part in parts)
    shown = text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"
    return {"input": shown, "target": target, "prediction": prediction, "confidence": confidence, "place": place}
