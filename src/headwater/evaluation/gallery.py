"""Pictures with what is known of them and what was found: some drawn by chance, and the gravest mistakes."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from headwater.data.boxes import Boxes
from headwater.data.pictures import Picture, glance
from headwater.evaluation.matching import OVERLAPS, Matched, overlaps
from headwater.evaluation.showing import shown

EXAMPLES, MISTAKES = 12, 10
NOTHING: Final = "nothing there"
_SIDES: Final = {"example": 320, "mistake": 224}
_MOST_BOXES: Final = 80
_OF_ONE: Final = 3
"""The mistakes of one kind that are kept of a picture: another's may tell more."""
_NEAR: Final = 0.1


class _Seen(NamedTuple):
    """One picture as it was counted."""

    picture: Picture
    known: Boxes
    found: Boxes
    matched: Matched
    place: str | None

    @property
    def right(self) -> np.ndarray:
        """Which found boxes are of a known one, shape (found,)."""
        flags = np.zeros(len(self.found), dtype=bool)
        flags[self.matched.found] = (self.matched.hits[:, 0] & 1) > 0
        return flags

    @property
    def wrong(self) -> np.ndarray:
        """Which found boxes are of none, and not pardoned."""
        flags = np.zeros(len(self.found), dtype=bool)
        flags[self.matched.found] = ((self.matched.hits | self.matched.ignored)[:, 0] & 1) == 0
        return flags


Kept = list[tuple[float, int, int, _Seen]]
"""A heap of pictures: by what they are kept, their number, the box that it is about."""


class Gallery:
    """Keeps some pictures of a stream, in memory that does not grow with it.

    Args:
        seed: of the draw of examples.
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._rows = 0
        self._examples: Kept = []
        self._wrong: Kept = []
        self._missed: Kept = []

    def update(
        self, pictures: Sequence[Picture], known: Sequence[Boxes], found: Sequence[Boxes], told: Sequence[Matched],
        places: Sequence[str],
    ) -> None:  # fmt: skip
        """Looks at some pictures, with what `BoxTally.update` told of each, and where each stands."""
        for one in map(_Seen, pictures, known, found, told, [place or None for place in places]):
            self._keep(self._examples, EXAMPLES, float(self._random.random()), -1, one)
            scores = np.ones(len(one.found)) if one.found.scores is None else one.found.scores
            for box in np.flatnonzero(one.wrong)[:_OF_ONE].tolist():
                self._keep(self._wrong, MISTAKES, float(scores[box]), box, one)
            lost = np.flatnonzero(one.matched.counted[:, 0] & ~one.matched.seen)
            for box in lost[np.argsort(-one.known.areas[lost], kind="stable")][:_OF_ONE].tolist():
                self._keep(self._missed, MISTAKES, float(one.known.areas[box]), box, one)
            self._rows += 1

    def examples(self, classes: Sequence[Any], threshold: float) -> list[dict[str, Any]]:
        """Some pictures with all known boxes and those that were found with this score or more."""
        kept = sorted(self._examples, key=lambda one: one[1], reverse=True)
        return [_drawn(one, [*_known(one, classes), *_found(one, classes, threshold)], "example") for *_, one in kept]

    def mistakes(self, classes: Sequence[Any], threshold: float) -> list[dict[str, Any]]:
        """The boxes of nothing that the model was surest of, and the largest things that it did not find at all."""
        rows = []
        for score, _, box, one in sorted(self._wrong, key=lambda kept: kept[:3], reverse=True):
            marks = [*_known(one, classes), _mark(one.found, box, classes, "wrong")]
            rows.append({
                "input": _drawn(one, marks, "mistake"), "target": _really(one, box, classes),
                "prediction": classes[int(one.found.labels[box])], "confidence": score, "place": one.place,
            })  # fmt: skip
        for _, _, box, one in sorted(self._missed, key=lambda kept: kept[:3], reverse=True):
            marks = [*_found(one, classes, threshold), _mark(one.known, box, classes, "missed")]
            rows.append({
                "input": _drawn(one, marks, "mistake"), "target": classes[int(one.known.labels[box])],
                "prediction": "not found", "confidence": None, "place": one.place,
            })  # fmt: skip
        return rows

    def _keep(self, kept: Kept, size: int, rank: float, box: int, one: _Seen) -> None:
        entry = (rank, -self._rows, box, one)
        if len(kept) < size:
            heapq.heappush(kept, entry)
        elif entry[:3] > kept[0][:3]:
            heapq.heapreplace(kept, entry)


def _drawn(one: _Seen, marks: list[dict[str, Any]], what: str) -> dict[str, Any]:
    """A picture with boxes on it, as the report holds it."""
    size = glance(one.picture)
    return {**shown(one.picture, side=_SIDES[what]), "width": size.width, "height": size.height,
            "boxes": marks[-_MOST_BOXES:]}  # fmt: skip


def _known(one: _Seen, classes: Sequence[Any]) -> list[dict[str, Any]]:
    kinds = np.where(one.matched.counted[:, 0] & ~one.matched.seen, "missed", "known")
    return [_mark(one.known, box, classes, str(kind)) for box, kind in enumerate(kinds)]


def _found(one: _Seen, classes: Sequence[Any], threshold: float) -> list[dict[str, Any]]:
    scores = np.ones(len(one.found)) if one.found.scores is None else one.found.scores
    kinds = np.where(one.wrong, "wrong", "right")
    shown_boxes = np.flatnonzero((one.right | one.wrong) & (scores >= threshold)).tolist()
    return [_mark(one.found, box, classes, str(kinds[box])) for box in shown_boxes]


def _mark(boxes: Boxes, box: int, classes: Sequence[Any], kind: str) -> dict[str, Any]:
    score = None if boxes.scores is None else round(float(boxes.scores[box]), 3)
    place = [round(edge, 1) for edge in boxes.places[box].tolist()]
    return {"kind": kind, "label": classes[int(boxes.labels[box])], "score": score, "place": place}


def _really(one: _Seen, box: int, classes: Sequence[Any]) -> Any:
    """What is where a wrong box is: a class, or why a box of that class there is wrong."""
    shared = overlaps(one.found.places[[box]], one.known.places)[0]
    if not len(shared) or shared.max() < _NEAR:
        return NOTHING
    nearest = int(shared.argmax())
    if one.known.labels[nearest] != one.found.labels[box]:
        return classes[int(one.known.labels[nearest])]
    return "the same one, found twice" if shared[nearest] >= OVERLAPS[0] else "the same one, placed elsewhere"
