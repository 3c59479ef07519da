"""The field of boxes: how the cells of a column become the known boxes of pictures, and which boxes cannot be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from headwater.data.box_cells import CORNERS, Things, things_of
from headwater.data.box_frames import Frame, convention, frames
from headwater.data.boxes import Boxes, no_boxes
from headwater.data.naming import classes_of, text_of
from headwater.data.records import Flaws, Records
from headwater.data.turns import not_told
from headwater.errors import unknown

_CLIPPED: Final = 0.01
"""Pixels beyond the edge that no one asks about: half a number that was rounded."""
_SMALLEST: Final = 16
"""Pixels along both edges from which on a picture has no thing that lies within its first pixel."""
_SAMPLE: Final = 500
_NUMBERS: Final = "{:g}, {:g} to {:g}, {:g}"


@dataclass(frozen=True)
class _Checked:
    """The boxes of all rows that can be used, in order, and why others cannot.

    Attributes:
        things: as they were read, places as corners within the picture.
        good: the positions of those that can be used.
        wrong: the reasons of the others, by position.
        clipped: how many reached beyond the edge.
        reasons: why a row cannot be used, by row.
    """

    things: Things
    places: np.ndarray
    good: np.ndarray
    wrong: dict[int, str]
    clipped: int
    reasons: dict[int, str]


@dataclass(frozen=True)
class Located:
    """The boxes of each picture: a list of them a row, each with its class and its place in pixels.

    A box without area, with a number that is none, or outside of its picture is set aside alone: its row stays. One
    that reaches beyond the edge ends there. Where the columns `width` and `height` tell another size than the picture
    has, the row is set aside; where they tell that of the picture before its EXIF turned it, the boxes turn with it. So
    do those of pictures that EXIF mirrors or puts upside down, whose size tells nothing, where all such rows agree.

    Attributes:
        columns: the column of boxes.
        classes: the names of the classes.
        image: the column of pictures.
        corners: whether four bare numbers are left, top, right, bottom, and not left, top, width, height.
        lying: whether boxes were drawn on files as they lie, before EXIF turns them; None where the data does not tell.

    Example:
        >>> import pyarrow as pa
        >>> cells = [[{"label": "cat", "bbox": [1, 1, 4, 2]}, {"label": "dog", "bbox": [1, 1, 0, 2]}], []]
        >>> records = Records(pa.table({"objects": pa.array(cells)}))
        >>> field = Located(("objects",), ("cat",))
        >>> field.cells(records), str(field.flaws(records).problems[0])
        ([['cat'], []], 'box 2 (dog) has no area: 1, 1 to 1, 3')
        >>> field.answers(records)[0][0].places.tolist()
        [[1.0, 1.0, 5.0, 3.0]]
    """

    columns: tuple[str, ...]
    classes: tuple[Any, ...] = ()
    image: str = "image"
    corners: bool = False
    lying: bool | None = None
    several = True
    lack = "the boxes are missing (write [] where there is nothing in the picture)"

    def learn(self, cells: Sequence[Any]) -> Located:
        """The field with the classes that occur in its cells."""
        found = classes_of([label for cell in cells if cell is not None for label in cell])
        return replace(self, classes=found)

    def cells(self, records: Records) -> list[Any]:
        """The labels of each row's boxes, one a box; None where there are no boxes that can be read."""
        checked = self._checked(records)
        cells: list[Any] = [[] for _ in range(len(records))]
        for row in (*checked.reasons, *records.problems):
            cells[row] = None
        rows = checked.things.rows
        for thing in checked.good.tolist():
            if (cell := cells[rows[thing]]) is not None:
                cell.append(checked.things.labels[thing])
        return cells

    def encode(self, cells: Sequence[Any]) -> tuple[np.ndarray, dict[int, str]]:
        """How many boxes of each class a row has, shape (rows, classes), and the reasons for rows of other classes."""
        index = {text_of(value): position for position, value in enumerate(self.classes)}
        counts = np.zeros((len(cells), len(self.classes)), dtype=np.float32)
        reasons: dict[int, str] = {}
        for row, cell in enumerate(cells):
            if cell is None:
                reasons[row] = self.lack
                continue
            for label, number in Counter(map(text_of, cell)).items():
                if label in index:
                    counts[row, index[label]] = number
                else:
                    reasons[row] = _unknown(label)
        return counts, reasons

    def lacking(self, records: Records) -> dict[int, str]:
        """Why a row has no boxes that can be read, by row."""
        return {row: reason for row, reason in self._checked(records).reasons.items() if row not in records.problems}

    def answers(self, records: Records) -> tuple[list[Boxes | None], dict[int, str]]:
        """The boxes of each row, None where there are none that can be used, and the reason for each None.

        A row with a label that is none of `classes` has none: what else is in its picture is not known in whole.
        """
        checked = self._checked(records)
        things, good = checked.things, checked.good
        index = {text_of(value): position for position, value in enumerate(self.classes)}
        labels = np.array([index.get(text_of(things.labels[thing]), -1) for thing in good.tolist()], dtype=np.int64)
        reasons = {row: reason for row, reason in checked.reasons.items() if row not in records.problems}
        for thing in good[labels < 0].tolist():
            reasons.setdefault(int(things.rows[thing]), _unknown(things.labels[thing]))
        answers: list[Boxes | None] = []
        starts = np.searchsorted(things.rows[good], np.arange(len(records) + 1))
        for row, (start, end) in enumerate(zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)):
            here = good[start:end]
            places = checked.places[here].astype(np.float32)
            hard, crowd = (marks if marks.any() else None for marks in (things.difficult[here], things.crowd[here]))
            boxes = Boxes(places, labels[start:end], difficult=hard, crowd=crowd) if end > start else None
            answers.append(None if row in reasons or row in records.problems else boxes or no_boxes())
        return answers, reasons

    def flaws(self, records: Records) -> Flaws:
        """The boxes that cannot be used, of rows that can."""
        checked = self._checked(records)
        names = records.column(self.image) if self.image in records.columns else [None] * len(records)
        first = np.searchsorted(checked.things.rows, np.arange(len(records)))
        problems = []
        for thing, reason in sorted(checked.wrong.items()):
            row = int(checked.things.rows[thing])
            if row in checked.reasons or row in records.problems:
                continue
            label = checked.things.labels[thing]
            told = f"box {thing - int(first[row]) + 1}{'' if label is None else f' ({text_of(label)})'}"
            problems.append(records.problem(row, f"{told}{_of(names[row])} {reason}"))
        return Flaws(problems, len(checked.things), checked.clipped)

    def cautions(self, records: Records) -> list[str]:
        """What was assumed of boxes and cannot be known, a sentence each."""
        unknown_turns = convention(records, self.image)[1] if self.lying is None else 0
        return [not_told(unknown_turns, "boxes")] if unknown_turns else []

    def listed(self, found: Boxes) -> list[dict[str, Any]]:
        """Boxes as the rows of an answer: label, score where there is one, and the four edges in pixels."""
        scores = [None] * len(found) if found.scores is None else found.scores.tolist()
        return [
            {"label": self.classes[label], **({} if score is None else {"score": round(score, 4)}),
             **{corner: round(edge, 2) for corner, edge in zip(CORNERS, place, strict=True)}}
            for label, score, place in zip(found.labels.tolist(), scores, found.places.tolist(), strict=True)
        ]  # fmt: skip

    def _checked(self, records: Records) -> _Checked:
        column = self.columns[0]
        if column not in records.columns:
            raise unknown("column", column, records.columns, where=records.name)
        things = things_of(records.table.column(column), column)
        reasons = {int(row): self.lack for row in things.missing} | things.reasons
        seen, wrong_frames = frames(records, self.image, lying=bool(self.lying))
        reasons = {**wrong_frames, **reasons}
        places = _corners(things, by_corners=self.corners)
        places = _turned(things.rows, places, seen)
        sizes = np.array([(one.width, one.height) for one in seen], dtype=np.float64).reshape(-1, 2)[things.rows]
        wrong = _wrong(things, places, sizes)
        limits = np.where(np.isfinite(sizes), sizes, np.inf)
        inside = np.clip(places, 0, np.concatenate([limits, limits], axis=1))
        good = np.setdiff1d(np.arange(len(things)), list(wrong))
        cut = (np.abs(inside - places)[good] > _CLIPPED).any(axis=1)
        return _Checked(things, inside, good, wrong, int(cut.sum()), reasons)


