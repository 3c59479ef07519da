"""Images as Pillow decodes them, whatever their format, and as PNG writes them."""

from __future__ import annotations

import io
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from headwater.errors import DataError, ExtraError

if TYPE_CHECKING:
    from PIL import Image

MOST_PIXELS: Final = 100_000_000
"""An image of more is refused unseen: a few bytes can unpack to all memory (a decompression bomb)."""
# Pillow knows more, but some of them call other programs; TGA, which has no mark of its own, is tried last.
_FORMATS: Final = (
    "JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "MPO", "JPEG2000", "AVIF", "DIB", "ICO", "PCX", "SGI", "TGA",
)  # fmt: skip
_ORIENTATION: Final = 0x0112
_TURNS: Final = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
"""For each orientation of EXIF, the transposition of Pillow that undoes it."""
_GREY: Final = ("1", "L", "LA", "La")


class UnreadableError(Exception):
    """Why an image cannot be read, in words."""


@contextmanager
def opened(content: bytes) -> Iterator[Image.Image]:
    """The image of some bytes, not yet decoded; what it lacks shows within the `with` block.

    Raises:
        UnreadableError: the bytes are no image, are damaged, or unpack to too much.
        ExtraError: Pillow is not installed.
    """
    pillow = imaging()
    if not content:
        raise UnreadableError("the image is empty: it has no bytes")
    bomb = f"the image unpacks to more than {MOST_PIXELS:,} pixels"
    try:
        with _QUIETLY, pillow.open(io.BytesIO(content), formats=_formats()) as image:
            if image.width * image.height > MOST_PIXELS:
                raise UnreadableError(bomb)
            yield image
    except pillow.UnidentifiedImageError as error:
        raise UnreadableError("this is no image that can be read") from error
    except pillow.DecompressionBombError as error:
        raise UnreadableError(bomb) from error
    except _damages() as error:
        raise UnreadableError("the image is damaged") from error


def orientation(image: Image.Image) -> int:
    """How a camera was held, as the EXIF of its image says: 1 for upright, 5 to 8 for lying; odd metadata is none."""
    try:
        found = image.getexif().get(_ORIENTATION)
    except _damages():
        return 1
    return found if isinstance(found, int) else 1


def upright(image: Image.Image) -> Image.Image:
    """An image as a person sees it, of mode L or RGB: turned as its EXIF says, 8 bits a channel, laid on white."""
    from PIL import Image

    image = turned(image)
    if image.mode[:1] in ("I", "F"):
        return Image.fromarray(_eight_bits(np.asarray(image)))
    mode = "L" if image.mode in _GREY else "RGB"
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        clear = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert(mode)
    return image if image.mode == mode else image.convert(mode)


def turned(image: Image.Image) -> Image.Image:
    """An image with its pixels as they are stored, turned as its EXIF says."""
    from PIL import Image

    image.load()
    turn = _TURNS.get(orientation(image))
    return image if turn is None else image.transpose(Image.Transpose(turn))


def is_image(value: Any) -> bool:
    """Whether a value in memory is an image: one of Pillow's, or an array of two dimensions or more.

    Example:
        >>> is_image(np.zeros((8, 8, 3))), is_image(np.zeros(8)), is_image("a.png")
        (True, False, False)
    """
    if isinstance(value, np.ndarray):
        return value.ndim > 1
    return type(value).__module__.partition(".")[0] == "PIL" and hasattr(value, "getpixel")


def encode(image: Any) -> bytes:
    """A Pillow image, or an array of shape (height, width) or (height, width, 1, 3 or 4), as the bytes of a PNG.

    Broken numbers count from 0 to 1 unless one is larger; whole ones of 16 bits without a sign from 0 to 65,535, and of
    other types from 0 to 255 unless one is larger.

    Raises:
        DataError: the array has no shape or type that an image can have, or Pillow cannot read its own image.
        ExtraError: Pillow is not installed.
    """
    pillow = imaging()
    if not isinstance(image, pillow.Image):
        image = pillow.fromarray(_drawn(np.asarray(image)))
    stream = io.BytesIO()
    try:
        with _QUIETLY:
            upright(image).save(stream, "PNG", compress_level=1)
    except _damages() as error:
        raise DataError("This image of Pillow cannot be read to its end", got=str(error)) from error
    return stream.getvalue()


def imaging() -> Any:
    """Pillow's module of images.

    Raises:
        ExtraError: it is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ExtraError(
            "Images need the library Pillow", fix="Install it with: pip install 'headwater[vision]'."
        ) from error
    return Image


class _Quiet:
    """Keeps Pillow's warnings, of odd metadata, to itself while any thread is inside.

    Python's own `catch_warnings`, where threads leave in another order than they came, never gives the filters back.
    """

    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._caught = warnings.catch_warnings()
                self._caught.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._caught.__exit__(None, None, None)


_QUIETLY: Final = _Quiet()


@cache
def _damages() -> tuple[type[BaseException], ...]:
    """What Pillow raises on bytes that are damaged or made to harm."""
    return (
        OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, ArithmeticError, AttributeError,
        AssertionError, MemoryError, RuntimeError, struct.error, zlib.error, imaging().DecompressionBombError,
    )  # fmt: skip


@cache
def _formats() -> tuple[str, ...]:
    """The formats that this build of Pillow reads."""
    pillow = imaging()
    pillow.init()
    return tuple(name for name in _FORMATS if name in pillow.OPEN)


def _drawn(array: np.ndarray) -> np.ndarray:
    """An array as Pillow takes it: uint8, of shape (height, width) or (height, width, 3 or 4)."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or not array.size:
        raise DataError(
            "An array of this shape is no image", got=array.shape,
            accepted="(height, width) or (height, width, 1, 3 or 4)",
        )  # fmt: skip
    if array.dtype.kind not in "buif":
        raise DataError("An array of this type is no image", got=str(array.dtype), accepted="numbers")
    return array if array.dtype == np.uint8 else _eight_bits(array)


def _eight_bits(array: np.ndarray) -> np.ndarray:
    """Numbers of any type as 8 bits; where they go beyond every usual white, the largest is white."""
    if array.dtype.kind == "b":
        return array.astype(np.uint8) * 255
    values = np.nan_to_num(array.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    whites = (1.0, 255.0) if array.dtype.kind == "f" else (65_535.0,) if array.dtype == np.uint16 else (255.0, 65_535.0)
    largest = float(values.max(initial=0.0))
    white = next((white for white in whites if largest <= white), largest)
    return np.clip(values * (255 / white), 0, 255).round().astype(np.uint8)
