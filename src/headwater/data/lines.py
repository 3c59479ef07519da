"""The lines of a text file, plain or gzip, numbered, any of which can be put back."""

from __future__ import annotations

import io
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final, Self

from headwater.data.encoding import UNDECODABLE, checked, decoder, detect, refuse_binary
from headwater.errors import DataError

ROW_LIMIT: Final = 10 * 2**20
"""The most characters of one row; a longer one is a problem, not a reason to fill the memory."""

_BLOCK: Final = 1 << 18
_GZIP: Final = b"\x1f\x8b"


class Blocks:
    """The bytes of a file, unpacked where they are gzip; `cut` says whether a gzip file ended too early.

    Raises:
        DataError: compressed data is damaged, so that no row of it can be trusted.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.cut = path, False

    def __iter__(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            head = file.read(_BLOCK)
            stored = iter(lambda: file.read(_BLOCK), b"")
            if head.startswith(_GZIP):
                yield from self._unpacked(head, stored)
            elif head:
                yield head
                yield from stored

    def _unpacked(self, data: bytes, stored: Iterator[bytes]) -> Iterator[bytes]:
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        while data:
            try:
                yield unpacker.decompress(data)
            except zlib.error as error:
                raise DataError(
                    "The compressed data is damaged", where=str(self.path), got=str(error), fix="Compress it again."
                ) from error
            data = b""
            if unpacker.eof and (data := unpacker.unused_data.lstrip(b"\0")):
                unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
            data = data or next(stored, b"")
        self.cut = not unpacker.eof


class Lines:
    r"""An iterator over lines with their endings, which counts them and takes lines back.

    Attributes:
        number: the number of the line that came last, from 1.

    Example:
        >>> lines = Lines(["a\n", "b\n"])
        >>> first = next(lines)
        >>> lines.put_back([first])
        >>> list(lines), lines.number
        (['a\n', 'b\n'], 2)
    """

    def __init__(self, texts: Iterable[str], blocks: Blocks | None = None) -> None:
        self.number = 0
        self._fresh = iter(texts)
        self._blocks = blocks
        self._returned: deque[str] = deque()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else next(self._fresh)
        self.number += 1
        return line

    def put_back(self, lines: list[str]) -> None:
        """Takes back the lines that came last, in their order."""
        self._returned.extendleft(reversed(lines))
        self.number -= len(lines)

    def peek(self, count: int) -> list[str]:
        """The next lines, up to a count and to the size of one row, which will come again."""
        ahead: list[str] = []
        size = 0
        for line in islice(self, count):
            ahead.append(line)
            size += len(line)
            if size > ROW_LIMIT:
                break
        self.put_back(ahead)
        return ahead

    @property
    def cut(self) -> str | None:
        """Why the lines end before the file did, once they have ended."""
        return "the compressed file is cut off here" if self._blocks and self._blocks.cut else None


def open_lines(path: Path, encoding: str | None) -> Lines:
    """The lines of a file that may be gzip, in a given encoding or in the one its content shows.

    Raises:
        DataError: the file is binary, damaged, or cannot be opened.
        SettingError: there is no such encoding.
    """
    try:
        refuse_binary(next(iter(Blocks(path)), b"")[:_BLOCK], str(path))
        blocks = Blocks(path)
        return Lines(_split(blocks, checked(encoding) if encoding else detect(Blocks(path))), blocks)
    except OSError as error:
        raise DataError(
            "The file cannot be read", where=str(path), got=error.strerror, fix="Check that you may read it."
        ) from error


def damage(line: str) -> str | None:
    """Why a line cannot be used as it came, if so."""
    if UNDECODABLE in line:
        return "bytes that are not text in this file's encoding"
    if "\0" in line:
        return "a NUL byte, which no text holds"
    return TOO_LONG if len(line) > ROW_LIMIT else None


TOO_LONG: Final = f"a row of more than {ROW_LIMIT:,} characters"


def _split(blocks: Blocks, encoding: str) -> Iterator[str]:
    r"""Lines with their endings (\n, \r\n or \r); one that is too long keeps only enough to be seen as such."""
    decoding = decoder(encoding)
    held: list[str] = []  # the pieces of a line whose end has not come
    ending = ""
    for block in blocks:
        text = ending + decoding.decode(block)
        ending = "\r" if text.endswith("\r") else ""  # its \n may stand in the next block
        pieces = list(io.StringIO(text.removesuffix("\r"), newline=""))
        last = [pieces.pop()] if pieces and not pieces[-1].endswith(("\n", "\r")) else []
        if pieces:
            yield "".join([*held, pieces[0]])
            yield from pieces[1:]
            held = []
        if sum(map(len, held)) <= ROW_LIMIT:
            held += last
    if not blocks.cut:
        yield from io.StringIO("".join([*held, ending, decoding.decode(b"", final=True)]), newline="")
