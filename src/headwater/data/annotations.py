"""Annotations of pictures, in whichever of the usual formats: which it is, and a row a picture with its boxes."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, NamedTuple

import numpy as np
import pyarrow as pa

from headwater.data.box_cells import CORNERS, THINGS
from headwater.data.records import Problem, Records

log = logging.getLogger("headwater")
_NO_UNICODE: Final = "the name of this file is not valid Unicode"


class Annotated(NamedTuple):
    """One picture and what is in it.

    Attributes:
        picture: its path; None where there is none.
        things: a box each, as `thing` makes them; None where nobody has looked for any.
        file: where the boxes stand, as a position in the files of the annotations.
        size: the width and height that the annotation tells.
        part: train, valid or test.
        reason: why the row cannot be used.
        stray: whether it is of no picture at all: annotations whose picture nobody names.
    """

    picture: str | None
    things: list[dict[str, Any]] | None
    file: int
    size: tuple[float, float] | None = None
    part: str | None = None
    reason: str | None = None
    stray: bool = False


def thing(
    label: str | None, place: Sequence[float] | None, *, difficult: bool = False, crowd: bool = False,
    flaw: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """One box as a cell holds it: left, top, right and bottom in pixels, or why it has none.

    Example:
        >>> thing("cat", None, flaw="has no place")["flaw"]
        'has no place'
    """
    corners = dict(zip(CORNERS, place if place is not None else [None] * 4, strict=True))
    return {"label": label, **corners, "difficult": difficult, "flaw": flaw, "crowd": crowd}


@dataclass(frozen=True)
class Annotations(ABC):
    """The annotations of a folder, an archive or a file.

    Attributes:
        kind: the name of their format.
        name: what to call the data in messages.
        files: the files that boxes stand in.
        rows: how many pictures there are.
        divided: whether each is said to be in train, valid or test.
    """

    kind: ClassVar[str]

    name: str
    files: tuple[str, ...]
    rows: int
    divided: bool

    @abstractmethod
    def part(self, here: slice) -> list[Annotated]:
        """Some of the pictures."""

    def records(self, size: int) -> Iterator[Records]:
        """A row a picture, in parts of at most `size`: columns `image`, `objects` and what else is told."""
        log.info("%s: %s annotations of %s images", self.name, self.kind, f"{self.rows:,}")
        for start in range(0, max(self.rows, 1), size):
            yield self._records(self.part(slice(start, start + size)))

    def pictures(self, size: int) -> Iterator[Records]:
        """A row a picture, each once, in parts of at most `size`: column `image` alone, whatever is annotated of it."""
        seen: set[str] = set()
        for start in range(0, max(self.rows, 1), size):
            bare: list[Annotated] = []
            for one in self.part(slice(start, start + size)):
                if not one.stray and one.picture not in seen:
                    bare.append(one._replace(things=None, reason=None if one.picture else one.reason))
                    seen.update([one.picture] if one.picture else [])
            records = self._records(bare)
            yield replace(records, table=records.table.select(["image"]))

    def _records(self, rows: list[Annotated]) -> Records:
        reasons = {row: one.reason or _NO_UNICODE for row, one in enumerate(rows)
                   if one.reason or not _is_unicode(one.picture)}  # fmt: skip
        sizes = [(one.size or (None, None)) for one in rows]
        columns: Mapping[str, pa.Array] = {
            "image": pa.array([None if row in reasons else one.picture for row, one in enumerate(rows)], pa.string()),
            "objects": pa.array([_valid(one.things) for one in rows], THINGS),
            "width": pa.array([width for width, _ in sizes], pa.float64()),
            "height": pa.array([height for _, height in sizes], pa.float64()),
        }
        if self.divided:
            columns = {**columns, "split": pa.array([one.part for one in rows], pa.string())}
        table = pa.table(dict(columns))
        if reasons:
            table = table.take(pa.array([None if row in reasons else row for row in range(len(rows))], pa.int64()))
        file_of = np.array([one.file for one in rows], dtype=np.int64)
        problems = {row: Problem(reason, self.files[rows[row].file]) for row, reason in reasons.items()}
        return Records(table, problems, self.name, self.files, file_of)


def _is_unicode(text: str | None) -> bool:
    try:
        (text or "").encode()
    except UnicodeEncodeError:
        return False
    return True


def _valid(things: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    """Things whose texts Arrow can hold: what JSON escapes may be half a character."""
    for one in things or ():
        for name in ("label", "flaw"):
            if not _is_unicode(one[name]):
                one[name] = one[name].encode("utf-8", "replace").decode()
    return things
