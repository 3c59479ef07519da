"""Images as Pillow decodes them, whatever their format, and as PNG writes them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from headwater.data.quiet import QUIETLY
from headwater.data.shades import ShadeError, eight_bits, white_of
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
_BITS_PER_SAMPLE, _MAX_SAMPLE_VALUE = 258, 281
_AT_ONCE: Final = 1 << 18
_TURNS: Final = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
"""For each orientation of EXIF, the transposition of Pillow that undoes it."""
_DEEP: Final = ("I", "F")
"""How the modes of images with more than 8 bits a channel begin."""
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
        with QUIETLY, _opened(content) as image:
            if image.width * image.height > MOST_PIXELS:
                raise UnreadableError(bomb)
            yield image
    except pillow.UnidentifiedImageError as error:
        raise UnreadableError("this is no image that can be read") from error
    except pillow.DecompressionBombError as error:
        raise UnreadableError(bomb) from error
    except _damages() as error:
        raise UnreadableError("the image is damaged") from error


def loaded(image: Image.Image) -> Image.Image:
    """An image that has been decoded to its end.

    Raises:
        UnreadableError: its bytes are damaged.
    """
    with _carefully():
        image.load()
    return image


def orientation(image: Image.Image) -> int:
    """How a camera was held, as the EXIF of its image says: 1 for upright, 5 to 8 for lying; odd metadata is none."""
    try:
        found = image.getexif().get(_ORIENTATION)
    except (*_damages(), *_CARELESS):
        return 1
    return found if isinstance(found, int) else 1


def upright(image: Image.Image, white: float = 0.0) -> Image.Image:
    """An image as a person sees it, of mode L or RGB: turned as its EXIF says, 8 bits a channel, laid on white.

    Args:
        image: one that has been opened.
        white: what white is at least where the image has more than 8 bits a channel and does not tell.

    Raises:
        UnreadableError: it is damaged, or its numbers are no shades.
    """
    turn = orientation(loaded(image))
    if image.mode[:1] in _DEEP:
        image = _shaded(image, white)
    mode = "L" if image.mode in _GREY else "RGB"
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        image = _on_white(image, mode)
    return _transposed(image if image.mode == mode else image.convert(mode), turn)


def wanted_white(image: Image.Image) -> float:
    """The white that an image of more than 8 bits a channel would have by itself; 0 of others, and where it tells one.

    Raises:
        UnreadableError: it is damaged, or its numbers are no shades.
    """
    if loaded(image).mode[:1] not in _DEEP or _declared_white(image):
        return 0.0
    with _as_shades():
        return white_of(_Rows(image), (image.height, image.width))


def turned(image: Image.Image) -> Image.Image:
    """An image with its pixels as they are stored, turned as its EXIF says."""
    return _transposed(image, orientation(loaded(image)))


def is_image(value: Any) -> bool:
    """Whether a value in memory is an image: one of Pillow's, or an array of two dimensions or more.

    Example:
        >>> is_image(np.zeros((8, 8, 3))), is_image(np.zeros(8)), is_image("a.png")
        (True, False, False)
    """
    if isinstance(value, np.ndarray):
        return value.ndim > 1
    return type(value).__module__.partition(".")[0] == "PIL" and hasattr(value, "getpixel")


def encode(image: Any, white: float = 0.0) -> bytes:
    """A Pillow image, or an array of shape (height, width) or (height, width, 1, 3 or 4), as the bytes of a PNG.

    Broken numbers count from 0 to 1 where they do not go beyond it by more than a tenth. Others count from 0 to 255,
    1,023, 4,095, 16,383 or 65,535 (8 to 16 bits), the least of them that the largest number does not go beyond.

    Args:
        image: the image or the array.
        white: what white is at least: that of other arrays it belongs with (`shades.common_whites`).

    Raises:
        DataError: the array has no shape, type or numbers that an image can have, or Pillow cannot read its own image.
        ExtraError: Pillow is not installed.
    """
    pillow = imaging()
    if not isinstance(image, pillow.Image):
        image = pillow.fromarray(_drawn(np.asarray(image), white))
    stream = io.BytesIO()
    try:
        with QUIETLY:
            upright(image).save(stream, "PNG", compress_level=1)
    except (*_damages(), UnreadableError) as error:
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


_CARELESS: Final = (TypeError, AttributeError, AssertionError)
"""What Pillow raises beside on such bytes; in code of ours they would be mistakes of ours."""


@cache
def _damages() -> tuple[type[BaseException], ...]:
    """What Pillow raises on bytes that are damaged or made to harm."""
    return (
        OSError, ValueError, SyntaxError, EOFError, LookupError, ArithmeticError, RuntimeError, struct.error,
        zlib.error, imaging().DecompressionBombError,
    )  # fmt: skip


@contextmanager
def _carefully() -> Iterator[None]:
    """Within, Pillow reads bytes that may be damaged."""
    try:
        yield
    except _CARELESS as error:
        raise UnreadableError("the image is damaged") from error


def _opened(content: bytes) -> Image.Image:
    with _carefully():
        return imaging().open(io.BytesIO(content), formats=_formats())


@cache
def _formats() -> tuple[str, ...]:
    """The formats that this build of Pillow reads."""
    pillow = imaging()
    pillow.init()
    return tuple(name for name in _FORMATS if name in pillow.OPEN)


def _transposed(image: Image.Image, turn: int) -> Image.Image:
    """An image whose camera was held so, upright."""
    undone = _TURNS.get(turn)
    return image if undone is None else image.transpose(imaging().Transpose(undone))


def _shaded(image: Image.Image, white: float) -> Image.Image:
    """An image of 16 or 32 bits a pixel as one of 8; the white that it tells itself comes before the one given."""
    with _as_shades():
        at_least = _declared_white(image) or white
        return imaging().fromarray(eight_bits(_Rows(image), (image.height, image.width), at_least))


@contextmanager
def _as_shades() -> Iterator[None]:
    """Within, the numbers of an image are taken for shades."""
    try:
        yield
    except ShadeError as error:
        raise UnreadableError(f"the image has no shades: {error}") from error


class _Rows:
    """The rows of an image, of which only some at a time lie in memory as numbers."""

    def __init__(self, image: Image.Image) -> None:
        self._image = image

    def __getitem__(self, rows: slice) -> np.ndarray:
        start, stop, _ = rows.indices(self._image.height)
        return np.asarray(self._image.crop((0, start, self._image.width, stop)))


def _declared_white(image: Image.Image) -> float:
    """The white of a file of more than 8 bits, 0 where it does not tell.

    Pillow spreads the numbers of PPM and JPEG 2000 over 16 bits, but leaves those of TIFF as they are.
    """
    if image.format in ("PPM", "JPEG2000") and image.mode[:1] == "I":
        return 65_535.0
    tags = getattr(image, "tag_v2", {})
    told, bits = tags.get(_MAX_SAMPLE_VALUE), tags.get(_BITS_PER_SAMPLE)
    told, bits = (value[0] if isinstance(value, tuple) and value else value for value in (told, bits))
    if isinstance(told, int) and 0 < told < 1 << 16:
        return float(told)
    return float((1 << bits) - 1) if isinstance(bits, int) and bits < 16 else 0.0


def _on_white(image: Image.Image, mode: str) -> Image.Image:
    """An image that is clear in places, laid on white a strip at a time: whole, its copies would fill the memory."""
    pillow = imaging()
    paper = pillow.new(mode, image.size, "white")
    step = max(1, _AT_ONCE // image.width)
    for top in range(0, image.height, step):
        with _carefully():
            clear = image.crop((0, top, image.width, min(top + step, image.height))).convert("RGBA")
        paper.paste(pillow.alpha_composite(pillow.new("RGBA", clear.size, "white"), clear).convert(mode), (0, top))
    return paper


def _drawn(array: np.ndarray, white: float) -> np.ndarray:
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
    try:
        return array if array.dtype == np.uint8 else eight_bits(array, array.shape, white)
    except ShadeError as error:
        raise DataError(
            f"An array of these numbers is no image: {error}", accepted="finite numbers from 0 on",
            fix="Give the pixels as they were before they were standardised, or shift and scale them to 0 to 1.",
        ) from error  # fmt: skip
