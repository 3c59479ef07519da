"""Answers that are pictures, as a folder: one file an image, and a table that says which is whose."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from headwater.errors import ResourceError, SettingError
from headwater.run import write_whole

if TYPE_CHECKING:
    from headwater.application import Application
    from headwater.data.pictures import Picture

MANIFEST: Final = "manifest.csv"


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
        SettingError: the folder holds other files.
        ResourceError: it cannot be written.
        DataError: an image that was answered cannot be read any more.
    """
    _refuse_others(folder, kind.what)
    rows: list[tuple[Any, ...]] = []
    taken: set[str] = set()
    first = ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in _answered(application, data):
            file = ""
            if one.reason is None:
                file = _free(Path(one.name).stem if one.name else f"{one.number:06}", kind.suffix, taken)
                write_whole(folder / file, kind.file(one))
            elif not first:
                first = f"row {one.number}, {one.reason}"
            told = ("" if one.reason else cell(one) for cell in kind.more.values())
            rows.append((one.number, one.name, file, *told, one.reason))
        for name, text in kind.beside.items():
            write_whole(folder / name, text.encode())
        write_whole(folder / MANIFEST, _table([("row", "image", kind.column, *kind.more, "reason"), *rows]).encode())
    except OSError as failure:
        raise ResourceError(
            f"The {kind.what} cannot be written to this folder", where=str(folder), got=failure.strerror,
            fix="Choose another folder with --to.",
        ) from failure  # fmt: skip
    unread = sum(not file for _, _, file, *_ in rows)
    told = f", {unread} images without one, the first: {first}" if unread else ""
    return f"{len(rows) - unread} {kind.what} written to {folder}{told}"


def _answered(application: Any, data: Any) -> Iterator[Answered]:
    number = 0
    for records, predictions in application.parts(data):
        named = application.field.named(records)
        cells, pictures = named.column(application.field.columns[0]), application.field.values(named)[0]
        for row, (cell, picture) in enumerate(zip(cells, pictures, strict=True)):
            number += 1
            there = cell if isinstance(cell, str) else records.file(row) if cell is None else None
            yield Answered(number, there or "", picture, predictions.labels[row], predictions.reasons[row])


def _table(rows: list[tuple[Any, ...]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _free(stem: str, suffix: str, taken: set[str]) -> str:
    """A file name that no other image has: images of one name may come from several folders."""
    name, number = f"{stem}{suffix}", 2
    while name.lower() in taken:
        name, number = f"{stem}-{number}{suffix}", number + 1
    taken.add(name.lower())
    return name


def _refuse_others(folder: Path, what: str) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise SettingError(
            f"This folder holds other files, among which {what} would be lost", where="--to", got=str(folder),
            accepted=f"a new or empty folder, or one with earlier {what}", fix="Choose another folder with --to.",
        )  # fmt: skip
