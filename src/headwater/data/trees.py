"""Files by where they stand, whether in a folder or in zip archives: annotations lie now in one, now in the other."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Self

from headwater.data import layouts
from headwater.data.layouts import Name
from headwater.data.pictures import DAMAGED_ARCHIVE, INSIDE, SUFFIXES, content_of, kept_open
from headwater.data.raster import UnreadableError
from headwater.errors import DataError

_ARCHIVE: Final = ".zip"
_MOST_ARCHIVES: Final = 16
_DEEPEST: Final = 5
_BETWEEN: Final = re.compile(r"[/\\]+")


@dataclass(frozen=True)
class Tree:
    """Some files.

    Attributes:
        name: what to call them in messages.
        where: the folder or archive that was read.
        files: the path of each by where it stands, in order; in an archive it is `archive.zip!/name`.

    Example:
        >>> tree = Tree("pets", "data/pets", {("images", "1.jpg"): "data/pets/images/1.jpg"})
        >>> tree.pictures, tree.near("1", ("labels", "1.txt"))
        ([('images', '1.jpg')], ('images', '1.jpg'))
    """

    name: str
    where: str
    files: Mapping[Name, str]

    @classmethod
    def of_folder(cls, folder: Path, names: Iterable[Name]) -> Self:
        """The files of a folder; what a zip archive at its top holds stands in a folder of the archive's name."""
        files = {name: str(folder.joinpath(*name)) for name in names}
        archives = [name for name in files if len(name) == 1 and name[0].lower().endswith(_ARCHIVE)]
        for name in archives[:_MOST_ARCHIVES]:
            stem = stem_of(name)
            for parts, path in _members(files[name]).items():
                files[parts if len(parts) > 1 and parts[0].lower() == stem.lower() else (stem, *parts)] = path
        return cls(folder.name, str(folder), dict(sorted(files.items())))

    @classmethod
    def of_archive(cls, archive: Path) -> Self:
        """The files of a zip archive, without the folders that everything in it stands in."""
        files = _members(str(archive))
        while files and len({name[0] for name in files}) == 1 and all(len(name) > 2 for name in files):
            files = {name[1:]: path for name, path in files.items()}
        return cls(archive.name, str(archive), dict(sorted(files.items())))

    @cached_property
    def pictures(self) -> list[Name]:
        """Where the pictures stand, by name."""
        return self.ending(*SUFFIXES)

    def ending(self, *suffixes: str) -> list[Name]:
        """Where the files stand whose name ends so."""
        return [name for name in self.files if name[-1].lower().endswith(suffixes)]

    def read(self, name: Name) -> bytes:
        """The bytes of a file.

        Raises:
            UnreadableError: it cannot be opened.
        """
        return content_of(self.files[name])

    def starts(self, name: Name, size: int) -> bytes:
        """The first bytes of a file; nothing of one that cannot be opened."""
        try:
            return self.read(name)[:size]
        except UnreadableError:
            return b""

    def path(self, name: Name) -> str:
        """The whole path of a file, which does not count from the file that names it."""
        path = self.files[name]
        return path if os.path.isabs(path) else os.path.join(os.getcwd(), path)

    def near(self, stem: str, name: Name, among: Mapping[str, list[Name]] | None = None) -> Name | None:
        """Of the pictures with this stem the one that shares most folders with another file; None without any."""
        found = (among if among is not None else self.by_stem).get(stem, [])
        return max(found, key=lambda one: _shared(one, name), default=None)

    @cached_property
    def by_stem(self) -> dict[str, list[Name]]:
        """The pictures by the stem of their names."""
        found: dict[str, list[Name]] = {}
        for name in self.pictures:
            found.setdefault(stem_of(name), []).append(name)
        return found


def names_below(folder: Path, above: Name = ()) -> Iterator[Name]:
    """The files below a folder, but for hidden ones and those deeper than any layout has them.

    A picture that is a link to nothing is among them, so that whoever reads it says so: stores of large files leave
    such links where a file was not fetched.

    Raises:
        DataError: a folder cannot be looked into.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise DataError("This folder cannot be looked into", where=str(folder), got=error.strerror) from error
    for entry in entries:
        if layouts.hidden(entry.name):
            continue
        # Of a link that leads to itself the entry could not say what it is.
        is_file = os.path.isfile(entry.path) if entry.is_symlink() else entry.is_file()
        if is_file or _leads_nowhere(entry):
            yield (*above, entry.name)
        elif len(above) + 1 < _DEEPEST and os.path.isdir(entry.path):
            yield from names_below(Path(entry.path), (*above, entry.name))


def _leads_nowhere(entry: os.DirEntry[str]) -> bool:
    """Whether a link has the name of a picture, and nothing stands where it leads."""
    return entry.is_symlink() and entry.name.lower().endswith(SUFFIXES) and not os.path.exists(entry.path)


def stem_of(name: Name) -> str:
    """The name of a file without its folders and its suffix."""
    return os.path.splitext(name[-1])[0]


def _shared(one: Name, other: Name) -> int:
    """How many folders from the top two files have in common, less those that they have not."""
    same = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    return same - abs(len(one) - len(other))


def _members(archive: str) -> dict[Name, str]:
    """The files of an archive; none where it cannot be read, as whoever reads its pictures will say."""
    try:
        entries = [entry.filename for entry in kept_open(archive).infolist() if not entry.is_dir()]
    except DAMAGED_ARCHIVE:
        return {}
    parts = {tuple(part for part in _BETWEEN.split(entry) if part not in ("", ".", "..")): entry for entry in entries}
    return {
        name: f"{archive}{INSIDE}{entry}"
        for name, entry in parts.items()
        if name and not any(map(layouts.hidden, name))
    }
