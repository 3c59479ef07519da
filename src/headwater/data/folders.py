"""Reading a folder of .txt files: each file is a text, each sub-folder a class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from headwater.data.encoding import decode
from headwater.data.lines import ROW_LIMIT, damage
from headwater.data.records import Problem, Records
from headwater.errors import DataError
from headwater.settings import DataSettings


def read_folder(folder: Path, settings: DataSettings, rows: int) -> Iterator[Records]:
    """The texts of a folder by name, in parts of at most `rows`: column `text`, and `label` if sub-folders are classes.

    Raises:
        DataError: no .txt file is there, or some stand beside sub-folders that have some.
    """
    files, classes = _layout(folder)
    names = tuple(map(str, files))
    for start in range(0, len(files), rows):
        part = _part(files[start : start + rows], settings, labelled=classes)
        yield replace(part, name=folder.name, files=names, file_of=np.arange(start, start + len(part)))


def _layout(folder: Path) -> tuple[list[Path], bool]:
    """The files in order, and whether sub-folders name their classes."""
    visible = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    loose = [entry for entry in visible if _is_text(entry)]
    sorted_in = [file for entry in visible if entry.is_dir() for file in sorted(entry.iterdir()) if _is_text(file)]
    if loose and sorted_in:
        raise DataError(
            "Some .txt files stand in sub-folders (a class each) and some beside them",
            where=str(folder), got=[file.name for file in loose[:3]], fix="Move these into the folder of their class.",
        )  # fmt: skip
    if not loose and not sorted_in:
        kinds = Counter(entry.suffix or "no suffix" for entry in visible if entry.is_file())
        raise DataError(
            "No .txt file is in this folder",
            where=str(folder),
            got=dict(kinds),
            accepted="a folder of .txt files, or a sub-folder of them a class",
            fix="To read one file, give its path.",
        )
    return loose or sorted_in, bool(sorted_in)


def _is_text(entry: Path) -> bool:
    return entry.suffix.lower() == ".txt" and not entry.name.startswith(".") and entry.is_file()


def _part(files: list[Path], settings: DataSettings, *, labelled: bool) -> Records:
    read = [_text(file, settings.encoding) for file in files]
    columns = {"text": pa.array([text or None for text, _ in read], pa.string())}
    if labelled:
        labels = [None if reason else file.parent.name for file, (_, reason) in zip(files, read, strict=True)]
        columns["label"] = pa.array(labels, pa.string())
    problems = {row: Problem(reason, str(files[row])) for row, (_, reason) in enumerate(read) if reason}
    return Records(pa.table(columns), problems)


def _text(file: Path, encoding: str | None) -> tuple[str | None, str | None]:
    """The text of a file, or the reason why there is none."""
    try:
        with file.open("rb") as stored:
            content = stored.read(4 * ROW_LIMIT + 1)
    except OSError as error:
        return None, f"the file cannot be opened: {error.strerror}"
    text = decode(content, encoding).removeprefix("\ufeff").replace("\r\n", "\n")
    reason = damage(text)
    return (None, reason) if reason else (text, None)
