"""Reading pictures with their masks out of a folder or a zip archive: a row a pair, nothing is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from headwater.data import layouts
from headwater.data.layouts import Name
from headwater.data.pairs import Pair, paired, set_of
from headwater.data.pictures import DAMAGED_ARCHIVE, INSIDE, SUFFIXES, kept_open
from headwater.data.records import Problem, Records

_ARCHIVE: Final = ".zip"


def pair_records(files: Mapping[Name, str], sets: Mapping[str, list[str]], name: str) -> Records | None:
    """A row a pair, with the columns `image`, `mask` and, where all are in one, `split`; None where there are no pairs.

    A picture without its mask, and a mask without its picture, is a row with a problem.

    Args:
        files: the path of every file, by where it stands.
        sets: for each part the stems that a list says are in it.
        name: what to call the data in messages.
    """
    found = paired([one for one in files if one[-1].lower().endswith(SUFFIXES)], sets)
    if found is None:
        return None
    reasons = {row: reason for row, pair in enumerate(found) if (reason := _reason(pair, files))}
    cells = {
        "image": [None if row in reasons else files[pair.picture or ()] for row, pair in enumerate(found)],
        # In full, since a path that is not counts from the folder of the picture.
        "mask": [None if row in reasons else _in_full(files[pair.mask or ()]) for row, pair in enumerate(found)],
    }
    if all(pair.part for pair in found):
        cells["split"] = [None if row in reasons else pair.part for row, pair in enumerate(found)]
    table = pa.table({column: pa.array(values, pa.string()) for column, values in cells.items()})
    places = tuple(files[pair.picture or pair.mask or ()] for pair in found)
    problems = {row: Problem(reason, places[row]) for row, reason in reasons.items()}
    return Records(table, problems, name, places, np.arange(len(found)))


def files_of(folder: Path, names: Iterator[Name]) -> tuple[dict[Name, str], dict[str, list[str]]]:
    """The files of a folder, with what its zip archives hold as if each were a folder, and the lists of its parts."""
    files: dict[Name, str] = {}
    sets: dict[str, list[str]] = {}
    for name in names:
        path = folder.joinpath(*name)
        part = set_of("/".join(name))
        if part is not None:
            sets[part] = [line.split()[0] for line in path.read_text("utf-8", "replace").splitlines() if line.split()]
        elif len(name) == 1 and name[0].lower().endswith(_ARCHIVE):
            files.update(_members(path))
        else:
            files[name] = str(path)
    return files, sets


def _members(archive: Path) -> Iterator[tuple[Name, str]]:
    try:
        entries = [entry.filename for entry in kept_open(str(archive)).infolist() if not entry.is_dir()]
    except DAMAGED_ARCHIVE:
        return  # whatever else reads the folder meets it again
    for entry in entries:
        parts = tuple(entry.split("/"))
        if not any(map(layouts.hidden, parts)):
            top = () if parts[0].lower() == archive.stem.lower() else (archive.stem,)
            yield (*top, *parts), f"{archive}{INSIDE}{entry}"


def _reason(pair: Pair, files: Mapping[Name, str]) -> str | None:
    try:
        for name in (pair.picture, pair.mask):
            files[name or ()].encode() if name else b""
    except UnicodeEncodeError:
        return "the name of this file is not valid Unicode"
    return pair.lack


def _in_full(path: str) -> str:
    return str(Path(path).absolute())
