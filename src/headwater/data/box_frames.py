"""The frames that boxes are measured in: the size of each picture, and whether EXIF had turned it for whoever drew."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from headwater.data.image_field import Image
from headwater.data.pictures import Glance, look
from headwater.data.records import Records
from headwater.data.turns import ON_ITS_SIDE, agreed

_SIZES: Final = ("width", "height")
"""The columns that say how large a picture was when its boxes were drawn."""
_NEAR: Final = 2
"""Pixels by which a size may differ that someone has rounded."""


@dataclass(frozen=True)
class Frame:
    """One picture as a person sees it, and how its file has to be turned for that.

    Attributes:
        width, height: in pixels; not-a-number where the picture cannot be read.
        orientation: of EXIF, from 2 to 8, where the boxes were drawn on the file as it lies; else 1.
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
        mirrored, headlong = (self.width - right, self.width - left), (self.height - bottom, self.height - top)
        across, down = {
            2: (mirrored, (top, bottom)),
            3: (mirrored, headlong),
            4: ((left, right), headlong),
            5: ((top, bottom), (left, right)),
            6: ((self.width - bottom, self.width - top), (left, right)),
            7: ((self.width - bottom, self.width - top), (self.height - right, self.height - left)),
            8: ((top, bottom), (self.height - right, self.height - left)),
        }.get(self.orientation, ((left, right), (top, bottom)))
        return np.array([across[0], down[0], across[1], down[1]])


def frames(records: Records, image: str, *, lying: bool = False) -> tuple[list[Frame], dict[int, str]]:
    """The frame of each row, and why the boxes of some were not drawn on the picture that is there.

    Args:
        records: the rows.
        image: the column of pictures.
        lying: whether boxes of pictures that EXIF turns were drawn on the files as they lie, where sizes do not tell.
    """
    found, reasons = [Frame()] * len(records), {}
    for row, seen, told in _looks(records, image):
        by_size = _drawn_lying(seen, told)
        if _misfits(seen, told):
            drawn = f"the boxes were drawn on a picture of {told[0]:g} x {told[1]:g} pixels"
            reasons[row] = f"{drawn}, and this one has {seen.width} x {seen.height}"
            by_size = False
        found[row] = Frame(seen.width, seen.height, seen.turn if (lying if by_size is None else by_size) else 1)
    return found, reasons


def convention(records: Records, image: str) -> tuple[bool | None, int]:
    """Whether boxes were drawn on files as they lie, and of how many pictures that EXIF turns sizes do not tell it.

    Pictures that EXIF lays on their side tell it by the size that the data says they have. None where none tells, or
    where they tell different things.
    """
    return agreed(_drawn_lying(seen, size) for _, seen, size in _looks(records, image) if seen.turn > 1)


def _looks(records: Records, image: str) -> Iterator[tuple[int, Glance, tuple[float, float]]]:
    """Each row with a picture, what a look at it tells, and the size that the data says it has."""
    if image not in records.columns:
        return
    pictures = Image((image,)).values(records)[0]
    there = [(row, picture) for row, picture in enumerate(pictures) if picture is not None]
    told = _told(records)
    for (row, _), seen in zip(there, look([picture for _, picture in there]), strict=True):
        yield row, seen, told[row]


def _told(records: Records) -> Sequence[tuple[float, float]]:
    """The size that the data says each picture has; not-a-number where it says none."""
    if not set(_SIZES) <= set(records.columns):
        return [(math.nan, math.nan)] * len(records)
    widths, heights = (map(_number, records.column(name)) for name in _SIZES)
    return list(zip(widths, heights, strict=True))


def _drawn_lying(seen: Glance, told: tuple[float, float]) -> bool | None:
    """Whether the size that is told is that of a turned file as it lies; None where it would be the same either way."""
    if not _is_size(told) or seen.turn < ON_ITS_SIDE:
        return None
    upright, lying = (_fits(told, size) for size in ((seen.width, seen.height), (seen.height, seen.width)))
    return None if upright == lying else lying


def _misfits(seen: Glance, told: tuple[float, float]) -> bool:
    """Whether the size that is told is that of another picture."""
    sizes = [(seen.width, seen.height), (seen.height, seen.width)][: 1 + (seen.turn >= ON_ITS_SIDE)]
    return _is_size(told) and not any(_fits(told, size) for size in sizes)


def _is_size(told: tuple[float, float]) -> bool:
    return all(size > 0 for size in told)


def _fits(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(abs(a - b) <= _NEAR for a, b in zip(one, other, strict=True))


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
