"""Pictures with their masks on canvases: decoded once, and kept where they can be read again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np

from headwater import progress
from headwater.data.masks import ClassMap
from headwater.data.pictures import look
from headwater.vision import threads
from headwater.vision.kept import kept
from headwater.vision.locator import Scenes
from headwater.vision.pixels import Pixels
from headwater.vision.segmentation.canvas import EMPTY, Canvas, by_pieces


class Views:
    """The pieces of many pictures, each with its mask.

    Args:
        array: uint8 of shape (pieces, height, width, channels + 1), in memory or mapped from a file; the last channel
            is the class of the pixel, 255 where none is known.
        picture: the position of the picture that each piece is of, shape (pieces,).
        names: what each picture is called.

    Attributes:
        pictures: uint8 of shape (pieces, height, width, channels).
        masks: uint8 of shape (pieces, height, width).
    """

    def __init__(self, array: np.ndarray, picture: np.ndarray, names: Sequence[str] = ()) -> None:
        self.array, self.picture, self.names = array, picture, names
        self.pictures, self.masks = array[..., :-1], array[..., -1]

    @classmethod
    def of(cls, scenes: Scenes, canvas: Canvas, *, grey: bool, folder: Path | None) -> Self:
        """Decodes pictures and masks, or finds those that an earlier attempt of the run has decoded.

        Args:
            scenes: readable pictures with their class maps.
            canvas: what they are brought to.
            grey: one channel instead of three.
            folder: where a file of many pixels is kept; None keeps them in memory.

        Raises:
            DataError: a picture or a mask cannot be read any more.
            ResourceError: the disk is full, or the folder cannot be written.
        """
        pieces = [len(boxes) for _, boxes in by_pieces(scenes.inputs, canvas)]
        picture, names = np.repeat(np.arange(len(pieces)), pieces), [str(one) for one in scenes.inputs]
        shape = (len(picture), canvas.height, canvas.width, 2 if grey else 4)
        array = kept(folder, partial(_name, scenes, canvas, shape), shape, partial(_parts, scenes, canvas, grey=grey))
        return cls(array, picture, names)

    def __len__(self) -> int:
        return len(self.array)

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of each channel of the pictures, of pixels from 0 to 1."""
        return Pixels(self.pictures).moments()

    def frequencies(self, n_classes: int) -> np.ndarray:
        """How frequent each class is in the pieces where it occurs, shape (classes,); 0 where it never does."""
        pixels, room = np.zeros(n_classes), np.zeros(n_classes)
        for mask in self.masks:
            counts = np.bincount(mask.ravel(), minlength=EMPTY + 1)[:n_classes]
            pixels += counts
            room += (counts > 0) * counts.sum()
        return pixels / np.maximum(room, 1)


def _parts(scenes: Scenes, canvas: Canvas, *, grey: bool) -> Iterator[np.ndarray]:
    """The pieces of each picture with their masks, uint8 of shape (pieces, height, width, channels + 1), in order."""

    def made(row: int) -> np.ndarray:
        seen, known = canvas.drawn(scenes.inputs[row], grey=grey), canvas.mapped(scenes.answers[row])
        return np.ascontiguousarray(np.concatenate([seen, known[..., None]], axis=3))

    weights = [canvas.weight(seen.width, seen.height) for seen in look(scenes.inputs)]
    with progress.bar("pictures", len(scenes)) as shown:
        for part in threads.ahead(made, range(len(scenes)), weights):
            yield part
            shown.advance(1)


def _name(scenes: Scenes, canvas: Canvas, shape: tuple[int, ...]) -> str:
    """The name of a file, which tells these views from those of other pictures, of other masks or of another canvas."""
    digest = hashlib.blake2b(repr((shape, canvas)).encode(), digest_size=12)
    for seen, answer in zip(look(scenes.inputs), scenes.answers, strict=True):
        digest.update(seen.digest)
        digest.update(answer.digest() if isinstance(answer, ClassMap) else _digest_of(np.asarray(answer)))
    return f"views-{digest.hexdigest()}.npy"


def _digest_of(known: np.ndarray) -> bytes:
    """A hash of a class map in memory: of its pixels where they are."""
    digest = hashlib.blake2b(repr((known.shape, known.dtype.str)).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(known).data)
    return digest.digest()
