"""How the pixels of an observation lie in its array: what tells an image from other numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_LEAST_EDGE: Final = 16
_MOST_CHANNELS: Final = 15


@dataclass(frozen=True)
class Picture:
    """How the pixels of an observation lie.

    Attributes:
        frames: images behind one another, as `gymnasium.wrappers.FrameStackObservation` gives them; else 1.
        channels, height, width: of each.
        channels_first: whether the channels come before the rows.
    """

    frames: int
    channels: int
    height: int
    width: int
    channels_first: bool

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> Picture | None:
        """The picture in an array of a shape, None where it has less than 16 pixels along an edge, or other sides.

        Example:
            >>> Picture.of((4, 64, 48, 3))
            Picture(frames=4, channels=3, height=64, width=48, channels_first=False)
            >>> Picture.of((84, 84)).channels, Picture.of((3, 64, 64)).channels_first, Picture.of((8, 8, 3))
            (1, True, None)
        """
        sides = (*shape, 1) if len(shape) == 2 else shape
        if len(sides) not in (3, 4):
            return None
        first = sides[-3] < sides[-1]
        channels, height, width = sides[-3:] if first else (sides[-1], *sides[-3:-1])
        fits = min(height, width) >= _LEAST_EDGE and 1 <= channels <= _MOST_CHANNELS
        return cls(sides[0] if len(sides) == 4 else 1, channels, height, width, first) if fits else None
