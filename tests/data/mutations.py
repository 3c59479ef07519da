"""Ways in which a text table gets damaged on its way to us, each repeatable from a seed."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable

Mutation = Callable[[bytes, random.Random], bytes]


def mutate(content: bytes, seed: int) -> tuple[str, bytes]:
    """The kind of damage that a seed stands for, and a UTF-8 CSV file with it.

    Consecutive seeds go through all kinds.
    """
    kind = list(MUTATIONS)[seed % len(MUTATIONS)]
    return kind, MUTATIONS[kind](content, random.Random(seed))


def _lines(change: Callable[[bytes, random.Random], bytes], share: float = 0.05) -> Mutation:
    """A mutation that changes some lines after the header, at least one."""

    def mutation(content: bytes, chance: random.Random) -> bytes:
        lines = content.splitlines(keepends=True)
        for _ in range(max(1, int(share * len(lines)))):
            at = chance.randrange(1, len(lines)) if len(lines) > 1 else 0
            body = lines[at].rstrip(b"\r\n")
            lines[at] = change(body, chance) + lines[at][len(body) :]
        return b"".join(lines)

    return mutation


def _inserted(*pieces: bytes) -> Callable[[bytes, random.Random], bytes]:
    def change(line: bytes, chance: random.Random) -> bytes:
        at = chance.randrange(len(line) + 1)
        return line[:at] + chance.choice(pieces) + line[at:]

    return change


def _noise(line: bytes, chance: random.Random) -> bytes:
    """Random bytes in places, but no line ends."""
    changed = bytearray(line)
    for _ in range(min(4, len(changed))):
        changed[chance.randrange(len(changed))] = chance.choice([*range(0x80, 0x100), 0, 1, 0x22, 0x2C])
    return bytes(changed)


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(1, len(content))]


def _recoded(content: bytes, chance: random.Random) -> bytes:
    encoding = chance.choice(["gb18030", "cp1252", "utf-16", "utf-16-le", "utf-32", "big5"])
    return content.decode().encode(encoding, errors="replace")


def _mixed_ends(content: bytes, chance: random.Random) -> bytes:
    return b"".join(line + chance.choice([b"\n", b"\r\n", b"\r"]) for line in content.splitlines())


def _bytes_gone(content: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content))
    return content[:start] + content[start + chance.randrange(1, 200) :]


def _lines_again(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    at = chance.randrange(len(lines))
    return b"".join([*lines[: at + 1], *lines[at:]])


MUTATIONS: dict[str, Mutation] = {
    "truncated": _cut,
    "wrong encoding": _recoded,
    "binary": lambda content, chance: chance.randbytes(max(len(content), 1000)),
    "zip": lambda content, chance: b"PK\x03\x04" + chance.randbytes(500) + content,
    "pickle": lambda content, chance: b"\x80\x04\x95" + chance.randbytes(8) + content,
    "huge cell": _lines(lambda line, chance: line + b"x" * (11 * 2**20), share=0),
    "long cell": _lines(lambda line, chance: line + b" and so on" * 20_000, share=0),
    "ragged rows": _lines(lambda line, chance: chance.choice([line + b",more", line.rpartition(b",")[0], b"alone"])),
    "duplicate header": lambda content, chance: b"text," + content,
    "nameless header": lambda content, chance: b"," + content,
    "empty": lambda content, chance: chance.choice([b"", b"\n\n", b"\xef\xbb\xbf"]),
    "only header": lambda content, chance: content.splitlines(keepends=True)[0],
    "no header": lambda content, chance: b"".join(content.splitlines(keepends=True)[1:]),
    "NUL bytes": _lines(_inserted(b"\0", b"\0\0\0")),
    "stray quotes": _lines(_inserted(b'"', b'""', b'"""')),
    "quote at a cell's start": _lines(lambda line, chance: line.replace(b",", b',"', 1)),
    "line ends": _mixed_ends,
    "byte order mark": lambda content, chance: b"\xef\xbb\xbf" + content,
    "other delimiter": lambda content, chance: content.replace(b",", chance.choice([b";", b"\t", b"|"])),
    "delimiter swapped in places": _lines(lambda line, chance: line.replace(b",", b";")),
    "wrong bytes": _lines(_inserted(b"\xff", b"\xc3", b"\xe4\xbd", b"\xed\xa0\x80")),
    "noise": _lines(_noise),
    "bytes gone": _bytes_gone,
    "lines again": _lines_again,
    "gzip": lambda content, chance: gzip.compress(content, mtime=0),
    "gzip cut off": lambda content, chance: _cut(gzip.compress(content, mtime=0), chance),
    "gzip damaged": lambda content, chance: _noise(gzip.compress(content, mtime=0), chance),
}
