"""The frames that boxes are measured in: the size of each picture, and whether it lay on its side for whoever drew."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from headwater.data.image_field import Image
from headwater.data.pictures import Picture, look
from headwater.data.raster import UnreadableError, opened, orientation
from headwater.data.records import Records

_SIZES: Final = ("width", "height")
"""The columns that say how large a picture was when its boxes were drawn."""
_NEAR: Final = 2
"""Pixels by which a size may differ that someone has rounded."""


@dataclass(frozen=True)
class Frame:
    """One picture as a person sees it, and how its file has to be turned for that.

    Attributes:
        width, height: in pixels; not-a-number where the picture cannot be read.
        orientation: of EXIF, from 5 to 8, where the boxes were drawn on the file as it lies; else 1.
    """

    width: float = math.nan
    height: float = math.nan
    orientation: int = 1

    def turned(self, place: np.ndarray) -> np.ndarray:
        """Left, top, right, bottom in the file as left, top, right, bottom for a person.

        Example:
            >>> Frame(4, 8, 6).turned(np.array([0.0, 0.0, 2.0, 1.0])).tolist()
            [3.0, 0.0, 4.0, 2.0]
        """
        left, top, right, bottom = place
        across, down = {
            5: ((top, bottom), (left, right)),
            6: ((self.width - bottom, self.width - top), (left, right)),
            7: ((self.width - bottom, self.width - top), (self.height - right, self.height - left)),
            8: ((top, bottom), (self.height - right, self.height - left)),
        }.get(self.orientation, ((left, right), (top, bottom)))
        return np.array([across[0], down[0], across[1], down[1]])


def frames(records: Records, image: str) -> tuple[list[Frame], dict[int, str]]:
    """The frame of each row, and why the boxes of some were not drawn on the picture that is there."""
    pictures: list[Picture | None] = [None] * len(records)
    if image in records.columns:
        pictures = Image((image,)).values(records)[0]
    there = [(row, picture) for row, picture in enumerate(pictures) if picture is not None]
    found = [Frame()] * len(records)
    told, reasons = _told(records), {}
    for (row, picture), seen in zip(there, look([picture for _, picture in there]), strict=True):
        frame = _drawn_on(picture, Frame(seen.width, seen.height), told[row])
        if frame is None:
            width, height = told[row]
            drawn = f"the boxes were drawn on a picture of {width:g} x {height:g} pixels"
            reasons[row] = f"{drawn}, and this one has {seen.width} x {seen.height}"
        found[row] = frame or Frame(seen.width, seen.height)
    return found, reasons


def _told(records: Records) -> Sequence[tuple[float, float]]:
    """The size that the data says each picture has; not-a-number where it says none."""
    if not set(_SIZES) <= set(records.columns):
        return [(math.nan, math.nan)] * len(records)
    widths, heights = (map(_number, records.column(name)) for name in _SIZES)
    return list(zip(widths, heights, strict=True))


def _drawn_on(picture: Picture, seen: Frame, told: tuple[float, float]) -> Frame | None:
    """The frame of boxes that were drawn on a picture of the size that is told; None where that is not this one."""
    if not all(size > 0 for size in told) or _fits(told, (seen.width, seen.height)):
        return seen
    if not _fits(told, (seen.height, seen.width)):
        return None
    try:
        with opened(picture.read()) as image:
            turn = orientation(image)
    except UnreadableError:
        return seen  # the field of images says so
    return Frame(seen.width, seen.height, turn) if 4 < turn < 9 else None


def _fits(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(abs(a - b) <= _NEAR for a, b in zip(one, other, strict=True))


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
