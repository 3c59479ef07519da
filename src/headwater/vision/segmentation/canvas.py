"""The size at which a network sees pictures, how they are brought to it, and how its answers are brought back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from headwater.data.masks import VOID
from headwater.data.pictures import Picture, look, opened_again
from headwater.data.raster import imaging, upright

STEP: Final = 16
"""What both edges are a multiple of, so that a network may halve them four times."""
EMPTY: Final = 255
"""What stands for void in a mask of 8 bits."""
_GREY: Final = 127
_SAMPLE: Final = 64
_MASKS: Final = 12
_FAITHFUL: Final = 0.95
_BLOCK: Final = 2
"""How many windows a block is high and wide at most."""
_BYTES_OF_A_PICTURE: Final = 5
"""Three of each pixel in colour, and two of its class."""
_BYTES_OF_A_PIECE: Final = 4
_OVERLAP: Final = 4
"""Tiles overlap by a window's edge divided by this."""

Box = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels of a picture."""


@dataclass(frozen=True)
class Canvas:
    """What a network sees of a picture at once, and what it is trained on.

    A whole picture is reduced to the canvas, or enlarged, in its own proportions. Where the canvas is one of tiles,
    pictures keep their own scale, and those that are larger are cut into pieces that overlap.

    Attributes:
        height, width: of the canvas, multiples of 16 pixels.
        window: the edge of what a training step sees of it; 0 where it sees the whole.
        tiles: whether pictures are cut into pieces, not reduced.

    Example:
        >>> Canvas(192, 240).boxes(640, 480), len(Canvas(64, 64, 32, True).boxes(100, 64))
        ([(0, 0, 640, 480)], 2)
    """

    height: int
    width: int
    window: int = 0
    tiles: bool = False

    @classmethod
    def of(cls, pictures: Sequence[Picture], maps: Sequence[Any], side: int, tiles: str = "auto") -> Self:
        """The canvas that suits pictures.

        Args:
            pictures: what a network will learn from.
            maps: their class maps.
            side: a training step sees as many pixels as a square of this edge has.
            tiles: `yes` cuts larger pictures into pieces, `no` reduces them; `auto` does so unless the masks, reduced
                and enlarged again, would lose more than a twentieth (by mean IoU).
        """
        seen = look(pictures[:: max(1, len(pictures) // _SAMPLE)])
        high, wide = (float(np.median([getattr(one, edge) for one in seen])) for edge in ("height", "width"))
        scale = min(1.0, side / math.sqrt(high * wide))
        cut = tiles == "yes" or (tiles == "auto" and scale < 1 and faithful(maps, scale) < _FAITHFUL)
        if not cut:
            return cls(_steps(scale * high), _steps(scale * wide))
        window = max(STEP, side // STEP * STEP)
        height, width = (max(window, min(_steps(edge), _BLOCK * window)) for edge in (high, wide))
        return cls(height, width, window, tiles=True)

    @property
    def whole(self) -> tuple[int, int]:
        """Height and width."""
        return self.height, self.width

    @property
    def seen(self) -> tuple[int, int]:
        """Height and width of what a training step sees of a picture."""
        return (self.window, self.window) if self.window else (self.height, self.width)

    @property
    def views(self) -> int:
        """How often a training epoch looks at a canvas, so that it sees about all of it."""
        high, wide = self.seen
        return max(1, round(self.height * self.width / (high * wide)))

    def boxes(self, width: int, height: int) -> list[Box]:
        """The pieces of a picture of this size: the whole, or those that cover it and overlap."""
        if not self.tiles:
            return [(0, 0, width, height)]
        return [
            (left, top, min(left + self.width, width), min(top + self.height, height))
            for top in self._starts(height, self.height)
            for left in self._starts(width, self.width)
        ]

    def size(self, box: Box) -> tuple[int, int]:
        """Width and height that a piece of a picture has on the canvas."""
        width, height = box[2] - box[0], box[3] - box[1]
        if self.tiles:
            return width, height
        scale = min(self.width / width, self.height / height)
        # Not enlarged by a few pixels, only to fill what was rounded up to a whole step.
        scale = 1.0 if 1 < scale < 1 + STEP / min(self.width, self.height) else scale
        return max(1, min(self.width, round(scale * width))), max(1, min(self.height, round(scale * height)))

    def weight(self, width: int, height: int) -> int:
        """About the bytes that bringing a picture of this size to the canvas takes: itself, its mask and its pieces.

        Example:
            >>> Canvas(16, 32).weight(100, 10)
            7048
        """
        pieces = len(self.boxes(width, height)) * self.height * self.width
        return _BYTES_OF_A_PICTURE * width * height + _BYTES_OF_A_PIECE * pieces

    def drawn(self, picture: Picture, *, grey: bool) -> np.ndarray:
        """A picture on as many canvases as it has pieces, uint8 of shape (pieces, height, width, 1 or 3).

        Raises:
            DataError: it cannot be read any more.
        """
        with opened_again(picture) as image:
            whole = upright(image, picture.white).convert("L" if grey else "RGB")
        boxes = self.boxes(*whole.size)
        found = np.full((len(boxes), self.height, self.width, 1 if grey else 3), _GREY, np.uint8)
        for place, box in enumerate(boxes):
            width, height = self.size(box)
            small = whole.resize((width, height), imaging().Resampling.BILINEAR, box, reducing_gap=3.0)
            found[place, :height, :width] = np.asarray(small).reshape(height, width, -1)
        return found

    def mapped(self, answer: Any) -> np.ndarray:
        """A class map on the same canvases, uint8 of shape (pieces, height, width); 255 where nothing is known."""
        known = np.asarray(answer)
        boxes = self.boxes(known.shape[1], known.shape[0])
        found = np.full((len(boxes), self.height, self.width), EMPTY, np.uint8)
        for place, box in enumerate(boxes):
            width, height = self.size(box)
            part = resized(known[box[1] : box[3], box[0] : box[2]], height, width)
            found[place, :height, :width] = np.where(part == VOID, EMPTY, part)
        return found

    def _starts(self, length: int, piece: int) -> list[int]:
        if length <= piece:
            return [0]
        count = math.ceil((length - self.window // _OVERLAP) / (piece - self.window // _OVERLAP))
        return [round(place * (length - piece) / (count - 1)) for place in range(count)]


def resized(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """An array of shape (height, width) in another size, each value that of the nearest place.

    Example:
        >>> resized(np.array([[1, 2]]), 2, 4).tolist()
        [[1, 1, 2, 2], [1, 1, 2, 2]]
    """
    down, across = (
        ((np.arange(new) + 0.5) * old / new).astype(np.intp)
        for new, old in zip((height, width), values.shape, strict=True)
    )
    return values[down[:, None], across]


def faithful(maps: Sequence[Any], scale: float) -> float:
    """The mean IoU of some class maps and themselves, reduced to a scale and enlarged again."""
    kept = []
    for answer in maps[:: max(1, len(maps) // _MASKS)]:
        known = np.asarray(answer)
        small = resized(known, *(max(1, round(scale * edge)) for edge in known.shape))
        again = resized(small, *known.shape)
        for position in np.unique(known[known != VOID]):
            one, other = known == position, again == position
            kept.append((one & other).sum() / (one | other).sum())
    return float(np.mean(kept)) if kept else 1.0


def by_pieces(pictures: Sequence[Picture], canvas: Canvas) -> Iterator[tuple[Picture, list[Box]]]:
    """Each picture with the pieces that a canvas cuts it into."""
    for picture, seen in zip(pictures, look(pictures), strict=True):
        yield picture, canvas.boxes(seen.width, seen.height)


def _steps(edge: float) -> int:
    """An edge rounded up to a whole step; what is over by a quarter of a pixel is rounding."""
    return max(STEP, STEP * math.ceil((edge - 0.25) / STEP))
