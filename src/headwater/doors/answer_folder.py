"""Answers that are pictures, as a folder: one file an image, and a table that says which is whose."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from headwater import options
from headwater.doors import outputs
from headwater.errors import ResourceError, SettingError
from headwater.run import write_whole

if TYPE_CHECKING:
    from headwater.application import Application
    from headwater.data.pictures import Picture

MANIFEST: Final = "manifest.csv"
UNFINISHED: Final = "manifest.unfinished.csv"
_MOST_BYTES: Final = 200
_PARTIAL: Final = re.compile(r"\.(.+)\.\d+\.partial")
"""What `write_whole` leaves of a file where it is killed."""


class Answered(NamedTuple):
    """One image and its answer.

    Attributes:
        number: of the row, from 1.
        name: the path of the image; empty for one that has none.
        picture: the image; None where it cannot be read.
        answer: as `predict` gives it; None where there is none.
        reason: why there is none.
    """

    number: int
    name: str
    picture: Picture | None
    answer: Any
    reason: str | None


@dataclass(frozen=True)
class Kind:
    """What the files of a folder are.

    Attributes:
        what: what they are called, in the plural.
        column: the column of the table that names them.
        suffix: how their names end.
        file: what is written of an image and its answer.
        beside: further files by name.
        more: further columns of the table: what each says of an image and its answer.
    """

    what: str
    column: str
    suffix: str
    file: Callable[[Answered], bytes]
    beside: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Callable[[Answered], str]] = field(default_factory=dict)


def write(application: Application, data: Any, folder: Path, kind: Kind) -> str:
    """Writes a file for every image, named as the image is, and the table.

    Args:
        application: what answers.
        data: anything it predicts for.
        folder: a new or empty folder, or one that this wrote before.
        kind: what is written.

    Returns:
        What was written, in words: how many files, how many images have none, and the first reason.

    Raises:
        SettingError: the folder holds other files, or is among the data or above them.
        ResourceError: it cannot be written.
        DataError: an image that was answered cannot be read any more; or there is no answer at all.
    """
    earlier = _earlier(folder, data, kind)
    answers = answered(application, data)
    begun = list(islice(answers, 1))  # data that cannot be read at all takes nothing away
    names, counted, first = _Names(kind.suffix), [0, 0], ""
    unfinished = folder / UNFINISHED
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in earlier:
            (folder / name).unlink(missing_ok=True)
        # A row stands in the table before its file is there: what an interrupted run left is known as its own.
        with unfinished.open("w", encoding="utf-8", errors="replace", newline="", buffering=1) as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(_heads(kind))
            for one in chain(begun, answers):
                name = names.of(one) if one.reason is None else ""
                told = ("" if one.reason else cell(one) for cell in kind.more.values())
                table.writerow((one.number, one.name, name, *told, one.reason))
                if name:
                    write_whole(folder / name, kind.file(one))
                counted[not name] += 1
                first = first or (f"row {one.number}, {one.reason}" if one.reason else "")
        for name, text in kind.beside.items():
            write_whole(folder / name, text.encode())
        unfinished.replace(folder / MANIFEST)
    except OSError as failure:
        raise ResourceError(
            f"The {kind.what} cannot be written to this folder", where=str(folder), got=failure.strerror,
            fix="Choose another folder with --to.",
        ) from failure  # fmt: skip
    written, unread = counted
    if unread and not written:
        outputs.refuse_silence(first, fix=f"The reason of each row is in {folder / MANIFEST}.")
    told = f", {options.counted(unread, 'image')} without one, the first: {first}" if unread else ""
    return f"{written} {kind.what} written to {folder}{told}"


def answered(application: Any, data: Any) -> Iterator[Answered]:
    """The answer for every image of some data, in order."""
    number = 0
    for records, predictions in application.parts(data):
        named = application.field.named(records)
        cells, pictures = named.column(application.field.columns[0]), application.field.values(named)[0]
        for row, (cell, picture) in enumerate(zip(cells, pictures, strict=True)):
            number += 1
            there = cell if isinstance(cell, str) else records.file(row) if cell is None else None
            yield Answered(number, there or "", picture, predictions.labels[row], predictions.reasons[row])


def _heads(kind: Kind) -> tuple[str, ...]:
    return ("row", "image", kind.column, *kind.more, "reason")


class _Names:
    """File names that no other image has: images of one name may come from several folders."""

    def __init__(self, suffix: str) -> None:
        self.suffix = suffix
        self._taken: set[str] = {MANIFEST, UNFINISHED}
        self._next: dict[str, int] = {}

    def of(self, one: Answered) -> str:
        # A path may be of another system, or longer than a file's name can be; only a plain name is taken from it.
        stem = Path(re.split(r"[/\\]", one.name)[-1]).stem.encode()[:_MOST_BYTES].decode("utf-8", "ignore").strip(". ")
        stem = stem or f"{one.number:06}"
        name, number = f"{stem}{self.suffix}", self._next.get(stem.lower(), 2)
        while name.lower() in self._taken:
            name, number = f"{stem}-{number}{self.suffix}", number + 1
        self._next[stem.lower()] = number
        self._taken.add(name.lower())
        return name


def _earlier(folder: Path, data: Any, kind: Kind) -> list[str]:
    """What an earlier run wrote here, finished or not: its tables last, which tell what is still there.

    Raises:
        SettingError: the folder is one that is read from, or something in it is not of an earlier run.
    """
    if isinstance(data, str | Path) and Path(data).exists():
        source, target = Path(data).resolve(), folder.resolve()
        if target == source or source in target.parents or target in source.parents:
            raise SettingError(
                f"The {kind.what} would stand among the images that they are of", where="--to", got=str(folder),
                accepted="a folder outside of the data, and not above it", fix="Choose another folder with --to.",
            )  # fmt: skip
    if not folder.is_dir():
        return []
    tables = [folder / name for name in (MANIFEST, UNFINISHED) if (folder / name).is_file()]
    own = {name for table in tables for name in _listed(table, kind)}
    there = {entry.name for entry in folder.iterdir()}
    own |= {name for name in there if (part := _PARTIAL.fullmatch(name)) and part[1] in own}
    others = there - own
    if others:
        raise SettingError(
            f"This folder holds other files, among which {kind.what} would be lost: {min(others)}", where="--to",
            got=str(folder), accepted=f"a new or empty folder, or one with earlier {kind.what}",
            fix="Choose another folder with --to.",
        )  # fmt: skip
    return sorted(own, key=lambda name: name in (MANIFEST, UNFINISHED))


def _listed(table: Path, kind: Kind) -> set[str]:
    """The files that a table of this kind goes with, itself among them; none where it is another table."""
    try:
        with table.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            if tuple(rows.fieldnames or ()) != _heads(kind):
                return set()
            names = {row[kind.column] or "" for row in rows}
    except (UnicodeDecodeError, csv.Error):
        return set()
    plain = {name for name in names if name and not re.search(r"[/\\]", name)}
    return {table.name, *kind.beside, *plain}
