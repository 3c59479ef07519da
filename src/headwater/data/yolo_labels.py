"""Annotations of YOLO: a text file for each picture, a line for each box, in shares of width and height."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, NamedTuple, Self

from headwater.data.annotations import Annotated, Annotations, thing
from headwater.data.encoding import UNDECODABLE, decode
from headwater.data.layouts import Name, part_of
from headwater.data.pictures import Glance, Picture, look
from headwater.data.raster import UnreadableError
from headwater.data.trees import Tree, stem_of
from headwater.errors import DataError

_IMAGES, _LABELS = "images", "labels"
_NAMED: Final = (
    "classes.txt",
    "obj.names",
    "classes.names",
    "names.txt",
    "labels.txt",
    "_darknet.labels",
    "predefined_classes.txt",
)
_YAML: Final = (".yaml", ".yml")
_SNIFFED: Final = 50
_MOST_BYTES: Final = 1 << 24
_LINE: Final = re.compile(r"\s*\d+(\s+[-+.\deE]+){4,}\s*$")
_WRITTEN: Final = 5
"""The numbers of a box: its class, its centre, its size; a sixth is a score, more are the corners of an outline."""


class _Pair(NamedTuple):
    """A picture and its file of labels, either of which may be missing; whether others in its folder have labels."""

    picture: Name | None
    file: Name | None
    looked_at: bool


@dataclass(frozen=True)
class YoloAnnotations(Annotations):
    """One text file a picture; a picture without one holds nothing, if others of its folder have theirs."""

    kind: ClassVar[str] = "YOLO"

    tree: Tree
    pairs: tuple[_Pair, ...]
    classes: dict[int, str]

    @classmethod
    def found_in(cls, tree: Tree) -> Self | None:
        """The annotations of a folder or archive; None where it has none of this kind.

        Raises:
            DataError: the file that names the classes is damaged.
        """
        texts = {name for name in tree.ending(".txt") if name[-1].lower() not in _NAMED}
        file_of = {name: found for name in tree.pictures if (found := _beside(name, texts))}
        if not _are_labels(tree, list(file_of.values())):
            return None
        folders = {file[:-1] for file in file_of.values()}
        pairs = [_Pair(name, file_of.get(name), not folders.isdisjoint(_folders(name))) for name in tree.pictures]
        lost = sorted(file for file in texts - set(file_of.values()) if file[:-1] in folders)
        pairs += [_Pair(None, file, looked_at=True) for file in lost if _LABELS in map(str.lower, file[:-1])]
        places = [pair.file or pair.picture or () for pair in pairs]
        return cls(
            tree.name, tuple(tree.files[place] for place in places), len(pairs),
            all(part_of(place[:-1]) for place in places), tree, tuple(pairs), _names(tree),
        )  # fmt: skip

    def part(self, here: slice) -> list[Annotated]:
        rows = range(*here.indices(self.rows))
        pictures = [(row, picture) for row in rows if (picture := self.pairs[row].picture) is not None]
        seen = look([Picture(self.tree.path(picture)) for _, picture in pictures])
        glances = {row: glance for (row, _), glance in zip(pictures, seen, strict=True)}
        return [self._row(row, glances.get(row)) for row in rows]

    def _row(self, row: int, seen: Glance | None) -> Annotated:
        pair = self.pairs[row]
        part = part_of((pair.picture or pair.file or ())[:-1])
        if seen is None or pair.picture is None:
            return Annotated(None, None, row, None, part, f"there is no picture {stem_of(pair.file or ('',))}")
        path = self.tree.path(pair.picture)
        if pair.file is None or seen.reason:
            # Of a picture that cannot be read the field of images says why.
            return Annotated(path, [] if pair.looked_at else None, row, None, part)
        try:
            content = self.tree.read(pair.file)
        except UnreadableError as error:
            return Annotated(path, None, row, None, part, str(error))
        things = read_labels(content, (seen.width, seen.height), self.classes)
        if isinstance(things, str):
            return Annotated(path, None, row, None, part, things)
        return Annotated(path, things, row, None, part)


def read_labels(content: bytes, size: tuple[int, int], classes: dict[int, str]) -> list[dict[str, Any]] | str:
    r"""The boxes of one file, or why it is none.

    Args:
        content: the bytes of the file.
        size: the width and height of its picture.
        classes: the name of each class; without any a class is called by its number.

    Example:
        >>> [box] = read_labels(b"1 0.5 0.5 0.5 1.0\n", (40, 20), {1: "cat"})
        >>> box["label"], box["left"], box["top"], box["right"], box["bottom"]
        ('cat', 10.0, 0.0, 30.0, 20.0)
    """
    if len(content) > _MOST_BYTES:
        return f"the file has more than {_MOST_BYTES:,} bytes"
    text = decode(content, None).removeprefix("\ufeff")
    if "\0" in text or UNDECODABLE in text:
        return "the file of labels is no text"
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    things = [_thing(number, words, size, classes) for number, words in lines]
    if things and all(one["flaw"] and one["label"] is None for one in things):
        return f"no line of the file of labels is a box: {things[0]['flaw']}"
    return things


def _thing(line: int, words: Sequence[str], size: tuple[int, int], classes: dict[int, str]) -> dict[str, Any]:
    values = [_number(word) for word in words]
    if len(values) < _WRITTEN or not all(map(math.isfinite, values)):
        told = f"{len(words)} numbers" if all(map(math.isfinite, values)) else "words that are no numbers"
        return thing(None, None, flaw=f"(line {line}) holds {told}, where a class and four shares are needed")
    number, shares = int(values[0]), values[1:]
    if number != values[0] or number < 0 or (classes and number not in classes):
        return thing(None, None, flaw=f"(line {line}) has the class {words[0]}, which has no name")
    width, height = size
    if len(shares) > _WRITTEN and len(shares) % 2 == 0:
        xs, ys = shares[0::2], shares[1::2]
        edges = (min(xs), min(ys), max(xs), max(ys))
    else:
        across, down, wide, high = shares[:4]
        edges = (across - wide / 2, down - high / 2, across + wide / 2, down + high / 2)
    place = [edge * side for edge, side in zip(edges, (width, height, width, height), strict=True)]
    return thing(classes.get(number, str(number)), place)


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return math.nan


def _folders(picture: Name) -> list[Name]:
    """Where the labels of a picture may stand: in `labels` where it is in `images`, beside it, or in a sub-folder."""
    above = picture[:-1]
    places = [place for place, folder in enumerate(above) if folder.lower() == _IMAGES]
    found = [(*above[:place], _LABELS, *above[place + 1 :]) for place in reversed(places)]
    return [*found, above, (*above, _LABELS), (_LABELS, *above)]


def _beside(picture: Name, texts: set[Name]) -> Name | None:
    """The file of labels of a picture."""
    found = ((*folder, f"{stem_of(picture)}.txt") for folder in _folders(picture))
    return next((name for name in found if name in texts), None)


def _are_labels(tree: Tree, files: list[Name]) -> bool:
    """Whether the files that stand beside pictures hold boxes: most of those that hold anything."""
    votes = []
    for name in files[:: max(1, len(files) // _SNIFFED)]:
        lines = decode(tree.starts(name, 4096), "utf-8").splitlines()
        told = [line for line in lines if line.strip()]
        if told:
            votes.append(bool(_LINE.match(told[0])))
    return sum(votes) * 2 > len(votes)


def _names(tree: Tree) -> dict[int, str]:
    """The names of the classes, in a list of them or under `names` in YAML; none where nothing names them."""
    lists = [name for name in tree.ending(".txt", ".names", ".labels") if name[-1].lower() in _NAMED]
    for name in sorted(lists, key=len)[:1]:
        lines = decode(tree.starts(name, _MOST_BYTES), None).removeprefix("\ufeff").splitlines()
        return {number: line.strip() for number, line in enumerate(_without_end(lines)) if line.strip()}
    for name in sorted(tree.ending(*_YAML), key=len):
        if found := _of_yaml(tree, name):
            return found
    return {}


def _without_end(lines: list[str]) -> list[str]:
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines


def _of_yaml(tree: Tree, name: Name) -> dict[int, str]:
    import yaml

    try:
        values = yaml.safe_load(decode(tree.starts(name, _MOST_BYTES), None))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DataError(
            "These names of classes are no YAML that can be read", where=tree.files[name], got=str(error),
            fix="Mend the line it names.",
        ) from error  # fmt: skip
    told = values.get("names") if isinstance(values, dict) else None
    if isinstance(told, list):
        return {number: str(label) for number, label in enumerate(told)}
    if isinstance(told, dict):
        return {int(number): str(label) for number, label in told.items() if str(number).isdecimal()}
    return {}
