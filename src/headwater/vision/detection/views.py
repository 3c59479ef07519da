"""Random views of training pictures, anew in every step, in which boxes move with the pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import torch
from torch.nn import functional

from headwater.data.pictures import PADDING
from headwater.vision.detection.geometry import areas

_LEAST_SEEN: Final = 0.25
"""The share of a box that must still be in sight for a model to be asked for it."""
_LEAST_EDGE: Final = 2.0
_SPLIT: Final = (0.3, 0.7)
"""Where the parts of a mosaic meet, as a share of the edge."""


@dataclass(frozen=True)
class Preset:
    """What is done to training pictures.

    Attributes:
        mirror: whether half of the pictures are mirrored, left for right.
        upside_down: whether half are mirrored, top for bottom.
        zoom: how many times as large a picture is at least and at most; what it leaves free is grey.
        colour: how much brightness, contrast and saturation change at most, as a share.
        mosaic: the share of pictures that are put together from parts of four (Bochkovskiy et al., YOLOv4, 2020).
    """

    mirror: bool = False
    upside_down: bool = False
    zoom: tuple[float, float] = (1.0, 1.0)
    colour: float = 0.0
    mosaic: float = 0.0


PRESETS: Final = {
    "none": Preset(),
    "light": Preset(mirror=True, zoom=(0.8, 1.25), colour=0.1),
    "standard": Preset(mirror=True, zoom=(0.6, 1.6), colour=0.3, mosaic=0.5),
    "strong": Preset(mirror=True, zoom=(0.4, 2.0), colour=0.4, mosaic=0.8),
}


class Views:
    """Which part of which picture each place of some new pictures shows: the whole of one, or two by two of four.

    Args:
        sources: positions of pictures, shape (rows, parts, parts) where parts is 1 or 2: from top to bottom, from left
            to right.
        size: height and width of all pictures.
        preset: how each part is altered.

    Example:
        >>> views = Views(np.zeros((1, 1, 1), int), (64, 64), PRESETS["none"])
        >>> views.cut(torch.tensor([[8.0, 8, 24, 24]]), (0, 0, 0))[0].tolist()
        [[8.0, 8.0, 24.0, 24.0]]
    """

    def __init__(self, sources: np.ndarray, size: tuple[int, int], preset: Preset) -> None:
        self.sources = sources
        zoom = torch.empty(sources.shape).uniform_(*map(math.log, preset.zoom)).exp()
        self.down = _Axis.drawn(size[0], zoom, flips=preset.upside_down)
        self.across = _Axis.drawn(size[1], zoom.transpose(1, 2), flips=preset.mirror)

    def shown(self, pixels: np.ndarray) -> torch.Tensor:
        """The new pictures, float32 from 0 to 1 of shape (rows, 3, height, width).

        Args:
            pixels: of the sources, uint8 of shape (rows, parts, parts, height, width, 3).
        """
        rows, parts, _, height, width, _ = pixels.shape
        atlas = torch.from_numpy(pixels).permute(0, 5, 1, 3, 2, 4).reshape(rows, 3, parts * height, parts * width)
        row, of_line, of_column = (
            torch.arange(rows)[:, None, None],
            self.down.part[:, :, None],
            self.across.part[:, None],
        )
        x = self.across.old()[row, of_line, torch.arange(width)]
        y = self.down.old()[row, of_column, torch.arange(height)[:, None]]
        outside = (x < 0) | (x > width) | (y < 0) | (y > height)
        # No closer to the edge of a source than the middle of its last pixel: the next one is of another picture.
        x = (x.clamp(0.5, width - 0.5) + width * of_column) / (parts * width)
        y = (y.clamp(0.5, height - 0.5) + height * of_line) / (parts * height)
        grid = torch.stack([x, y], dim=3).mul_(2).sub_(1)
        found = functional.grid_sample(atlas.float(), grid, align_corners=False)
        return found.masked_fill_(outside[:, None], PADDING).div_(255)

    def cut(self, boxes: torch.Tensor, part: tuple[int, int, int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Where boxes of a source are in the new picture, and which of them show enough to be known.

        Args:
            boxes: shape (boxes, 4).
            part: the row, the line and the column of the source.
        """
        row, line, column = part
        x, y = self.across.new(boxes[:, 0::2], (row, column, line)), self.down.new(boxes[:, 1::2], part)
        whole = torch.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], dim=1)
        left, right = self.across.window(row, column)
        top, bottom = self.down.window(row, line)
        seen = torch.stack([*x.clamp(left, right).unbind(1), *y.clamp(top, bottom).unbind(1)], dim=1)[:, [0, 2, 1, 3]]
        wide_enough = (seen[:, 2:] - seen[:, :2] >= _LEAST_EDGE).all(dim=1)
        return seen, wide_enough & (areas(seen) >= _LEAST_SEEN * areas(whole))


@dataclass(frozen=True)
class _Axis:
    """The same along one edge. The new place is the old one, flipped or not, times `zoom` plus `offset`.

    Attributes:
        length: pixels of the edge.
        split: where the second part begins, shape (rows,).
        zoom, offset, flip: of each part, shape (rows, parts along the edge, parts beside one another).
    """

    length: int
    split: torch.Tensor
    zoom: torch.Tensor
    offset: torch.Tensor
    flip: torch.Tensor

    @classmethod
    def drawn(cls, length: int, zoom: torch.Tensor, *, flips: bool) -> Self:
        """Random places: of a source that is larger than its window, a piece; a smaller one lies within it."""
        rows, parts = zoom.shape[:2]
        split = length * (torch.empty(rows).uniform_(*_SPLIT) if parts > 1 else torch.ones(rows))
        ends = torch.stack([torch.zeros(rows), split, torch.full((rows,), float(length))], dim=1)[:, : parts + 1]
        start, window = ends[:, :-1, None], ends.diff(dim=1)[:, :, None]
        offset = start + torch.rand(zoom.shape) * (window - zoom * length)
        return cls(length, split, zoom, offset, torch.rand(zoom.shape) < (0.5 if flips else 0.0))

    @property
    def part(self) -> torch.Tensor:
        """Of which part each new pixel is, int64 of shape (rows, length)."""
        return (torch.arange(self.length) >= self.split[:, None]).long()

    def old(self) -> torch.Tensor:
        """The old place of the middle of each new pixel, shape (rows, parts beside one another, length)."""
        zoom, offset, flip = (
            values.transpose(1, 2).gather(2, self.part[:, None].expand(-1, values.shape[2], -1))
            for values in (self.zoom, self.offset, self.flip)
        )
        places = (torch.arange(self.length) + 0.5 - offset) / zoom
        return torch.where(flip, self.length - places, places)

    def new(self, places: torch.Tensor, part: tuple[int, int, int]) -> torch.Tensor:
        """The new places of both ends of boxes, shape (boxes, 2)."""
        places = self.length - places.flip(1) if self.flip[part] else places
        return places * self.zoom[part] + self.offset[part]

    def window(self, row: int, part: int) -> tuple[float, float]:
        """Where a part begins and ends."""
        split = math.ceil(float(self.split[row]))
        return (split, self.length) if part else (0, split)
