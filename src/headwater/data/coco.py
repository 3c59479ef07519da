"""Annotations of COCO: one JSON file for many pictures (Lin et al. 2014)."""

from __future__ import annotations

import json
import logging
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, Final, Self

from headwater.data.annotations import Annotated, Annotations, thing
from headwater.data.encoding import decode
from headwater.data.layouts import Name, part_of
from headwater.data.raster import UnreadableError
from headwater.data.records import Records
from headwater.data.trees import Tree, names_below, stem_of
from headwater.errors import DataError

log = logging.getLogger("headwater")
_SNIFFED: Final = 64
_IMAGES: Final = re.compile(rb'"images"\s*:')
_OTHERS: Final = re.compile(rb'"(bbox|categories|annotations)"\s*:')
_CAPTIONS: Final = re.compile(rb'"caption"\s*:')
_ABOVE: Final = ("annotations", "annotation", "labels")
"""Folders of annotations, whose pictures stand beside them."""


@dataclass(frozen=True)
class CocoAnnotations(Annotations):
    """All pictures of some files, in the order of each.

    Attributes:
        listed: a row each.
        scored: the files whose boxes have scores, as those have that a model found.
    """

    kind: ClassVar[str] = "COCO"

    listed: tuple[Annotated, ...]
    scored: tuple[str, ...] = ()

    @classmethod
    def found_in(cls, tree: Tree) -> Self | None:
        """The annotations of a folder or archive; None where it has none of this kind.

        Raises:
            DataError: a file of them is damaged.
        """
        names = [name for name in tree.ending(".json")[:_SNIFFED] if _claims(tree, name)]
        # The points of persons are annotated on the same pictures as the boxes of all things.
        instances = [name for name in names if "instances" in name[-1].lower()]
        return cls._of(tree, instances or names) if tree.pictures and names else None

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """The annotations of one file, whose pictures stand beside it or beside its folder.

        Raises:
            DataError: the file is damaged or holds none, or its folder cannot be looked into.
        """
        alone = Tree(path.name, str(path), {(path.name,): str(path)})
        if not _claims(alone, (path.name,)):
            lists = _loaded(alone, (path.name,))
            raise DataError(
                "This JSON holds no boxes of COCO", where=str(path), got=f"of their lists {sorted(lists) or 'none'}",
                accepted='lists "images", "annotations" with a bbox each, and "categories"',
                fix="Give a file of COCO annotations; a table is written as .jsonl, an object a line.",
            )  # fmt: skip
        tree, name = _alone(path)
        return cls._of(tree, [name])

    @classmethod
    def _of(cls, tree: Tree, names: Sequence[Name]) -> Self:
        rows: list[Annotated] = []
        seen: set[str] = set()
        scored: list[str] = []
        for place, name in enumerate(names):
            lists = _loaded(tree, name)
            if any(isinstance(one, dict) and one.get("score") is not None for one in lists.get("annotations", [])):
                scored.append(tree.files[name])
            for row in _rows(lists, tree, name):
                again = row.picture in seen and not row.reason
                seen.add(row.picture or "")
                reason = f"{row.picture} is annotated a second time" if again else row.reason
                rows.append(row._replace(file=place, reason=reason))
        files = tuple(tree.files[name] for name in names)
        divided = bool(rows) and all(row.part for row in rows)
        return cls(tree.name, files, len(rows), divided, tuple(rows), tuple(scored))

    def records(self, size: int) -> Iterator[Records]:
        for file in self.scored:
            # Measured on its own answers a model is always right.
            log.warning("%s: its boxes have scores, as answers of a model have: they are taken for known boxes", file)
        yield from super().records(size)

    def part(self, here: slice) -> list[Annotated]:
        return list(self.listed[here])


@dataclass(frozen=True)
class Numbers:
    """The numbers that a file of COCO has for its images, by their paths, and for its categories, by their names.

    Attributes:
        images: of each path the number.
        names: of each path the name that the file has for the image.
        categories: of each name the number.
    """

    images: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    categories: Mapping[str, int] = field(default_factory=dict)

    def of_classes(self, classes: Sequence[Any]) -> dict[Any, int]:
        """The number of each class; one that the file does not name has the next that is free.

        Example:
            >>> Numbers(categories={"dog": 18}).of_classes(("cat", "dog"))
            {'cat': 19, 'dog': 18}
        """
        free = count(max(self.categories.values(), default=0) + 1)
        return {name: self.categories[key] if (key := str(name)) in self.categories else next(free) for name in classes}


