"""Masks: pictures whose pixels are no shades but classes, each by its number or by the colour that stands for it.

A pixel of a mask has a code: the number that is stored in an indexed or a grey picture, or its colour. A grey colour is
the number of its shade: black is 0 and white is 255 however a mask was saved, and one bit is black and white.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from headwater.data.pictures import Picture, identity
from headwater.data.raster import UnreadableError, opened, orientation, turned
from headwater.data.remembered import Remembered
from headwater.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

MOST_CODES: Final = 256
"""A picture of more is no mask, but a photograph."""
VOID: Final = -1
"""The class of pixels that are of none, or of one that nobody has learnt."""
_COLOUR: Final = 1 << 24
"""What is added to a colour, so that its code is that of no number."""
_NUMBERS: Final = 1 << 16
_NEAR: Final = 48
_MOSTLY: Final = 0.99
_AT_HAND: Final = 32
_HEX: Final = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)


@dataclass(frozen=True)
class MaskGlance:
    """What one look at a mask tells.

    Attributes:
        width, height: in pixels.
        pixels: how many pixels have each code.
        reason: why it cannot be used; the rest means nothing then.
        turn: its own orientation in EXIF, by which it has been turned; 1 for upright.
    """

    width: int = 0
    height: int = 0
    pixels: Mapping[int, int] = field(default_factory=dict)
    reason: str | None = None
    turn: int = 1


_seen: Final = Remembered[MaskGlance](most=1 << 18)


def mask_glance(mask: Picture) -> MaskGlance:
    """A look at a mask, decoded to its end; remembered while it stays as it is.

    Example:
        >>> from headwater.data.raster import encode
        >>> mask_glance(Picture(content=encode(np.array([[0, 0, 255]], np.uint8)))).pixels
        {0: 2, 255: 1}
    """
    return _seen.get(identity(mask), lambda: _glance(mask))


def colour_code(red: int, green: int, blue: int) -> int:
    """The code of a colour; that of a shade of grey is its number.

    Example:
        >>> colour_code(7, 7, 7), written(colour_code(255, 0, 128))
        (7, '#ff0080')
    """
    return red if red == green == blue else _COLOUR | red << 16 | green << 8 | blue


def is_colour(code: int) -> bool:
    """Whether a code is that of a colour, not a number."""
    return code >= _COLOUR


def written(code: int) -> str:
    """A code as a person writes it: a number, or a colour as web pages have it."""
    return f"#{code - _COLOUR:06x}" if is_colour(code) else str(code)


def code_of(text: str) -> int | None:
    """The code that a person wrote; None for a text that is none.

    Example:
        >>> code_of("255"), code_of("#FFFFFF"), written(code_of("#e0e0c0")), code_of("road")
        (255, 255, '#e0e0c0', None)
    """
    word = text.strip()
    if word.isascii() and word.isdigit() and int(word) < _NUMBERS:
        return int(word)
    if _HEX.fullmatch(word):
        return colour_code(*bytes.fromhex(word[1:]))
    return None


@dataclass(frozen=True)
class ClassMap:
    """The class of every pixel of one picture, decoded when it is asked for as an array.

    Attributes:
        mask: where the pixels are.
        positions: the codes that are classes, each with the position of its class.
        turn: the orientation in EXIF of its picture, where the mask was drawn on the file as it lies; else 1.

    Example:
        >>> from headwater.data.raster import encode
        >>> np.asarray(ClassMap(Picture(content=encode(np.array([[0, 7, 255]], np.uint8))), ((0, 0), (255, 1))))
        array([[ 0, -1,  1]], dtype=int16)
    """

    mask: Picture
    positions: tuple[tuple[int, int], ...]
    turn: int = 1

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:  # noqa: FBT001
        """Class positions of shape (height, width), int16; -1 where there is none.

        Raises:
            DataError: the mask cannot be read any more.
        """
        found = _class_map(self, identity(self.mask))
        return np.array(found, dtype) if copy or dtype not in (None, found.dtype) else found

    def digest(self) -> bytes:
        """What is the same of two class maps only if every pixel is: a hash of the file and of what its codes mean.

        Raises:
            DataError: the mask cannot be read any more.
        """
        try:
            content = self.mask.read()
        except UnreadableError as error:
            raise _gone(self.mask, error) from error
        return hashlib.blake2b(content, digest_size=16, key=_key(self.positions, self.turn)).digest()


@lru_cache(_AT_HAND)
def _class_map(asked: ClassMap, stamp: Any) -> np.ndarray:
    try:
        codes, _ = _codes(asked.mask)
    except UnreadableError as error:
        raise _gone(asked.mask, error) from error
    found = _upright(_looked_up(codes, dict(asked.positions)), asked.turn)
    found.flags.writeable = False
    return found


def _key(positions: tuple[tuple[int, int], ...], turn: int) -> bytes:
    """A hash of what codes mean and how they are turned, short enough to be the key of another."""
    told = positions if turn == 1 else (positions, turn)
    return hashlib.blake2b(repr(told).encode(), digest_size=16).digest()


def _upright(found: np.ndarray, turn: int) -> np.ndarray:
    """An array of shape (height, width), in the order of a file with this orientation, as a person sees it."""
    if turn == 1:
        return found
    found = found.T if turn in (5, 6, 7, 8) else found
    down, across = turn in (3, 4, 7, 8), turn in (2, 3, 6, 7)
    return np.ascontiguousarray(found[:: -1 if down else 1, :: -1 if across else 1])


def _gone(mask: Picture, error: UnreadableError) -> DataError:
    return DataError(
        "A mask that was there before cannot be read any more", where=str(mask), got=str(error),
        fix="Leave the files as they are while a run reads them.",
    )  # fmt: skip


def _looked_up(codes: np.ndarray, positions: Mapping[int, int]) -> np.ndarray:
    if codes.dtype == np.uint8:
        table = np.full(256, VOID, np.int16)
        for code, position in positions.items():
            if code < len(table):
                table[code] = position
        return table[codes]
    distinct, inverse = np.unique(codes, return_inverse=True)
    return np.array([positions.get(code, VOID) for code in distinct.tolist()], np.int16)[inverse].reshape(codes.shape)


def _glance(mask: Picture) -> MaskGlance:
    try:
        codes, turn = _codes(mask)
    except UnreadableError as error:
        return MaskGlance(reason=str(error).replace("the image", "the mask").replace("no image", "no mask"))
    if codes.dtype == np.uint8:
        counts = np.bincount(codes.ravel(), minlength=256)
        distinct = np.flatnonzero(counts)
        counts = counts[distinct]
    else:
        distinct, counts = np.unique(codes, return_counts=True)
    if len(distinct) > MOST_CODES:
        return MaskGlance(
            reason=f"the mask has {len(distinct):,} numbers or colours, and one of classes has at most {MOST_CODES}"
        )
    height, width = codes.shape
    return MaskGlance(width, height, dict(zip(distinct.tolist(), counts.tolist(), strict=True)), turn=turn)


def _codes(mask: Picture) -> tuple[np.ndarray, int]:
    """The code of every pixel, of shape (height, width): uint8 where all are numbers of 8 bits, else int32.

    Beside it the orientation in EXIF, by which it has been turned.

    Raises:
        UnreadableError: it is no mask.
    """
    with opened(mask.read()) as image:
        lossy = image.format in ("JPEG", "MPO")
        codes, turn = _stored(turned(image)), orientation(image)
    return (_black_and_white(codes) if lossy else codes), turn


def _stored(image: Image.Image) -> np.ndarray:
    if image.mode == "1":
        return np.asarray(image).astype(np.uint8) * np.uint8(255)
    if image.mode in ("P", "L"):
        return np.asarray(image)
    if image.mode in ("LA", "La"):
        return np.asarray(image)[:, :, 0]
    if image.mode[:1] in ("I", "F"):
        values = np.asarray(image)
        whole = np.nan_to_num(values, nan=-1.0, posinf=-1.0, neginf=-1.0).astype(np.int64)
        if (whole != values).any() or whole.min(initial=0) < 0 or whole.max(initial=0) >= _NUMBERS:
            raise UnreadableError(f"the mask has numbers that are no classes: accepted are 0 to {_NUMBERS - 1:,}")
        return whole.astype(np.int32)
    colours = np.asarray(image.convert("RGB")).astype(np.int32)
    red, green, blue = (colours[:, :, channel] for channel in range(3))
    grey = (red == green) & (green == blue)
    if grey.all():
        return red.astype(np.uint8)
    return np.where(grey, red, _COLOUR | red << 16 | green << 8 | blue)


def _black_and_white(codes: np.ndarray) -> np.ndarray:
    """A mask that was saved as a JPEG, which blurs numbers: only black and white can be told apart again."""
    near = (codes < _NEAR) | ((codes > 255 - _NEAR) & (codes < 256))
    if near.mean() < _MOSTLY:
        raise UnreadableError("a JPEG does not keep the numbers of a mask: save it as PNG")
    return np.where(codes < 128, 0, 255).astype(np.uint8)


def class_colours(count: int) -> np.ndarray:
    """Colours that are told apart, uint8 of shape (count, 3); the same of the first classes however many there are.

    Hues go on by the golden section, so that neighbours differ most; every third is darker, every fifth paler.

    Example:
        >>> class_colours(2).tolist() == class_colours(9)[:2].tolist()
        True
    """
    places = np.arange(count)
    hue = (0.58 + places * 0.6180339887) % 1 * 6
    value = np.where(places % 3 == 2, 0.62, 0.95)
    paleness = np.where(places % 5 == 4, 0.45, 0.85)
    shades = [1 - paleness * np.clip(np.minimum((hue + k) % 6, 4 - (hue + k) % 6), 0, 1) for k in (5, 3, 1)]
    return (255 * value[:, None] * np.stack(shades, axis=1)).round().astype(np.uint8)
