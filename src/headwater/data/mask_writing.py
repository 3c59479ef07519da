"""Class maps as PNGs that other programs read: indexed, in colours that tell the classes apart."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np

from headwater.data.mask_field import Mask
from headwater.data.masks import class_colours, is_colour
from headwater.data.raster import imaging

_COLOURS = 256


@dataclass(frozen=True)
class Numbering:
    """What number and what colour each class has in a written mask.

    Attributes:
        classes: the name of each.
        numbers: of each, 0 to 255, uint8 of shape (classes,).
        palette: the colours of all numbers, uint8 of shape (256, 3).
    """

    classes: tuple[Any, ...]
    numbers: np.ndarray
    palette: np.ndarray


def numbering(target: Mask) -> Numbering:
    """The numbers that the masks of a field have, and their colours where those are what tells the classes.

    Classes that are told by colours are numbered in order.

    Example:
        >>> numbering(Mask(("mask",), "image", (0, 255))).numbers.tolist()
        [0, 255]
    """
    codes = [target.code(name) for name in target.classes]
    coloured = any(map(is_colour, codes))
    plain = not coloured and max(codes, default=0) < _COLOURS
    numbers = np.array(codes if plain else range(len(codes)), np.uint8)
    palette = np.zeros((_COLOURS, 3), np.uint8)
    own = [((code >> 16 & 255, code >> 8 & 255, code & 255) if is_colour(code) else (code,) * 3) for code in codes]
    palette[numbers] = own if coloured else class_colours(len(codes))
    return Numbering(target.classes, numbers, palette)


def encoded(classes: np.ndarray, numbers: Numbering) -> bytes:
    r"""A class map as the bytes of an indexed PNG.

    Args:
        classes: class positions of shape (height, width).
        numbers: what each is written as.

    Example:
        >>> encoded(np.zeros((2, 2), np.int16), numbering(Mask(("mask",), "image", (0, 1))))[:4]
        b'\x89PNG'
    """
    pixels = np.ascontiguousarray(numbers.numbers[classes])
    image = imaging().frombytes("P", (pixels.shape[1], pixels.shape[0]), pixels.tobytes())
    image.putpalette(numbers.palette.tobytes())
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()
