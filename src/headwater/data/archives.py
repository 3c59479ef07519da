"""Reading a zip archive of images as if it were a folder of them, without unpacking it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from headwater.data import layouts
from headwater.data.annotated import annotations_in
from headwater.data.folders import IMAGES, kinds_of, picture_parts, picture_rows, with_suffix
from headwater.data.layouts import Name
from headwater.data.pair_reading import pair_records
from headwater.data.parts import slices
from headwater.data.pictures import DAMAGED_ARCHIVE, INSIDE, SUFFIXES, kept_open
from headwater.data.records import Records
from headwater.data.trees import Tree
from headwater.errors import DataError

ARCHIVES: Final = (".zip",)
_BETWEEN: Final = re.compile(r"[/\\]+")
_LOCKED: Final = 0x1


def read_archive(path: Path, rows: int, *, alone: bool = False) -> Iterator[Records]:
    """The images of a zip archive by name, in parts of at most `rows`: column `image`, each `archive.zip!/name`.

    Folders within are classes and parts, or images with annotations or masks, as in `folders.read_folder`; one that all
    of them stand in is neither. Names are only ever looked up in the archive, so that none leads out of it. `alone`
    reads the images without what is told of them, as `folders.picture_parts` does.

    Raises:
        DataError: it is no zip archive, is damaged or locked by a password, or has no image.
    """
    members = _members(path)
    parts = {parts: name for name in members if (parts := _parts(name)) and not any(map(layouts.hidden, parts))}
    names = with_suffix(list(parts), SUFFIXES)
    if not names:
        raise DataError(
            "No image is in this archive", where=str(path), got=kinds_of(list(parts)),
            accepted="a zip archive of images, or of a folder of them a class",
            fix="Unpack it, and give the path of what is in it.",
        )  # fmt: skip
    if any(members[parts[name]] for name in names):
        raise DataError(
            "The archive is locked by a password", where=str(path), fix="Unpack it, and give the path of the folder."
        )
    if alone:
        files = {name: f"{path}{INSIDE}{parts[name]}" for name in names}
        yield from (replace(part, name=path.name) for part in picture_parts(files, rows, wrapped=True))
        return
    annotated = annotations_in(Tree.of_archive(path))
    if annotated is not None:
        yield from annotated.records(rows)
        return
    pairs = pair_records({name: f"{path}{INSIDE}{parts[name]}" for name in names}, {}, path.name)
    if pairs is not None:
        yield from slices(pairs, rows)
        return
    found = layouts.layout(names, IMAGES, str(path), wrapped=True)
    paths = tuple(f"{path}{INSIDE}{parts[name]}" for name in names)
    for start in range(0, len(paths), rows):
        yield replace(picture_rows(paths, found, slice(start, start + rows)), name=path.name)


def _members(path: Path) -> dict[str, bool]:
    """Whether each file of the archive is locked, by its name."""
    try:
        entries = kept_open(str(path)).infolist()
    except DAMAGED_ARCHIVE as error:
        raise DataError(
            "The file cannot be read as a zip archive", where=str(path), got=str(error),
            fix="Write it again; it is damaged, or its name says another format than it has.",
        ) from error  # fmt: skip
    return {entry.filename: bool(entry.flag_bits & _LOCKED) for entry in entries if not entry.is_dir()}


def _parts(name: str) -> Name:
    """The folders and the file of a name; some programs write backslashes."""
    return tuple(part for part in _BETWEEN.split(name) if part not in ("", ".", ".."))
