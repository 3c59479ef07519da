"""Which encoding a text file has, what is no text at all, and how wrong bytes are kept apart from right ones."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from headwater.errors import DataError, SettingError, did_you_mean

UNDECODABLE: Final = "\udc80"
"""Stands where bytes could not be decoded: a lone surrogate, which no valid text holds."""

_SAMPLE: Final = 1 << 16
_VOTERS: Final = 8
_BOMS: Final = (  # UTF-32 first: its little-endian mark starts with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# In order of preference where the bytes alone cannot decide; each is the largest of its family.
_CANDIDATES: Final = (
    "cp1252", "gb18030", "big5", "cp932", "cp949", "euc_jp", "cp1251", "cp1250",
    "cp1254", "cp1253", "cp1255", "cp1256", "koi8_r",
)  # fmt: skip
_MAGIC: Final = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"PAR1", "a Parquet file (name it .parquet)"),
    (b"ARROW1", "an Arrow file (name it .arrow)"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF-", "a PDF document"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x7fELF", "a program"),
)
_PICKLE: Final = re.compile(rb"\x80[\x02-\x05][\x00-\x20\x28-\x7d\x80-\x95]")
_FEW: Final = 16
_CONTROL: Final = bytes({*range(32), 127} - {9, 10, 11, 12, 13, 27})


def _mark(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError):
        return UNDECODABLE, error.end
    raise error


codecs.register_error("headwater-mark", _mark)


def decoder(encoding: str) -> codecs.IncrementalDecoder:
    """An incremental decoder that writes `UNDECODABLE` for bytes that are wrong, and goes on."""
    return codecs.getincrementaldecoder(encoding)("headwater-mark")


def checked(encoding: str) -> str:
    """The encoding's name, if Python can decode text with it.

    Raises:
        SettingError: there is no text encoding of this name.
    """
    try:
        b" ".decode(encoding, "replace")
        decoder(encoding).decode(b"")
    except (LookupError, ValueError) as error:
        raise SettingError(
            "There is no text encoding of this name",
            where="--encoding",
            got=encoding,
            accepted="utf-8, utf-16, cp1252, gb18030 and Python's others",
            fix=did_you_mean(encoding.lower(), ["utf-8", "utf-16", *_CANDIDATES, "latin-1", "shift_jis", "ascii"]),
        ) from error
    return encoding


def refuse_binary(head: bytes, where: str) -> None:
    """Refuses a file whose first bytes are not those of a text.

    Raises:
        DataError: says what the file looks like.
    """
    kind = next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    if kind is None and _PICKLE.match(head):
        kind = "a pickle, which could run code and is never opened"
    if kind is None and not _by_mark(head):
        controls = len(head) - len(head.translate(None, _CONTROL))
        kind = "binary data" if controls > max(_FEW, len(head) // 20) else None
    if kind:
        raise DataError(
            f"This is no text but looks like {kind}",
            where=where,
            accepted="CSV, TSV or JSONL as text (or .gz of it), .parquet, .arrow",
        )


def detect(blocks: Iterable[bytes]) -> str:
    r"""The encoding of a text: its byte order mark's, else UTF-8 if nearly all bytes agree, else the likeliest.

    Reads all blocks, so that a first accent after a million plain rows still counts. Text with a few wrong bytes is
    taken for what the rest of it says.

    Example:
        >>> detect([b"id,text\n1,plain\n"]), detect(["名称,标签\n房间很干净,好\n".encode("gb18030")])
        ('utf-8', 'gb18030')
    """
    utf8, wrong, right, sample = decoder("utf-8"), 0, 0, bytearray()
    for number, block in enumerate(blocks):
        if number == 0 and (marked := _by_mark(block)):
            return marked
        if block.isascii() and not wrong:
            utf8.decode(block)
            continue
        text = utf8.decode(block)
        wrong += text.count(UNDECODABLE)
        right += len(block) - len(text)
        if len(sample) < _SAMPLE:
            sample += b"\n".join(line for line in block.splitlines() if not line.isascii()) + b"\n"
    return "utf-8" if wrong * 4 <= right else _likeliest(bytes(sample[:_SAMPLE]))


def decode(content: bytes, encoding: str | None) -> str:
    """A whole text, with `UNDECODABLE` for its wrong bytes; raises what `checked` raises."""
    return decoder(checked(encoding) if encoding else detect([content])).decode(content, final=True)


def _by_mark(head: bytes) -> str | None:
    """The encoding that a byte order mark or the pattern of zero bytes shows."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    even, odd = head[0:4096:2].count(0), head[1:4096:2].count(0)
    enough = min(len(head), 4096) // 2 * 0.3
    if max(even, odd) > enough and min(even, odd) * 10 <= max(even, odd):
        return "utf-16-be" if even > odd else "utf-16-le"
    return None


def _likeliest(sample: bytes) -> str:
    """The vote of several parts of a sample: a part with wrong bytes cannot outvote the others."""
    lines = sample.splitlines(keepends=True)
    voters = max(1, min(_VOTERS, len(lines) // _VOTERS))
    votes = Counter(guess for part in range(voters) if (guess := _guess(b"".join(lines[part::voters]))))
    return votes.most_common(1)[0][0] if votes else "cp1252"


def _guess(sample: bytes) -> str | None:
    from charset_normalizer import from_bytes

    ranked = [
        (int(10 * match.chaos), -round(match.coherence, 2), _CANDIDATES.index(name))
        for match in from_bytes(sample, cp_isolation=list(_CANDIDATES), preemptive_behaviour=False)
        for name in match.could_be_from_charset
        if name in _CANDIDATES
    ]
    return _CANDIDATES[min(ranked)[2]] if ranked else None