def numbers_in(path: Path) -> Numbers:
    """The numbers of a file of COCO; what has none that is whole is left out.

    Raises:
        DataError: as `CocoAnnotations.of_file` does.
    """
    tree, name = _alone(path)
    lists, places = _loaded(tree, name), _Places(tree, name)
    images: dict[str, int] = {}
    names: dict[str, str] = {}
    for one in lists.get("images", []):
        if isinstance(one, dict) and isinstance(one.get("file_name"), str) and _is_whole(one.get("id")):
            found = places.find(one["file_name"])
            if found is not None and (place := found if isinstance(found, str) else tree.path(found)) not in images:
                images[place], names[place] = one["id"], one["file_name"]
    named = [one for one in lists.get("categories", []) if isinstance(one, dict) and _is_whole(one.get("id"))]
    return Numbers(images, names, {str(one["name"]): one["id"] for one in named if one.get("name") is not None})


def _alone(path: Path) -> tuple[Tree, Name]:
    """A file of annotations among the pictures beside it or beside its folder, and where it stands there."""
    above = path.parent.name.lower() in _ABOVE
    root = path.parent.parent if above else path.parent
    tree = Tree.of_folder(root, names_below(root))
    name = (path.parent.name, path.name) if above else (path.name,)
    return Tree(path.name, str(path), {**tree.files, name: str(path)}), name


