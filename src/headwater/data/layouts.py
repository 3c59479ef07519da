"""How a folder of files tells their classes: a sub-folder a class, in train, valid and test where it is divided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from headwater.errors import DataError

PARTS: Final = {
    "train": "train", "training": "train", "val": "valid", "valid": "valid", "validation": "valid", "dev": "valid",
    "test": "test", "testing": "test",
}  # fmt: skip
SPLIT: Final = "split"
"""The column of the part that a folder stands for."""
Name = tuple[str, ...]
"""The folders and the file of a path below the folder that is read."""


@dataclass(frozen=True)
class Layout:
    """What the folders of some files say of each.

    Attributes:
        labels: the class of each file; None where no folder is a class.
        parts: train, valid or test for each file; None where the files are not divided.

    Example:
        >>> layout([("train", "ants", "1.jpg"), ("val", "bees", "2.jpg")], "images", "insects")
        Layout(labels=['ants', 'bees'], parts=['train', 'valid'])
    """

    labels: list[str] | None
    parts: list[str] | None

    def columns(self, rows: slice) -> dict[str, pa.Array]:
        """The columns `label` and `split` of some of the files, as far as there are any."""
        told = {"label": self.labels, SPLIT: self.parts}
        return {name: pa.array(values[rows], pa.string()) for name, values in told.items() if values is not None}


def layout(names: Sequence[Name], what: str, where: str, *, wrapped: bool = False) -> Layout:
    """The classes and parts that folders name.

    A folder that all the files stand in is neither, unless it is the only one that could be a class.

    Args:
        names: where each file stands.
        what: what the files are, in the plural.
        where: the folder or archive that is read.
        wrapped: an only folder is none of the user's making, as in most archives, and never a class.

    Raises:
        DataError: some files stand in folders of classes and some beside them, or below them.
    """
    names = _unwrapped(names, wrapped=wrapped)
    divided = _is_divided(names)
    rests = [name[1:] if divided else name for name in names]
    loose = [name for name, rest in zip(names, rests, strict=True) if len(rest) < 2]
    if 0 < len(loose) < len(names):
        raise DataError(
            f"Some {what} stand in sub-folders (a class each) and some beside them",
            where=where, got=["/".join(name) for name in loose[:3]], fix="Move these into the folder of their class.",
        )  # fmt: skip
    deep = [name for name, rest in zip(names, rests, strict=True) if len(rest) > 2]
    if deep:
        raise DataError(
            f"Some {what} stand deeper than in the folder of their class", where=where,
            got=["/".join(name) for name in deep[:3]],
            accepted="CLASS/file, or train/CLASS/file, valid/CLASS/file and test/CLASS/file",
            fix="Give the folder that holds the classes, or move these files up.",
        )  # fmt: skip
    return Layout(
        None if loose else [_valid(rest[0]) for rest in rests],
        [PARTS[name[0].lower()] for name in names] if divided else None,
    )


def is_sorted(names: Sequence[Name]) -> bool:
    """Whether folders say anything of these files; what stands beside folders, or in one of a part, is told nothing.

    Example:
        >>> is_sorted([("ants", "1.jpg")]), is_sorted([("readme.txt",)]), is_sorted([("train", "readme.txt")])
        (True, False, False)
    """
    return any(len(name) > 1 + (name[0].lower() in PARTS) for name in names)


def part_of(folders: Sequence[str]) -> str | None:
    """The part that one of some folders names; a year behind the name is none of it.

    Example:
        >>> part_of(("images", "val2017")), part_of(("images",))
        ('valid', None)
    """
    named = (PARTS.get(folder.lower().rstrip("0123456789")) for folder in folders)
    return next((part for part in named if part), None)


def hidden(part: str) -> bool:
    """Whether a file or folder of this name is none of the data: hidden, or left behind by a Macintosh."""
    return part.startswith(".") or part == "__MACOSX"


def _unwrapped(names: Sequence[Name], *, wrapped: bool) -> list[Name]:
    """The names without the folders that all of them are in."""
    left = list(names)
    while len({name[0] for name in left}) == 1 and all(len(name) > 2 for name in left):
        left, wrapped = [name[1:] for name in left], False
    only = {name[0] for name in left if len(name) > 1}
    if len(only) == 1 and all(len(name) == 2 for name in left) and (wrapped or only.pop().lower() in PARTS):
        return [name[1:] for name in left]
    return left


def _is_divided(names: Sequence[Name]) -> bool:
    tops = {name[0].lower() for name in names if len(name) > 1}
    return bool(tops) and tops <= set(PARTS) and all(len(name) > 1 for name in names)


def _valid(text: str) -> str:
    """The name of a folder without what is no Unicode."""
    return text.encode("utf-8", "replace").decode()
