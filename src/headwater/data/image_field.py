"""The field of images: how the cells of a column become pictures that can be read."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from headwater.data.pictures import SUFFIXES, Picture, look
from headwater.data.records import Records
from headwater.data.shades import common_white

log = logging.getLogger("headwater")
_PLAIN: Final = ("image", "text")
"""The columns that folders, archives and lists of images have, and that `data.memory` makes of a list of paths."""
_MOSTLY: Final = 0.5


@dataclass(frozen=True)
class Image:
    """One column of images: each a path, `archive.zip!/name`, the bytes of a file, or both as the hub keeps them.

    A path is relative to the folder of the file its row stands in; in rows from memory it is taken as it is.

    Attributes:
        columns: the column.
        white: what white is at least in images of more than 8 bits a channel that do not tell, so that a dark one stays
            darker; broken numbers between 0 and 1 have a white of 1 all the same.

    Example:
        >>> import pyarrow as pa
        >>> Image(("photo",)).values(Records(pa.table({"photo": [None, b"no image"]})))
        ([None, None], {0: 'the image in column photo is missing', 1: 'this is no image that can be read'})
    """

    columns: tuple[str, ...]
    white: float = 0.0

    def settled(self, train: Records) -> Image:
        """The field with the white that training images of more than 8 bits a channel have in common."""
        there = [picture for picture in self.values(train)[0] if picture is not None]
        whites = [seen.white for seen in look(there) if seen.white > 1]
        if not whites:
            return self
        white = common_white(whites)
        log.info("white of images of more than 8 bits: %g, in training %g to %g by themselves",
                 white, min(whites), max(whites))  # fmt: skip
        return replace(self, white=white)

    def values(self, records: Records) -> tuple[list[Any], dict[int, str]]:
        """The `Picture` of each row, None where there is none that can be read, and the reason for each None.

        Raises:
            ExtraError: there are images, and Pillow is not installed.
        """
        name = self.columns[0]
        values: list[Picture | None] = [None] * len(records)
        reasons: dict[int, str] = {}
        for row, cell in enumerate(records.column(name)):
            if row not in records.problems:
                found = picture_of(name, cell, records.file(row))
                if isinstance(found, str):
                    reasons[row] = found
                else:
                    values[row] = replace(found, white=self.white) if self.white else found
        there = [(row, picture) for row, picture in enumerate(values) if picture is not None]
        for (row, _), seen in zip(there, look([picture for _, picture in there]), strict=True):
            if seen.reason:
                reasons[row], values[row] = seen.reason, None
        return values, reasons

    def named(self, records: Records) -> Records:
        """Images of a folder, an archive or a plain list, under the column name of this field."""
        if self.columns[0] in records.columns:
            return records
        plain = next((name for name in _PLAIN if name in records.columns), None)
        if plain is None or (plain == "text" and len(records.columns) > 1):
            return records
        names = [self.columns[0] if name == plain else name for name in records.columns]
        return replace(records, table=records.table.rename_columns(names))


def holds_images(cells: Sequence[Any]) -> bool:
    """Whether most of the cells that hold something hold an image, as far as can be seen without opening any.

    Example:
        >>> holds_images(["ants/1.jpg", None]), holds_images([b"GIF89a"]), holds_images(["ants", "bees"])
        (True, True, False)
    """
    there = [cell for cell in cells if cell is not None]
    return sum(map(_may_be_image, there)) > _MOSTLY * len(there)


def _may_be_image(cell: Any) -> bool:
    if isinstance(cell, Mapping):
        return bool({"bytes", "path"} & set(cell))
    return isinstance(cell, bytes) or (isinstance(cell, str) and cell.strip().lower().endswith(SUFFIXES))


def picture_of(name: str, cell: Any, file: str | None, what: str = "image") -> Picture | str:
    """The picture of a cell, or the reason why it is none.

    Args:
        name: the column.
        cell: a path, bytes, or both as the hub keeps them.
        file: the file that its row stands in.
        what: what to call the picture in the reason.
    """
    if isinstance(cell, Mapping):
        cell = cell.get("path") if cell.get("bytes") is None else cell["bytes"]
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return f"the {what} in column {name} is missing"
    if isinstance(cell, bytes):
        return Picture(content=cell)
    if not isinstance(cell, str):
        return f"column {name} holds {type(cell).__name__}, not {'an' if what == 'image' else 'a'} {what}"
    return Picture(_resolved(cell.strip(), file))


def _resolved(path: str, file: str | None) -> str:
    """A path as it can be opened, given the file that its row stands in."""
    # Of a folder or an archive that was read, each row stands in the very file that it names.
    return path if file is None or path == file else os.path.join(os.path.dirname(file), path)
