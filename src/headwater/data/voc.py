"""Annotations of Pascal VOC: an XML file for each picture (Everingham et al. 2010)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, NamedTuple, Self
from xml.etree import ElementTree
from xml.parsers import expat

from headwater.data.annotations import Annotated, Annotations, thing
from headwater.data.encoding import decode
from headwater.data.layouts import PARTS, Name, part_of
from headwater.data.raster import UnreadableError
from headwater.data.trees import Tree, stem_of

_MOST_BYTES: Final = 1 << 24
_SNIFFED: Final = 20
_ROOT: Final = b"<annotation"
_PICTURES: Final = "jpegimages"
_EDGES: Final = ("xmin", "ymin", "xmax", "ymax")
_FURTHEST: Final = ("test", "valid", "train")
"""A name in several lists is in the first of these parts."""
_DECLARED: Final = re.compile(r"\s*<\?xml[^>]*\?>")


class RefusedError(ValueError):
    """Why an XML file is not read."""


class _Pair(NamedTuple):
    """A picture and its XML file, either of which may be missing; their part, and the name that both should have."""

    picture: Name | None
    file: Name | None
    part: str | None
    name: str


@dataclass(frozen=True)
class VocAnnotations(Annotations):
    """One XML file a picture; lists in `ImageSets` say which pictures there are, and in which part each is."""

    kind: ClassVar[str] = "Pascal VOC"

    tree: Tree
    pairs: tuple[_Pair, ...]

    @classmethod
    def found_in(cls, tree: Tree) -> Self | None:
        """The annotations of a folder or archive; None where it has none of this kind."""
        files = [name for name in tree.ending(".xml") if name[-1].lower() != ".xml"]
        if not tree.pictures or not any(_ROOT in _plain(tree.starts(name, 4096)) for name in files[:_SNIFFED]):
            return None
        pairs, parts = _pairs(tree, files), _parts(tree)
        pairs = _listed(pairs, parts) if parts else pairs
        places = tuple(tree.files.get(pair.file or pair.picture or (), tree.where) for pair in pairs)
        return cls(tree.name, places, len(pairs), all(pair.part for pair in pairs), tree, tuple(pairs))

    def part(self, here: slice) -> list[Annotated]:
        return [self._row(row) for row in range(*here.indices(self.rows))]

    def _row(self, row: int) -> Annotated:
        pair = self.pairs[row]
        path = None if pair.picture is None else self.tree.path(pair.picture)
        lack = f"there is no picture {pair.name}" if path is None else None
        if pair.file is None:
            return Annotated(path, None, row, None, pair.part, lack)
        try:
            things, size = read_voc(self.tree.read(pair.file))
        except (UnreadableError, RefusedError) as error:
            return Annotated(path, None, row, None, pair.part, str(error))
        return Annotated(path, things, row, size, pair.part, lack)


def read_voc(content: bytes) -> tuple[list[dict[str, Any]], tuple[float, float] | None]:
    """The boxes of one file, and the size of its picture where it is told.

    Raises:
        RefusedError: it is no XML, defines a document type (which can unpack to all memory), or annotates nothing.

    Example:
        >>> file = b"<annotation><object><name>cat</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax>"
        >>> things, size = read_voc(file + b"<ymax>4</ymax></bndbox></object></annotation>")
        >>> things[0]["label"], things[0]["right"], size
        ('cat', 3.0, None)
    """
    root = _root(content)
    if root.tag != "annotation":
        raise RefusedError(f"this is XML of another kind: its root is {root.tag}, not annotation")
    things = [_thing(one) for one in root.findall("object")]
    width, height = (_number(root.findtext(f"size/{name}")) for name in ("width", "height"))
    return things, (width, height) if width > 0 and height > 0 else None


def _thing(one: ElementTree.Element) -> dict[str, Any]:
    label = (one.findtext("name") or "").strip() or None
    box = one.find("bndbox")
    difficult = _number(one.findtext("difficult")) > 0
    if box is None:
        return thing(label, None, difficult=difficult, flaw="has no bndbox")
    return thing(label, [_number(box.findtext(edge)) for edge in _EDGES], difficult=difficult)


def _number(text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        return math.nan


def _root(content: bytes) -> ElementTree.Element:
    if len(content) > _MOST_BYTES:
        raise RefusedError(f"the file has more than {_MOST_BYTES:,} bytes")
    try:
        return _parsed(content, None)
    except (expat.ExpatError, LookupError, ValueError) as error:
        if isinstance(error, RefusedError):
            raise
    # Python's parser knows few encodings: the others are decoded first.
    text = _DECLARED.sub("", decode(content, None).removeprefix("\ufeff"), count=1)
    try:
        return _parsed(text.encode("utf-8", "replace"), "utf-8")
    except (expat.ExpatError, ValueError) as error:
        if isinstance(error, RefusedError):
            raise
        raise RefusedError(f"this is no XML that can be read: {error}") from error


def _parsed(content: bytes, encoding: str | None) -> ElementTree.Element:
    parser, builder = expat.ParserCreate(encoding), ElementTree.TreeBuilder()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.Parse(content, True)  # noqa: FBT003
    return builder.close()


def _refuse(*_: object) -> None:
    raise RefusedError("the XML defines a document type or entities, which no annotation needs")


def _plain(content: bytes) -> bytes:
    """Bytes without those that UTF-16 puts between Latin letters."""
    return content.replace(b"\0", b"")


def _pairs(tree: Tree, files: list[Name]) -> list[_Pair]:
    """Each picture with its XML file, by name; then the files that have no picture."""
    inside = [name for name in tree.pictures if _PICTURES in map(str.lower, name[:-1])]
    pictures = inside or tree.pictures
    by_stem: dict[str, list[Name]] = {}
    for name in pictures:
        by_stem.setdefault(stem_of(name), []).append(name)
    file_of: dict[Name, Name] = {}
    lost: list[Name] = []
    for name in files:
        picture = tree.near(stem_of(name), name, by_stem) or tree.near(_told(tree, name), name, by_stem)
        if picture is None or picture in file_of:
            lost.append(name)
        else:
            file_of[picture] = name
    return [
        *(_Pair(name, file_of.get(name), part_of(name[:-1]), stem_of(name)) for name in pictures),
        *(_Pair(None, name, part_of(name[:-1]), stem_of(name)) for name in lost),
    ]


def _told(tree: Tree, name: Name) -> str:
    """The stem of the picture that an XML file names, where it has another than its own."""
    try:
        told = _root(tree.read(name)).findtext("filename") or ""
    except (UnreadableError, RefusedError):
        return ""
    return stem_of((re.split(r"[/\\]", told.strip())[-1],))


def _parts(tree: Tree) -> dict[str, str]:
    """The part of each name in the lists of `ImageSets`."""
    named: dict[str, list[str]] = {}
    for name in tree.ending(".txt"):
        folders = [folder.lower() for folder in name[:-1]]
        stem = stem_of(name).lower()
        part = "train" if stem == "trainval" else PARTS.get(stem)
        if part and "imagesets" in folders and folders[-1] in ("imagesets", "main"):
            lines = decode(tree.starts(name, _MOST_BYTES), None).splitlines()
            words = [line.split() for line in lines]
            named.setdefault("rest" if stem == "trainval" else part, []).extend(word[0] for word in words if word)
    found = dict.fromkeys(named.get("rest", []), "train")
    for part in reversed(_FURTHEST):
        found.update(dict.fromkeys(named.get(part, []), part))
    return found


def _listed(pairs: list[_Pair], parts: Mapping[str, str]) -> list[_Pair]:
    """The pairs whose names are in a list, each in the part of that list; then the names that are in lists alone."""
    named = {stem_of(pair.file or ("",)): pair for pair in pairs} | {pair.name: pair for pair in pairs}
    there = [(name, named[name]._replace(part=part)) for name, part in parts.items() if name in named]
    there.sort(key=lambda one: one[0])
    return [
        *(pair for _, pair in there),
        *(_Pair(None, None, part, name) for name, part in parts.items() if name not in named),
    ]
