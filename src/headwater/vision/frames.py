"""The frame that whole pictures are laid into before a network sees them, and the way back out of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from headwater.data.pictures import Picture, look, size_within

STEP: Final = 32
"""What both edges of a frame are a multiple of, so that a network may halve it five times."""
_LEAST: Final = 64
_SAMPLE: Final = 256
_MOST_PICTURES: Final = 0.9
"""The share of pictures that a frame has to suit; the others are laid into it smaller."""


@dataclass(frozen=True)
class Frame:
    """A size in pixels into which pictures of any size are laid, at the top left, in their own proportions.

    Attributes:
        height, width: both multiples of `STEP`.

    Example:
        >>> frame = Frame(256, 320)
        >>> frame.scale(640, 480).tolist(), frame.scale(100, 256).tolist()
        ([0.5, 0.5], [1.0, 1.0])
    """

    height: int
    width: int

    @classmethod
    def of(cls, pictures: Sequence[Picture], wanted: int | None, most: int) -> Self:
        """The frame that suits pictures.

        Args:
            pictures: what a network will learn from.
            wanted: the longer edge that the user asked for.
            most: without a wish, the longer edge is that of the median picture, but no longer than this.

        Returns:
            As wide and as high as nine of ten pictures need when their longer edge is that of the frame, so that little
            of it stays grey where all are of one shape.
        """
        seen = look(pictures[:: max(1, len(pictures) // _SAMPLE)])
        longer = float(np.median([max(one.width, one.height) for one in seen])) if seen else 0.0
        edge = _whole_steps(wanted or min(longer, most))
        sizes = [size_within(one.width, one.height, edge, edge) for one in seen] or [(edge, edge)]
        wide, high = np.quantile(np.array(sizes), _MOST_PICTURES, axis=0)
        return cls(_whole_steps(high), _whole_steps(wide))

    def scale(self, wide: int, high: int) -> np.ndarray:
        """How many times as wide and as high a picture of this size is in the frame, float64 of shape (2,)."""
        return np.array(size_within(wide, high, self.height, self.width)) / (wide, high)

    @property
    def patches(self) -> int:
        """The cost of a picture in tokens: its squares of 16 by 16 pixels."""
        return self.height * self.width // 256


def _whole_steps(edge: float) -> int:
    return max(_LEAST, STEP * math.ceil(edge / STEP))