def field_of_boxes(records: Records, column: str, image: str) -> Located:
    """The field of a column of boxes, which looks at them to see what four bare numbers mean and what they are of.

    Args:
        records: rows with pictures.
        column: the column of boxes.
        image: the column of pictures.
    """
    field = Located((column,), image=image, lying=convention(records, image)[0])
    return replace(field, corners=_mean_corners(field, records.take(records.usable[:_SAMPLE])))


def _mean_corners(field: Located, records: Records) -> bool:
    """Whether four bare numbers must be corners: as sizes many boxes leave their pictures, as corners none does."""
    things = things_of(records.table.column(field.columns[0]), field.columns[0])
    bare = np.flatnonzero(things.open_order & np.isfinite(things.places).all(axis=1))
    seen, _ = frames(records, field.image)
    sizes = np.array([(one.width, one.height) for one in seen], dtype=np.float64).reshape(-1, 2)[things.rows[bare]]
    numbers = things.places[bare]
    known = np.isfinite(sizes).all(axis=1)
    numbers, sizes = numbers[known], sizes[known]
    beyond = (numbers[:, :2] + numbers[:, 2:] > sizes + 1).any(axis=1)
    fitting = (numbers[:, 2:] >= numbers[:, :2]).all(axis=1) & (numbers[:, 2:] <= sizes + 1).all(axis=1)
    return bool(len(numbers)) and bool(fitting.all()) and bool(beyond.mean() > 0.1)