def _is_whole(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and abs(number) < 1 << 62


def _claims(tree: Tree, name: Name) -> bool:
    """Whether a file has the keys of COCO, however damaged it is."""
    try:
        content = tree.read(name).replace(b"\0", b"")
    except UnreadableError:
        return False
    return bool(_IMAGES.search(content) and _OTHERS.search(content)) and not _CAPTIONS.search(content)


def _loaded(tree: Tree, name: Name) -> dict[str, Any]:
    try:
        content = tree.read(name)
        try:
            values = json.loads(content)
        except UnicodeDecodeError:
            values = json.loads(decode(content, None))
    except json.JSONDecodeError as error:
        raise DataError(
            "This is no valid JSON", where=tree.files[name],
            got=f"{error.msg} at line {error.lineno}, column {error.colno}",
            fix="Write the file again; it is damaged or cut off.",
        ) from error  # fmt: skip
    except (UnreadableError, ValueError, RecursionError) as error:
        raise _damaged(tree, name, str(error)) from error
    if not isinstance(values, dict):
        raise _damaged(tree, name, f"JSON {type(values).__name__}, not an object")
    lists = {key: values[key] for key in ("images", "annotations", "categories") if key in values}
    for key, part in lists.items():
        if not isinstance(part, list):
            raise _damaged(tree, name, f"{key} is {type(part).__name__}, not a list")
    return lists


def _damaged(tree: Tree, name: Name, reason: str) -> DataError:
    return DataError(
        "The file cannot be read as COCO annotations", where=tree.files[name], got=reason,
        accepted='JSON with lists "images", "annotations" and "categories"',
        fix="Write it again; it is damaged, or of another format.",
    )  # fmt: skip


def _rows(lists: Mapping[str, list[Any]], tree: Tree, name: Name) -> Iterator[Annotated]:
    """A row for each entry of `images`; then one for each image that only annotations know of."""
    classes: dict[str, list[str]] = {}
    for one in lists.get("categories", []):
        if isinstance(one, dict) and one.get("name") is not None:
            classes.setdefault(str(one.get("id")), []).append(str(one["name"]))
    things: dict[str, list[dict[str, Any]]] = {}
    for one in lists.get("annotations", []):
        known = isinstance(one, dict) and one.get("image_id") is not None
        things.setdefault(str(one["image_id"]) if known else "", []).append(_thing(one, classes))
    places = _Places(tree, name)
    taken: set[str] = set()
    for one in lists.get("images", []):
        row = _row(one, things, places, tree)
        if isinstance(one, dict) and one.get("id") is not None:
            number = str(one["id"])
            if not row.reason and number in taken:
                row = row._replace(reason=f"its id {number} is that of another image")
            taken.add(number)
        yield row
    part = places.part
    for number, lost in Counter({key: len(found) for key, found in things.items() if key not in taken}).items():
        of = f"image {number}, which is not among the images" if number else "no image"
        reason = f"{lost} annotation{'s are' if lost > 1 else ' is'} of {of}"
        yield Annotated(None, None, 0, None, part, reason, stray=True)


def _row(one: Any, things: Mapping[str, list[dict[str, Any]]], places: _Places, tree: Tree) -> Annotated:
    incomplete = "this entry of images has no id and file_name"
    if not isinstance(one, dict) or not isinstance(one.get("file_name"), str):
        return Annotated(None, None, 0, None, places.part, incomplete)
    found = places.find(one["file_name"])
    if found is None:
        return Annotated(None, None, 0, None, places.part, f"there is no such file: {one['file_name']}")
    path = found if isinstance(found, str) else tree.path(found)
    if one.get("id") is None:
        return Annotated(path, None, 0, None, places.part, incomplete)
    sizes = [one.get(name) for name in ("width", "height")]
    told = all(isinstance(size, int | float) and 0 < size < 1e9 for size in sizes)
    size = (float(sizes[0] or 0), float(sizes[1] or 0)) if told else None
    return Annotated(path, things.get(str(one["id"]), []), 0, size, places.part)


def _thing(one: Any, classes: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The box of an annotation: left, top, width and height there, its edges here."""
    if not isinstance(one, dict):
        return thing(None, None, flaw="is no object of JSON")
    number = str(one.get("category_id"))
    names = dict.fromkeys(classes.get(number, ()))
    # Which of several names is meant is not known: to take one would teach a class that nobody drew.
    label, crowd = next(iter(names)) if len(names) == 1 else None, one.get("iscrowd") in (1, True)
    numbers = one.get("bbox")
    if not isinstance(numbers, list) or len(numbers) != 4 or not all(map(_is_number, numbers)):
        return thing(label, None, crowd=crowd, flaw="has no bbox of four numbers")
    left, top, width, height = map(float, numbers)
    told = f"has several names: {', '.join(names)}" if names else "is not among the categories"
    flaw = None if label is not None else f"has the category {number}, which {told}"
    return thing(label, (left, top, left + width, top + height), crowd=crowd, flaw=flaw)


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < 1 << 62)


class _Places:
    """Where the pictures of one annotation file are: names count from its folder, or from one that may be guessed."""

    def __init__(self, tree: Tree, name: Name) -> None:
        self._tree = tree
        self._folder = name[:-1]
        # instances_val2017.json is of pictures in val2017; train/_annotations.coco.json of those beside it.
        words = re.split(r"[^a-z0-9]+", stem_of(name).lower())
        self.part = part_of(words) or part_of(name[:-1])
        self._by_name: dict[str, list[Name]] = {}
        for one in tree.pictures:
            self._by_name.setdefault(one[-1], []).append(one)

    def find(self, file_name: str) -> Name | str | None:
        """Where a picture stands in the tree; its path where it is given in full; None where it is not there."""
        if os.path.isabs(file_name) and os.path.exists(file_name):
            return file_name
        parts = tuple(part for part in re.split(r"[/\\]+", file_name) if part not in ("", "."))
        for base in (self._folder, ()):
            if (whole := _resolved((*base, *parts))) in self._tree.files:
                return whole
        found = self._by_name.get(parts[-1], []) if parts else []
        return max(found, key=lambda one: self._likeness(one, parts), default=None)

    def _likeness(self, one: Name, parts: Name) -> tuple[int, bool, int]:
        """How many folders agree from the end, whether the part does, how near it is to the annotation file."""
        same = sum(1 for _ in _common(one[::-1], parts[::-1]))
        return same, part_of(one[:-1]) == self.part, sum(1 for _ in _common(one, self._folder))


def _common(one: Name, other: Name) -> Iterator[str]:
    for a, b in zip(one, other, strict=False):
        if a != b:
            return
        yield a


def _resolved(parts: Name) -> Name:
    """The parts of a path without steps up."""
    left: list[str] = []
    for part in parts:
        if part == ".." and left:
            left.pop()
        else:
            left.append(part)
    return tuple(left)
