"""Pictures as pixels of one size: decoded once, by several threads, and kept where they can be read again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Self

import numpy as np

from headwater import progress
from headwater.data.pictures import Picture, framed, look, pixels
from headwater.vision import threads
from headwater.vision.kept import kept

SIDES: Final = (32, 64, 96, 128, 160, 224)
"""The edges that a network is given by itself: all that halve without a rest, to the one that most were made for."""
_SAMPLE: Final = 256
_PART: Final = 1 << 25
"""The bytes that are decoded before they are written, or go through a network."""
_LEAST_SPREAD: Final = 0.02
_Decode = Callable[[Sequence[Picture]], np.ndarray]


class Pixels:
    """The pixels of many pictures.

    Args:
        array: uint8 of shape (rows, height, width, channels), in memory or mapped from a file.

    Example:
        >>> shades = np.array([0, 255], np.uint8)[:, None, None, None]
        >>> mean, deviation = Pixels(np.tile(shades, (1, 8, 8, 1))).moments()
        >>> mean.tolist(), deviation.tolist()
        ([0.5], [0.5])
    """

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    @classmethod
    def of(cls, pictures: Sequence[Picture], side: int, *, grey: bool, folder: Path | None) -> Self:
        """Decodes pictures, or finds those that an earlier attempt of the run has decoded.

        Args:
            pictures: readable ones.
            side: pixels along each edge.
            grey: one channel instead of three.
            folder: where a file of many pixels is kept; None keeps them in memory.

        Raises:
            DataError: a picture cannot be read any more.
            ResourceError: the disk is full, or the folder cannot be written.
        """
        shape = (len(pictures), side, side, 1 if grey else 3)
        return cls._made(pictures, shape, lambda part: decoded(part, side, grey=grey), folder, "pixels")

    @classmethod
    def whole(cls, pictures: Sequence[Picture], height: int, width: int, folder: Path | None) -> Self:
        """The same with all of each picture in a frame, in colour; the array is (rows, height, width, 3)."""
        shape = (len(pictures), height, width, 3)
        return cls._made(pictures, shape, lambda part: decoded_whole(part, height, width), folder, "frames")

    @classmethod
    def _made(
        cls, pictures: Sequence[Picture], shape: tuple[int, ...], decode: _Decode, folder: Path | None, stem: str
    ) -> Self:  # fmt: skip
        name = partial(_name, pictures, shape, stem)
        return cls(kept(folder, name, shape, lambda: _parts(pictures, shape, decode)))

    def __len__(self) -> int:
        return len(self.array)

    def take(self, rows: np.ndarray) -> np.ndarray:
        """A copy of the rows at these positions, uint8 of shape (rows, height, width, channels)."""
        return np.asarray(self.array[rows])

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of each channel, of pixels from 0 to 1, each float32 of shape (channels,)."""
        counts = np.zeros((self.array.shape[3], 256))
        for rows in portions(len(self), self.array.shape[1]):
            for channel in range(len(counts)):
                counts[channel] += np.bincount(self.array[rows, :, :, channel].ravel(), minlength=256)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        values = np.arange(256) / 255
        mean = shares @ values
        spread = np.sqrt(np.maximum(shares @ values**2 - mean**2, 0))
        return mean.astype(np.float32), np.maximum(spread, _LEAST_SPREAD).astype(np.float32)


def decoded(pictures: Sequence[Picture], side: int, *, grey: bool) -> np.ndarray:
    """The middle square of each picture, uint8 of shape (rows, side, side, channels); several threads share the work.

    Raises:
        DataError: a picture cannot be read any more.

    Example:
        >>> from headwater.data.pictures import encode
        >>> decoded([Picture(content=encode(np.full((4, 6), 7, np.uint8)))], 2, grey=True).ravel().tolist()
        [7, 7, 7, 7]
    """
    return _by_threads(pictures, (side, side, 1 if grey else 3), lambda picture: pixels(picture, side, grey=grey))


def decoded_whole(pictures: Sequence[Picture], height: int, width: int) -> np.ndarray:
    """All of each picture in a frame, uint8 of shape (rows, height, width, 3); several threads share the work.

    Raises:
        DataError: a picture cannot be read any more.
    """
    return _by_threads(pictures, (height, width, 3), lambda picture: framed(picture, height, width))


def _by_threads(
    pictures: Sequence[Picture], shape: tuple[int, ...], read: Callable[[Picture], np.ndarray]
) -> np.ndarray:  # fmt: skip
    found = np.empty((len(pictures), *shape), np.uint8)

    def fill(rows: range) -> None:
        for row in rows:
            found[row] = read(pictures[row])

    threads.shared(len(found), fill)
    return found


def portions(rows: int, side: int) -> Iterator[slice]:
    """Rows cut into parts whose pixels fit easily into the memory.

    Example:
        >>> list(portions(3, 8)), len(list(portions(3, 4096)))
        ([slice(0, 3, None)], 3)
    """
    step = max(1, _PART // (3 * side * side))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def side_of(pictures: Sequence[Picture], wanted: int | None, most: int) -> int:
    """Pixels along each edge of what a network sees: what is asked for, else what most pictures have.

    Args:
        pictures: what it will learn from.
        wanted: the side that the user asked for.
        most: the largest that the network takes by itself.

    Returns:
        Without a wish the largest of `SIDES` that is neither above `most` nor above the median of the pictures' shorter
        edges. Smaller pictures than the least of them are enlarged to it.

    Example:
        >>> from headwater.data.pictures import encode
        >>> digits = [Picture(content=encode(np.zeros((28, 28), np.uint8)))]
        >>> side_of(digits, None, 224), side_of(digits, 48, 224)
        (32, 48)
    """
    if wanted is not None:
        return wanted
    edges = [min(seen.width, seen.height) for seen in look(_sample(pictures))]
    middle = float(np.median(edges)) if edges else 0.0
    return max((side for side in SIDES if side <= min(middle, most)), default=SIDES[0])


def is_grey(pictures: Sequence[Picture]) -> bool:
    """Whether a sample of pictures shows no colour, whatever its channels; not so where there is no picture.

    Example:
        >>> from headwater.data.pictures import encode
        >>> black, red = np.zeros((4, 4), np.uint8), np.tile(np.array([200, 0, 0], np.uint8), (4, 4, 1))
        >>> is_grey([Picture(content=encode(black))]), is_grey([Picture(content=encode(one)) for one in (black, red)])
        (True, False)
    """
    seen = look(_sample(pictures))
    return bool(seen) and all(one.grey for one in seen)


def _sample(pictures: Sequence[Picture]) -> Sequence[Picture]:
    return pictures[:: max(1, len(pictures) // _SAMPLE)]


def _parts(pictures: Sequence[Picture], shape: tuple[int, ...], decode: _Decode) -> Iterator[np.ndarray]:
    """The pixels of some pictures at a time."""
    with progress.bar("pictures", len(pictures)) as shown:
        for rows in portions(len(pictures), max(shape[1:3])):
            yield (part := decode(pictures[rows]))
            shown.advance(len(part))


def _name(pictures: Sequence[Picture], shape: tuple[int, ...], stem: str) -> str:
    """The name of a file, which tells these pixels from those of other pictures, of other sizes or of other colours."""
    digest = hashlib.blake2b(repr(shape).encode(), digest_size=12)
    for seen in look(pictures):
        digest.update(seen.digest)
    return f"{stem}-{digest.hexdigest()}.npy"
