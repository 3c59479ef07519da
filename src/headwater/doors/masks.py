"""Answers that are masks, as a folder of pictures that other programs read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from headwater.errors import ResourceError, SettingError
from headwater.run import write_whole

if TYPE_CHECKING:
    from headwater.application import Application

MANIFEST: Final = "manifest.csv"
NAMES: Final = "classes.txt"
_COLUMNS: Final = ("row", "image", "mask", "reason")


def write(application: Application, data: Any, folder: Path) -> str:
    """Writes the mask of every image as an indexed PNG of the image's name, and a table that says which is whose.

    `classes.txt` beside them says which number is which class, so that the folder can be read back as masks.

    Args:
        application: what answers with masks.
        data: anything it predicts for.
        folder: a new or empty folder, or one that this wrote before.

    Returns:
        What was written, in words: how many masks, how many images have none, and the first reason.

    Raises:
        SettingError: the folder holds other files.
        ResourceError: it cannot be written.
    """
    _refuse_others(folder)
    rows: list[tuple[Any, ...]] = []
    taken: set[str] = set()
    first = ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, name, content, reason in _answered(application, data):
            file = _free(Path(name).stem if name else f"{number:06}", taken) if content is not None else ""
            if content is not None:
                write_whole(folder / file, content)
            elif not first:
                first = f"row {number}, {reason}"
            rows.append((number, name, file, reason))
        target: Any = getattr(application, "target", None)
        write_whole(folder / NAMES, _names(target).encode())
        write_whole(folder / MANIFEST, _table(rows).encode())
    except OSError as failure:
        raise ResourceError(
            "The masks cannot be written",
            where=str(folder),
            got=failure.strerror,
            fix="Choose another folder with --to.",
        ) from failure
    unread = sum(not file for _, _, file, _ in rows)
    told = f", {unread} images without one, the first: {first}" if unread else ""
    return f"{len(rows) - unread} masks written to {folder}{told}"


def _answered(application: Application, data: Any) -> Iterator[tuple[int, str, bytes | None, str | None]]:
    """For each image its number from 1, its name, the bytes of its mask, and why there is none."""
    number = 0
    for records, predictions in application.parts(data):
        column = (application.input_columns or ("image",))[0]
        field: Any = getattr(application, "field", None)
        named = records if field is None else field.named(records)
        name = field.columns[0] if field is not None else column
        cells = named.column(name) if name in named.columns else [None] * len(records)
        for row, (cell, content, reason) in enumerate(zip(cells, predictions.labels, predictions.reasons, strict=True)):
            number += 1
            there = cell if isinstance(cell, str) else records.file(row) if cell is None else None
            yield number, there or "", content, reason


def _names(target: Any) -> str:
    from headwater.data.mask_writing import numbering

    found = numbering(target)
    return "".join(f"{number} {name}\n" for number, name in zip(found.numbers.tolist(), found.classes, strict=True))


def _table(rows: list[tuple[Any, ...]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(rows)
    return text.getvalue()


def _free(stem: str, taken: set[str]) -> str:
    """A file name that no other mask has: images of one name may come from several folders."""
    name, number = f"{stem}.png", 2
    while name.lower() in taken:
        name, number = f"{stem}-{number}.png", number + 1
    taken.add(name.lower())
    return name


def _refuse_others(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise SettingError(
            "This folder holds other files, among which masks would be lost", where="--to", got=str(folder),
            accepted="a new or empty folder, or one with earlier masks", fix="Write the masks to another folder.",
        )  # fmt: skip
