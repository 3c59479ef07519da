"""Tables of interactions, as recommenders write them: read by Arrow in columns, millions of rows in seconds."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from pyarrow import csv

from headwater.data import reading
from headwater.data.delimited import DELIMITERS, find_dialect
from headwater.data.lines import open_lines
from headwater.data.records import Problem, Records
from headwater.errors import DataError
from headwater.settings import DataSettings

_TYPED: Final = re.compile(r"^(.+):(token|token_seq|float|float_seq)$")
"""A column of RecBole's atomic files: its name, and the type of its cells."""
ATOMIC: Final = (".inter", ".item", ".user")
"""The suffixes of RecBole's atomic files: of interactions, of items, of users."""
_USUAL: Final = ("user", "item", "rating", "timestamp")
_SEPARATOR: Final = "\x1f"
"""Stands between cells where two characters did."""
_GENRES: Final = (
    "unknown", "Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
_RAW: Final = {
    "u.data": ("\t", _USUAL),
    "u.user": ("|", ("user", "age", "gender", "occupation", "zip_code")),
    "u.item": ("|", ("item", "title", "release_date", "video_release_date", "url", *_GENRES)),
    "ratings.dat": (_SEPARATOR, _USUAL),
    "users.dat": (_SEPARATOR, ("user", "gender", "age", "occupation", "zip_code")),
    "movies.dat": (_SEPARATOR, ("item", "title", "genres")),
}
"""What divides the cells of MovieLens's own files, which have no header, and the columns."""
_BLOCK: Final = 1 << 24


@dataclass(frozen=True)
class _Layout:
    """How a text table lies in its file."""

    names: Sequence[str]
    delimiter: str
    header: bool
    quoted: bool = True


def read_cells(source: Any, settings: DataSettings, *, offline: bool = False) -> Records:
    """All rows of a source, every cell of a text table as text; a row of another width is a problem in its place.

    Reads what `reading.read` reads, and what recommenders write beside: RecBole's atomic files, whose header tells
    types (`user_id:token`), MovieLens's own (`u.data`, `u.item`, `u.user`, `ratings.dat`, `movies.dat`, `users.dat`),
    and tables of two to four columns without a header whose first line is all numbers.

    Raises:
        NotFoundError, DataError: as `reading.read` does.
    """
    if not isinstance(source, str | Path) or _kind(Path(source)) is None or not Path(source).is_file():
        return reading.read(source, settings, offline=offline)
    path = Path(source)
    layout = _layout(path, settings)
    try:
        return _read(path, layout)
    except pa.ArrowInvalid as refused:
        if not layout.header or _kind(path) in ATOMIC:
            raise DataError(
                "The table cannot be read", where=str(path), got=str(refused), fix="Write it again, in UTF-8."
            ) from refused
    return untyped(reading.read(path, settings, offline=offline))


def untyped(records: Records) -> Records:
    """The records with the columns of a typed header under their names.

    Example:
        >>> untyped(Records(pa.table({"user_id:token": ["7"], "age:float": ["30"]}))).columns
        ['user_id', 'age']
    """
    found = [_TYPED.match(name) for name in records.columns]
    if not found or not all(found):
        return records
    names = [match.group(1) for match in found if match]
    return replace(records, table=records.table.rename_columns(names))


def _kind(path: Path) -> str | None:
    """The suffix of a text table, without .gz; None for any other file."""
    name = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    suffix = name.suffix.lower()
    return suffix if suffix in (*reading.TABLES, *ATOMIC) or name.name in _RAW else None


def _layout(path: Path, settings: DataSettings) -> _Layout:
    """How the file lies, told by its name and its first lines."""
    name = path.name.removesuffix(".gz")
    if name in _RAW:
        delimiter, names = _RAW[name]
        return _Layout(names, delimiter, header=False, quoted=False)
    lines = open_lines(path, settings.encoding)
    first = next(iter(lines.peek(1)), "").strip("\ufeff\r\n")
    dialect = find_dialect(lines, settings.delimiter or ("\t" if _kind(path) in ATOMIC else None))
    cells = [cell.strip().strip('"').strip() for cell in first.split(dialect.delimiter)]
    bare = 2 <= len(cells) <= len(_USUAL) and all(map(_is_number, cells))
    names = _USUAL[: len(cells)] if bare else cells
    plain = dialect.delimiter in DELIMITERS and len(set(names)) == len(names) and all(names)
    if not plain:  # the careful reader says what is wrong with the header
        names = [part.strip() for part in reading.read(path, settings).columns]
    return _Layout(names, dialect.delimiter, header=not bare, quoted=dialect.quoted)


def _read(path: Path, layout: _Layout) -> Records:
    wrong: list[Any] = []
    options = {
        "read_options": csv.ReadOptions(
            column_names=list(layout.names), skip_rows=int(layout.header), use_threads=False, block_size=_BLOCK
        ),
        "parse_options": csv.ParseOptions(
            delimiter=layout.delimiter, quote_char='"' if layout.quoted else False,
            invalid_row_handler=lambda row: wrong.append(row) or "skip",
        ),
        "convert_options": csv.ConvertOptions(
            column_types=dict.fromkeys(layout.names, pa.string()), strings_can_be_null=True, null_values=[""],
        ),
    }  # fmt: skip
    with _opened(path, layout) as stream:
        table = csv.read_csv(stream, **options)
    rows = len(table) + len(wrong)
    lines = np.arange(1 + layout.header, rows + 1 + layout.header)
    if not wrong:
        return untyped(Records(table, {}, path.name, (str(path),), None, lines))
    places = [row.number - 1 - layout.header for row in wrong]
    kept = np.setdiff1d(np.arange(rows), places)
    back = np.full(rows, -1, dtype=np.int64)
    back[kept] = np.arange(len(kept))
    table = table.take(pa.array(back, mask=back < 0))
    problems = {
        place: Problem(
            f"{row.actual_columns} cells instead of {row.expected_columns}", str(path), place + 1 + layout.header
        )
        for place, row in zip(places, wrong, strict=True)
    }
    return untyped(Records(table, problems, path.name, (str(path),), None, lines))


def _opened(path: Path, layout: _Layout) -> Any:
    """The bytes of a table; those that divide cells by two characters, or are not UTF-8, are held in memory."""
    if layout.header:
        return pa.input_stream(str(path), compression="gzip" if path.suffix == ".gz" else None)
    with pa.input_stream(str(path), compression="gzip" if path.suffix == ".gz" else None) as stream:
        content = stream.read()
    if layout.delimiter == _SEPARATOR:
        content = content.replace(b"::", _SEPARATOR.encode())
    try:
        content.decode()
    except UnicodeDecodeError:
        content = content.decode("latin-1").encode()
    return io.BytesIO(content)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