def _corners(things: Things, *, by_corners: bool) -> np.ndarray:
    """Left, top, right and bottom of each, shape (things, 4)."""
    if by_corners:
        return things.places.copy()
    places = things.places.copy()
    places[things.open_order, 2:] += places[things.open_order, :2]
    return places


def _turned(rows: np.ndarray, places: np.ndarray, seen: Sequence[Frame]) -> np.ndarray:
    """The places in pictures as a person sees them."""
    lying = {row for row, frame in enumerate(seen) if frame.orientation != 1}
    for thing in np.flatnonzero(np.isin(rows, list(lying))).tolist() if lying else ():
        places[thing] = seen[rows[thing]].turned(places[thing])
    return places


def _wrong(things: Things, places: np.ndarray, sizes: np.ndarray) -> dict[int, str]:
    """Why a box cannot be used, by its position; `sizes` are not-a-number where a picture cannot be read."""
    left, top, right, bottom = places.T
    wrong = dict(things.flaws)
    of_one = ((things.places >= 0) & (things.places <= 1)).all(axis=1) & (sizes >= _SMALLEST).all(axis=1)
    faults = {
        "has no place: four numbers are needed": ~np.isfinite(places).all(axis=1),
        "has its edges in the wrong order": (right < left) | (bottom < top),
        "has no area": (right <= left) | (bottom <= top),
        "lies within the first pixel, as shares of width and height would (pixels are needed)": of_one,
        "is outside of the picture": (right <= 0) | (bottom <= 0) | (left >= sizes[:, 0]) | (top >= sizes[:, 1]),
    }
    for fault, there in faults.items():
        for thing in np.flatnonzero(there).tolist():
            numbers = "" if fault.startswith("has no place") else f": {_NUMBERS.format(*places[thing])}"
            wrong.setdefault(thing, f"{fault}{numbers}")
    for thing, label in enumerate(things.labels):
        if label is None:
            wrong.setdefault(thing, "has no label")
    return wrong


def _of(picture: Any) -> str:
    """The name of a picture within a sentence."""
    if isinstance(picture, Mapping):
        picture = picture.get("path")
    return f" of {picture}" if isinstance(picture, str) else ""


def _unknown(label: Any) -> str:
    return f"the label {text_of(label)!r} was not in training"
