"""Reading a folder of .txt files or of images: each file is a row, each sub-folder a class."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import pyarrow as pa

from headwater.data import layouts
from headwater.data.annotated import annotations_in
from headwater.data.encoding import decode
from headwater.data.layouts import Layout, Name
from headwater.data.lines import ROW_LIMIT, damage
from headwater.data.pair_reading import files_of, pair_records
from headwater.data.pairs import without_masks
from headwater.data.parts import slices
from headwater.data.pictures import INSIDE, SUFFIXES
from headwater.data.records import Problem, Records
from headwater.data.trees import Tree, names_below
from headwater.errors import DataError
from headwater.settings import DataSettings

TEXTS: Final = (".txt",)
IMAGES: Final = "images"
_MASKS: Final = ("mask",)
_KINDS: Final = {".txt files": TEXTS, IMAGES: SUFFIXES}


def read_folder(folder: Path, settings: DataSettings, rows: int) -> Iterator[Records]:
    """The files of a folder by name, in parts of at most `rows`.

    Columns are `text`, or `image` with the path of each (images are not opened here), `label` if sub-folders are
    classes, and `split` if these stand in folders named train, valid (val, validation) and test. Of images with
    annotations of COCO, Pascal VOC or YOLO they are `image`, `objects` and what else these tell; of images whose masks
    stand beside them `image`, `mask` and `split`. Where there are both, the target that the user names decides.

    Raises:
        DataError: no such file is there, or both kinds are; or some stand beside sub-folders that have some.
    """
    there = list(names_below(folder))
    annotated = annotations_in(Tree.of_folder(folder, there)) if settings.target != _MASKS else None
    if annotated is not None:
        yield from annotated.records(rows)
        return
    pairs = pair_records(*files_of(folder, iter(there)), folder.name)
    if pairs is not None:
        yield from slices(pairs, rows)
        return
    kind, names = _contents(folder, there)
    found = layouts.layout(names, kind, str(folder))
    files = tuple(str(folder.joinpath(*name)) for name in names)
    for start in range(0, len(files), rows):
        here = slice(start, start + rows)
        read = picture_rows(files, found, here) if kind == IMAGES else _text_rows(files, found, here, settings.encoding)
        yield replace(read, name=folder.name)


def read_pictures(folder: Path, rows: int) -> Iterator[Records]:
    """The images of a folder by name, whatever labels, masks or notes stand among them, as `picture_parts` gives them.

    Raises:
        DataError: there is none.
    """
    tree = Tree.of_folder(folder, names_below(folder))
    # What a zip archive in the folder holds counts where nothing else is there.
    names = [name for name in tree.pictures if INSIDE not in tree.files[name]] or tree.pictures
    if not names:
        raise DataError(
            "There is no image in this folder", where=str(folder), got=kinds_of(list(tree.files)),
            accepted="a folder of images", fix="Give the folder that holds the images to be answered for.",
        )  # fmt: skip
    for part in picture_parts({name: tree.files[name] for name in names}, rows):
        yield replace(part, name=folder.name)


def picture_parts(files: Mapping[Name, str], rows: int, *, wrapped: bool = False) -> Iterator[Records]:
    """Images without their masks, in parts of at most `rows`: column `image`, and `label` and `split` as folders say.

    An image of which nobody can tell whether it is a mask that has lost its picture is a row with a problem.

    Args:
        files: the path of every image, by where it stands.
        rows: the most rows of a part.
        wrapped: as `layouts.layout` takes it.
    """
    names, doubtful = without_masks(list(files))
    told = Layout(None, None)
    if len(names) == len(files):
        with contextlib.suppress(DataError):  # folders that say nothing clear of labels stop nobody who wants none
            told = layouts.layout(names, IMAGES, "", wrapped=wrapped)
    paths = tuple(files[name] for name in names)
    reasons = {files[name]: reason for name, reason in doubtful.items()}
    for start in range(0, len(paths), rows):
        yield picture_rows(paths, told, slice(start, start + rows), reasons)


def read_picture(path: Path) -> Iterator[Records]:
    """One row of an image that lies in a file of its own."""
    yield replace(picture_rows((str(path),), Layout(None, None), slice(0, 1)), name=path.name)


def picture_rows(
    paths: tuple[str, ...], found: Layout, here: slice, wrong: Mapping[str, str] = MappingProxyType({})
) -> Records:
    """Some of the pictures that were found, none of which is opened.

    A path that is no Unicode is a problem, and so is one that `wrong` has a reason for.
    """
    reasons = {row: wrong[path] for row, path in enumerate(paths[here]) if path in wrong}
    reasons |= {row: "the name of this file is not valid Unicode"
                for row, path in enumerate(paths[here]) if not _is_unicode(path)}  # fmt: skip
    cells = [None if row in reasons else path for row, path in enumerate(paths[here])]
    return _rows({"image": cells}, reasons, paths, found, here)


def with_suffix(names: Sequence[Name], suffixes: Sequence[str]) -> list[Name]:
    """Those of some files whose name ends in one of the suffixes, in order."""
    return sorted(name for name in names if name[-1].lower().endswith(tuple(suffixes)))


def kinds_of(names: Sequence[Name]) -> dict[str, int]:
    """How many files have each suffix, the commonest first."""
    return dict(Counter(os.path.splitext(name[-1])[1] or "no suffix" for name in names).most_common(5))


def _contents(folder: Path, there: Sequence[Name]) -> tuple[str, list[Name]]:
    """What the files are that the folder is read for, and where each stands below it."""
    found = {what: with_suffix(there, suffixes) for what, suffixes in _KINDS.items()}
    held = {what: names for what, names in found.items() if names}
    if len(held) > 1:
        # A note beside the folders of the classes is no row, nor is a drawing.
        held = {what: names for what, names in held.items() if layouts.is_sorted(names)} or held
    if len(held) > 1:
        raise DataError(
            "This folder holds .txt files as well as images", where=str(folder),
            got={what: len(names) for what, names in held.items()}, accepted="rows of one kind",
            fix="Move those that are no rows of the data elsewhere.",
        )  # fmt: skip
    if not held:
        raise DataError(
            "No .txt file and no image is in this folder",
            where=str(folder),
            got=kinds_of(there),
            accepted="a folder of .txt files or images, or a sub-folder of them a class",
            fix="To read one file, give its path.",
        )
    return next(iter(held.items()))


def _text_rows(files: tuple[str, ...], found: Layout, here: slice, encoding: str | None) -> Records:
    read = [_text(Path(file), encoding) for file in files[here]]
    reasons = {row: reason for row, (_, reason) in enumerate(read) if reason}
    return _rows({"text": [text or None for text, _ in read]}, reasons, files, found, here)


def _rows(
    cells: dict[str, list[str | None]], reasons: dict[int, str], files: tuple[str, ...], found: Layout, here: slice
) -> Records:
    """Records of files; a row with a reason is null in every column."""
    table = pa.table({name: pa.array(values, pa.string()) for name, values in cells.items()} | found.columns(here))
    if reasons:
        table = table.take(pa.array([None if row in reasons else row for row in range(len(table))], pa.int64()))
    file_of = np.arange(here.start, here.start + len(table))
    problems = {row: Problem(reason, files[here.start + row]) for row, reason in reasons.items()}
    return Records(table, problems, files=files, file_of=file_of)


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


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
