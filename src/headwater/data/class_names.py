"""What the numbers and colours of masks are called: a file of names that lies beside the masks, or above them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from headwater.data.encoding import decode
from headwater.data.masks import code_of, colour_code, written
from headwater.data.pictures import DAMAGED_ARCHIVE, INSIDE, kept_open, parted

FILES: Final = (
    "classes.txt", "class_names.txt", "label_colors.txt", "label_colours.txt", "labelmap.txt", "codes.txt",
    "labels.txt", "names.txt", "classes.csv", "class_dict.csv", "classes.json", "class_names.json", "labels.json",
    "names.json",
)  # fmt: skip
"""The usual names of such a file, the likeliest first."""
_VOID: Final = ("void", "ignore", "ignored", "unlabelled", "unlabeled", "unknown", "dont care", "don't care")
_ABOVE: Final = 3
_MOST_BYTES: Final = 1 << 20
_WITHIN: Final = ("classes", "names", "labels", "categories", "id2label")
_MARKS: Final = re.compile(r"[,;:\t]+")
_HEADINGS: Final = ("name", "class", "class_name", "label", "id", "r", "red")


@dataclass(frozen=True)
class ClassNames:
    """The names of codes; which of the two holds, the masks tell.

    Attributes:
        numbers: for each number as it is written its name.
        colours: for each colour as it is written its name.
        file: where they were read.
    """

    numbers: dict[str, str] = field(default_factory=dict)
    colours: dict[str, str] = field(default_factory=dict)
    file: str | None = None

    def of(self, *, coloured: bool) -> dict[str, str]:
        """The names for masks of colours, or for such as have numbers alone."""
        return {**self.numbers, **self.colours} if coloured else self.numbers or self.colours


def is_void(name: str) -> bool:
    """Whether a name says that a pixel of it is of no class.

    Example:
        >>> is_void("Unlabelled"), is_void("background")
        (True, False)
    """
    return name.strip().lower() in _VOID


def names_near(mask: str) -> ClassNames:
    """The names in a file beside a mask, or up to three folders above; none where there is no such file.

    Args:
        mask: the path of a mask, or `archive.zip!/name`.
    """
    for place, content in _files_near(mask):
        try:
            found = read_names(decode(content, None), place)
        except (ValueError, TypeError, AttributeError, KeyError):
            continue  # a file of a usual name that is something else
        if found.numbers or found.colours:
            return found
    return ClassNames()


def read_names(text: str, file: str) -> ClassNames:
    r"""The names that a file of text or JSON gives.

    A line is a name, whose number is how many stand before it; or a name with its number or its red, green and blue,
    before or behind it. JSON is a list of names, or says of each name its number or colour, or of each number its name.

    Raises:
        ValueError, TypeError, AttributeError, KeyError: it is no file of names.

    Example:
        >>> read_names("sky\nroad", "classes.txt").numbers
        {'0': 'sky', '1': 'road'}
        >>> read_names("64 128 64 Animal\n0 0 0 Void", "label_colors.txt").colours
        {'#408040': 'Animal', '0': 'Void'}
    """
    if file.lower().endswith(".json"):
        return _of_json(json.loads(text), file)
    numbers: dict[str, str] = {}
    colours: dict[str, str] = {}
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for place, line in enumerate(lines[_is_heading(lines) :]):
        values, name = _told(line)
        if len(values) > 2:
            colours[_colour(values[-3:])] = name
        number = str(values[0]) if len(values) in (1, 4) else str(place)
        numbers.setdefault(number, name)
    return ClassNames(numbers, colours, file)


def _files_near(mask: str) -> Iterator[tuple[str, bytes]]:
    archive, name = parted(mask)
    if archive is not None:
        yield from _members(archive, name)
    folder = Path(archive or name).parent
    for above in [folder, *folder.parents][: _ABOVE + 1]:
        for usual in FILES:
            file = above / usual
            if file.is_file() and file.stat().st_size <= _MOST_BYTES:
                yield str(file), file.read_bytes()


def _members(archive: str, name: str) -> Iterator[tuple[str, bytes]]:
    try:
        opened = kept_open(archive)
        there = {entry.filename: entry.file_size for entry in opened.infolist()}
        above = name
        while above:
            above = above.rpartition("/")[0]
            for usual in FILES:
                member = f"{above}/{usual}" if above else usual
                if there.get(member, _MOST_BYTES + 1) <= _MOST_BYTES:
                    yield f"{archive}{INSIDE}{member}", opened.read(member)
    except DAMAGED_ARCHIVE:
        return  # its masks cannot be read either, and say so


def _is_heading(lines: list[str]) -> bool:
    """Whether the first line names columns, as that of a table does."""
    words = [word.strip().lower() for word in _MARKS.split(lines[0])] if lines else []
    return len(words) > 1 and words[0] in _HEADINGS


def _told(line: str) -> tuple[list[int], str]:
    """The numbers of a line, which stand before the name or behind it, and the name."""
    parts = [part.strip() for part in _MARKS.split(line) if part.strip()]
    if len(parts) < 4:
        parts = line.replace(":", " ").replace(",", " ").replace(";", " ").split()
    whole = [part.isascii() and part.isdigit() for part in parts]
    values = [int(part) for part, is_number in zip(parts, whole, strict=True) if is_number]
    words = [part for part, is_number in zip(parts, whole, strict=True) if not is_number]
    if len(values) == len(parts) == 2:
        return values[:1], parts[1]
    if len(values) not in (1, 3, 4) or not words or not (whole[0] or whole[-1] or len(parts) > 3):
        return [], line
    return values, " ".join(words)


def _colour(values: list[Any]) -> str:
    if len(values) != 3 or not all(isinstance(value, int) and 0 <= value < 256 for value in values):
        raise ValueError(values)
    return written(colour_code(*values))


def _of_json(values: Any, file: str) -> ClassNames:
    within = next((values[key] for key in _WITHIN if isinstance(values, dict) and key in values), values)
    numbers: dict[str, str] = {}
    colours: dict[str, str] = {}
    pairs = within.items() if isinstance(within, dict) else enumerate(within)
    for key, value in pairs:
        if isinstance(value, dict):
            name, number = str(value["name"]), value.get("id", key)
            numbers[str(number)] = name
            if colour := value.get("color", value.get("colour")):
                colours[_colour(list(colour))] = name
        elif isinstance(value, list):
            colours[_colour(value)] = str(key)
        elif isinstance(value, int):
            numbers[str(value)] = str(key)
        elif code_of(str(key)) is not None:
            (colours if str(key).startswith("#") else numbers)[str(key).lower()] = str(value)
        else:
            colours[written(_needed(str(value)))] = str(key)
    return ClassNames(numbers, colours, file)


def _needed(text: str) -> int:
    code = code_of(text)
    if code is None:
        raise ValueError(text)
    return code
