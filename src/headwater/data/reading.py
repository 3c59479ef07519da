"""Reading records from any source: a file, a folder, a hub data set, or what is in memory."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from headwater.data import hub
from headwater.data.annotated import annotations_of
from headwater.data.archives import ARCHIVES, read_archive
from headwater.data.columnar import read_columnar
from headwater.data.delimited import read_delimited
from headwater.data.folders import TEXTS, read_folder, read_picture, read_pictures
from headwater.data.jsonl import read_jsonl
from headwater.data.memory import read_memory
from headwater.data.parts import joined, slices
from headwater.data.pictures import SUFFIXES
from headwater.data.records import Records
from headwater.errors import DataError, NotFoundError, did_you_mean
from headwater.settings import DataSettings

TABLES: Final = (".csv", ".tsv", ".txt")
JSON_LINES: Final = (".jsonl", ".ndjson")
ANNOTATIONS: Final = (".json",)
COLUMNAR: Final = (".parquet", ".arrow", ".feather", ".ipc")
_ACCEPTED: Final = (
    f"{', '.join(TABLES + JSON_LINES)} (or .gz of these), {', '.join(COLUMNAR)}, .json of COCO, an image, "
    "a .zip of images, or a folder of .txt files or images"
)
_HASHED: Final = (
    *TEXTS, *SUFFIXES, *ARCHIVES, *ANNOTATIONS, *TABLES, *JSON_LINES, *COLUMNAR, ".xml", ".yaml", ".yml", ".names",
    ".gz", ".inter", ".item", ".user", ".data", ".dat",
)  # fmt: skip
"""What rows of a folder may come from."""
_PART: Final = 1 << 16


def read(source: Any, settings: DataSettings, *, offline: bool = False) -> Records:
    """All rows of a source; those that cannot be read are null and in their places.

    Args:
        source: a path to .csv, .tsv, .txt (a table), .jsonl, .ndjson (each also .gz), .parquet, .arrow, .feather, .ipc
            or to a folder of .txt files or images, a .zip of images, or one image; images may have annotations of COCO
            (whose .json can be given itself), Pascal VOC or YOLO beside them;
            `hub:owner/name[:configuration][:split]`; a list of texts, pairs, dicts or images; a dict of columns; a
            pandas, polars, Arrow or datasets table; Records, which come back as they are.
        settings: the delimiter and encoding, where they are not to be found by content.
        offline: refuse what needs the network.

    Raises:
        NotFoundError: there is no such file; names the near ones.
        DataError: the source cannot be read at all.

    Example:
        >>> read([{"text": "good", "label": 1}], DataSettings()).column("label")
        [1]
    """
    if not isinstance(source, str | Path):
        return read_memory(source)
    # Only in one part can all values of a JSON key be brought to one type.
    rows = sys.maxsize if _suffix(Path(source)) in JSON_LINES else _PART
    parts = list(read_parts(source, settings, rows=rows, offline=offline))
    return joined(parts)


def read_parts(
    source: Any, settings: DataSettings, *, rows: int = 8192, offline: bool = False, alone: bool = False
) -> Iterator[Records]:
    """The same rows in parts of at most `rows`, so that memory does not grow with the source.

    At least one part comes, so that the columns of a source without rows are known. Raises what `read` raises.

    Args:
        source: as `read` takes it.
        settings: as `read` takes them.
        rows: the most rows of a part.
        offline: refuse what needs the network.
        alone: of a folder, an archive or a file of annotations read the images only: a row each, whether or not it has
            labels that can be read. Where labels stand without an image there is no row.

    Example:
        >>> [len(part) for part in read_parts(["a", "b", "c"], DataSettings(), rows=2)]
        [2, 1]
    """
    if isinstance(source, str) and source.startswith(hub.PREFIX):
        return slices(hub.read_hub(source, offline=offline), rows)
    if not isinstance(source, str | Path):
        return slices(read_memory(source), rows)
    path = _existing(source)
    if path.is_dir():
        return read_pictures(path, rows) if alone else read_folder(path, settings, rows)
    return _read_file(path, settings, rows, alone=alone)


def hash_of(source: Any, *, offline: bool = False) -> str:
    """The SHA-256, in hexadecimal, of a file's bytes, of a folder's names and files, or of the Arrow content in memory.

    Example:
        >>> hash_of(["a"]) == hash_of({"text": ["a"]})
        True
    """
    digest = hashlib.sha256()
    if not isinstance(source, str | Path) or str(source).startswith(hub.PREFIX):
        table = read(source, DataSettings(), offline=offline).table.combine_chunks()
        with pa.ipc.new_stream(pa.PythonFile(_Sink(digest), mode="w"), table.schema) as stream:
            stream.write_table(table)
        return digest.hexdigest()
    path = _existing(source)
    files = (file for file in path.rglob("*") if file.suffix.lower() in _HASHED and file.is_file())
    for file in sorted(files) if path.is_dir() else [path]:
        if path.is_dir():
            digest.update(f"{file.relative_to(path).as_posix()}\0".encode(errors="surrogateescape"))
        with file.open("rb") as content:
            while block := content.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _read_file(path: Path, settings: DataSettings, rows: int, *, alone: bool) -> Iterator[Records]:
    suffix, whole = _suffix(path), path.suffix.lower() != ".gz"
    if suffix in TABLES:
        return read_delimited(path, settings, rows)
    if suffix in JSON_LINES:
        return read_jsonl(path, settings, rows)
    if whole and suffix in COLUMNAR:
        return read_columnar(path, rows)
    if whole and suffix in ANNOTATIONS:
        annotated = annotations_of(path)
        return annotated.pictures(rows) if alone else annotated.records(rows)
    if whole and suffix in ARCHIVES:
        return read_archive(path, rows, alone=alone)
    if whole and suffix in SUFFIXES:
        return read_picture(path)
    raise DataError(
        "Files of this kind cannot be read",
        where=str(path),
        got=path.suffix or "no suffix",
        accepted=_ACCEPTED,
        fix=did_you_mean(suffix, TABLES + JSON_LINES + COLUMNAR + ARCHIVES),
    )


class _Sink:
    """A file that keeps nothing but the hash of what is written to it."""

    closed = False

    def __init__(self, digest: Any) -> None:
        self._digest = digest

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        return len(data)

    def flush(self) -> None:
        """Nothing waits to be written."""


def _suffix(path: Path) -> str:
    """The suffix that says the format, without .gz."""
    return Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()


def _existing(source: str | Path) -> Path:
    path = Path(source)
    try:
        if path.exists():
            return path
        near = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    except (OSError, ValueError) as error:  # a name that is too long, holds a NUL, or may not be looked at
        raise DataError("The path cannot be used", got=str(source), fix="A text itself goes into a list.") from error
    raise NotFoundError(
        "There is no file or folder here" if path.parent.is_dir() else "The folder of this file does not exist",
        # A bare name was looked for in the folder one is in, which a dot would not tell.
        where=str(path.parent if path.parent.name else path.parent.absolute()),
        got=path.name,
        fix=did_you_mean(path.name, near) or "Check the path; a text itself goes into a list.",
    )
