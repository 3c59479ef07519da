"""Pictures: where an image lies or the bytes it is, what a glance tells of it, and its pixels.

Anything that Pillow reads is a picture: JPEG, PNG, GIF (its first frame), WebP, TIFF, BMP, PPM and more, in grey, in
colour, with a palette, with transparency (laid on white), with 16 bits a channel, in CMYK, turned as its EXIF says.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import struct
import threading
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np

from headwater.data.raster import UnreadableError, encode, imaging, loaded, opened, orientation, upright, wanted_white
from headwater.data.remembered import Remembered
from headwater.data.shades import LUMA
from headwater.errors import DataError

SUFFIXES: Final = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".bmp", ".dib", ".gif", ".webp", ".tif", ".tiff", ".mpo",
    ".avif", ".avifs", ".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".ico",
    ".pcx", ".sgi", ".rgb", ".rgba", ".bw", ".tga", ".icb", ".vda", ".vst",
)  # fmt: skip
"""How the names of files end whose formats `raster` reads."""
INSIDE: Final = "!/"
"""In a path, what stands between a zip archive and the name of a picture in it."""
MOST_BYTES: Final = 1 << 30
"""A file of more is refused unread."""
THUMB: Final = 16
PADDING: Final = 114
"""The grey around a picture that does not fill its frame: the mean of photographs."""
_GREY: Final = 2
"""The grey levels by which red, green and blue of a picture without colour differ at most: what JPEG makes of it."""


def _unpacking_errors() -> Iterator[type[Exception]]:
    """What those ways of packing raise that this Python knows, and that have an error of their own."""
    for module, name in (("zlib", "error"), ("lzma", "LZMAError"), ("compression.zstd", "ZstdError")):
        with suppress(ImportError):
            yield getattr(import_module(module), name)


DAMAGED_ARCHIVE: Final[tuple[type[Exception], ...]] = (
    OSError, ValueError, zipfile.BadZipFile, RuntimeError, EOFError, struct.error, OverflowError, *_unpacking_errors()
)  # fmt: skip
"""What the standard library raises on archives that are damaged, locked, or packed in a way it does not know."""
_IN_ARCHIVE: Final = re.compile(rf"(.+?\.zip){INSIDE}(.+)", re.IGNORECASE | re.DOTALL)
_AT_ONCE: Final = 256
_THREADS: Final = 8


@dataclass(frozen=True)
class Picture:
    """One image, not yet looked at.

    Attributes:
        path: the file, or `archive.zip!/name`; None for one that came as bytes.
        content: its bytes; None for one that lies in a file.
        white: what white is at least, of more than 8 bits a channel, where the image does not tell: that of its set.

    Example:
        >>> str(Picture("ants/0013.jpg")), str(Picture(content=b"GIF89a"))
        ('ants/0013.jpg', 'an image of 6 bytes')
    """

    path: str | None = None
    content: bytes | None = field(default=None, repr=False)
    white: float = field(default=0.0, repr=False)

    def __str__(self) -> str:
        return self.path if self.path is not None else f"an image of {len(self.content or b''):,} bytes"

    @classmethod
    def of(cls, image: Any) -> Picture:
        """The picture of an image in memory: whatever `encode` takes.

        Raises:
            DataError: it is no image.
        """
        return cls(content=encode(image))

    def read(self) -> bytes:
        """The bytes of the file.

        Raises:
            UnreadableError: there is no such file, or it cannot be opened.
        """
        return self.content or b"" if self.path is None else content_of(self.path)


def content_of(path: str) -> bytes:
    """The bytes of a file, or of `archive.zip!/name`.

    Raises:
        UnreadableError: there is no such file, or it cannot be opened.
    """
    archive, name = parted(path)
    try:
        return _whole(name) if archive is None else _member(archive, name)
    except FileNotFoundError as error:
        raise UnreadableError(f"there is no such file: {archive or name}") from error
    except KeyError as error:
        raise UnreadableError(f"there is no {name} in the archive {archive}") from error
    except OSError as error:
        raise UnreadableError(f"the file cannot be opened: {error.strerror or error}") from error
    except DAMAGED_ARCHIVE as error:
        reason = "the path cannot be used" if archive is None else "the archive is damaged, or locked by a password"
        raise UnreadableError(reason) from error


@dataclass(frozen=True, slots=True)
class Glance:
    """What one look at a picture tells.

    Attributes:
        width, height: in pixels, as a person sees it.
        grey: whether it shows no colour, be it stored in one channel or in three that agree.
        digest: the hash of its bytes, and of its white where it has one of its set, by which two are the same picture.
        thumb: a small grey version, THUMB * THUMB bytes, by which two are nearly the same picture.
        colour: the mean red, green and blue.
        kind: the format of the file, as Pillow names it, such as JPEG.
        white: of more than 8 bits a channel, the white that it would have by itself; 0 of others, and where it tells.
        turn: its orientation in EXIF, 1 for upright.
        reason: why it cannot be used; the rest means nothing then.
    """

    width: int = 0
    height: int = 0
    grey: bool = False
    digest: bytes = b""
    thumb: bytes = b""
    colour: tuple[int, int, int] = (0, 0, 0)
    kind: str = ""
    white: float = 0.0
    turn: int = 1
    reason: str | None = None


_seen: Final = Remembered[Glance](most=1 << 18)
"""The latest glances: half a kilobyte each, where looking anew at all pictures of a large set would take minutes."""


def glance(picture: Picture) -> Glance:
    """A look at a picture, decoded to its end, so that a cut-off one is found; remembered while it stays as it is.

    Raises:
        ExtraError: Pillow is not installed.

    Example:
        >>> glance(Picture(content=b"not an image")).reason
        'this is no image that can be read'
    """
    return _seen.get((identity(picture), picture.white), lambda: _glance(picture))


def identity(picture: Picture) -> Any:
    """What stays the same while the bytes of a picture do: its path and the stamp of its file, or a hash of the bytes.

    Example:
        >>> identity(Picture("gone.png"))
        ('gone.png', None)
    """
    if picture.path is None:
        return _digest(picture.content or b"")
    return picture.path, _stamp(parted(picture.path)[0] or picture.path)


def look(pictures: Sequence[Picture]) -> list[Glance]:
    """A glance at each of many pictures, by several threads where there are cores for them.

    Example:
        >>> [one.reason for one in look([Picture(content=b"")])]
        ['the image is empty: it has no bytes']
    """
    if len(pictures) <= _AT_ONCE:
        return [glance(picture) for picture in pictures]
    parts = [pictures[start : start + _AT_ONCE] for start in range(0, len(pictures), _AT_ONCE)]
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
        return [one for part in pool.map(look, parts) for one in part]


def pixels(picture: Picture, side: int, *, grey: bool = False) -> np.ndarray:
    """The middle square of a picture at a given size, uint8 of shape (side, side, 1 or 3).

    Args:
        picture: one that `glance` has found to be readable.
        side: the pixels along each edge.
        grey: one channel instead of three.

    Raises:
        DataError: it cannot be read any more.
    """
    bilinear = imaging().Resampling.BILINEAR
    with opened_again(picture) as image:
        image.draft("RGB", (2 * side, 2 * side))
        seen = upright(image, picture.white)
        width, height = seen.size
        edge = min(width, height)
        left, top = (width - edge) / 2, (height - edge) / 2
        square = seen.resize((side, side), bilinear, (left, top, left + edge, top + edge), reducing_gap=3.0)
        square = square.convert("L" if grey else "RGB")
    return np.asarray(square).reshape(side, side, 1 if grey else 3)


def framed(picture: Picture, height: int, width: int) -> np.ndarray:
    """A whole picture in a frame, uint8 of shape (height, width, 3): at its top left, as large as fits; the rest grey.

    Args:
        picture: one that `glance` has found to be readable.
        height: pixels from the top of the frame to its bottom.
        width: pixels from its left to its right.

    Raises:
        DataError: it cannot be read any more.

    Example:
        >>> framed(Picture.of(np.full((1, 2, 3), 7, np.uint8)), 4, 4)[:, 0, 0].tolist()
        [7, 7, 114, 114]
    """
    frame = np.full((height, width, 3), PADDING, np.uint8)
    with opened_again(picture) as image:
        image.draft("RGB", (2 * width, 2 * height))
        seen = upright(image, picture.white)
        told = glance(picture)
        size = size_within(told.width, told.height, height, width)
        frame[: size[1], : size[0]] = np.asarray(
            seen.resize(size, imaging().Resampling.BILINEAR, reducing_gap=3.0).convert("RGB")
        )
    return frame


def size_within(wide: int, high: int, height: int, width: int) -> tuple[int, int]:
    """Width and height of a picture as large as fits into a frame.

    Example:
        >>> size_within(640, 480, 256, 320)
        (320, 240)
    """
    scale = min(width / wide, height / high)
    return min(max(1, round(wide * scale)), width), min(max(1, round(high * scale)), height)


def thumbnail(picture: Picture, side: int = 96) -> bytes:
    """A small JPEG of a picture, for a page; empty where it cannot be read.

    Example:
        >>> thumbnail(Picture("nowhere.png"))
        b''
    """
    try:
        with opened(picture.read()) as image:
            image.draft("RGB", (side, side))
            small = upright(image, picture.white).copy()
            small.thumbnail((side, side))
    except UnreadableError:
        return b""
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=80)
    return stream.getvalue()


def parted(path: str) -> tuple[str | None, str]:
    """The archive and the name in it, or None and the path itself.

    Example:
        >>> parted("digits.zip!/7/0001.png"), parted("oh!/digits.png")
        (('digits.zip', '7/0001.png'), (None, 'oh!/digits.png'))
    """
    found = _IN_ARCHIVE.fullmatch(path)
    return (found[1], found[2]) if found else (None, path)


def kept_open(archive: str) -> zipfile.ZipFile:
    """A zip archive, opened once and kept open until its file is another.

    Raises:
        OSError, ValueError, zipfile.BadZipFile: it cannot be opened, or is no zip archive.
    """
    # A process that was forked shares the place in the file with its parent, so each opens its own.
    return _kept_open(archive, _stamp(archive), os.getpid())


@lru_cache(8)
def _kept_open(archive: str, stamp: tuple[int, int] | None, process: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(archive)


@contextmanager
def opened_again(picture: Picture) -> Iterator[Any]:
    """The opened image of a picture that was readable."""
    try:
        with opened(picture.read()) as image:
            yield image
    except UnreadableError as error:
        raise DataError(
            "A picture that was there before cannot be read any more", where=str(picture), got=str(error),
            fix="Leave the files as they are while a run reads them.",
        ) from error  # fmt: skip


_one_reads: Final = threading.Lock()


def _whole(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return _small(file.read(MOST_BYTES + 1))


def _member(archive: str, name: str) -> bytes:
    opened_archive = kept_open(archive)
    with _one_reads, opened_archive.open(name) as file:
        return _small(file.read(MOST_BYTES + 1))


def _small(content: bytes) -> bytes:
    if len(content) > MOST_BYTES:
        raise UnreadableError(f"the file has more than {MOST_BYTES:,} bytes")
    return content


def _glance(picture: Picture) -> Glance:
    try:
        content = picture.read()
        with opened(content) as image:
            kind, size, drafted = image.format or "", image.size, image.draft("RGB", (256, 256))
            loaded(image)
            width, height = size if drafted else image.size
            turn, white = orientation(image), wanted_white(image)
            seen = upright(image, picture.white)
            small = seen.resize((THUMB, THUMB), imaging().Resampling.LANCZOS, reducing_gap=3.0).convert("RGB")
    except UnreadableError as error:
        return Glance(reason=str(error))
    shades = np.asarray(small, dtype=np.float32)
    grey = (shades @ np.array(LUMA, np.float32)).round().astype(np.uint8)
    red, green, blue = shades.mean(axis=(0, 1)).round().astype(int).tolist()
    return Glance(
        *((height, width) if 4 < turn < 9 else (width, height)), bool((np.ptp(shades, axis=2) <= _GREY).all()),
        _digest(content, picture.white), grey.tobytes(),
        (red, green, blue), kind, white, turn if 1 < turn < 9 else 1,
    )  # fmt: skip


def _digest(content: bytes, white: float = 0.0) -> bytes:
    key = struct.pack("<d", white) if white else b""
    return hashlib.blake2b(content, digest_size=16, key=key).digest()


def _stamp(path: str) -> tuple[int, int] | None:
    """What changes when a file does: its size and the time it was written."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns
