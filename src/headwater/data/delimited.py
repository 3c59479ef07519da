"""Reading CSV, TSV and their kin so that no bad row takes a good one with it."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from headwater.data.lines import ROW_LIMIT, TOO_LONG, Lines, damage, open_lines
from headwater.data.parts import Row, batches, records_of
from headwater.data.records import Records
from headwater.errors import DataError, SettingError
from headwater.settings import DataSettings

DELIMITERS: Final = (",", ";", "\t", "|")
_WHOLE_LINE: Final = "\x1f"  # the delimiter of a file with one column: it never occurs
_WRONG_QUOTING: Final = "wrong quoting"
_SAMPLE_LINES: Final = 200
_QUOTED_LINES: Final = 10_000

csv.field_size_limit(max(csv.field_size_limit(), 2 * ROW_LIMIT))


@dataclass(frozen=True)
class Dialect:
    """How lines become cells: the character between them, and whether quotes have a meaning."""

    delimiter: str
    quoted: bool = True


def read_delimited(path: Path, settings: DataSettings, rows: int) -> Iterator[Records]:
    """The rows of a text table with a header, all cells as text, in parts of at most `rows`.

    A row that is ragged, not decodable, too long or wrongly quoted is a problem at its first line; the rows around it
    are as if it were well. An empty cell is null; empty lines are no rows.

    Raises:
        DataError: there is no header, or it names a column twice or not at all; the file is no text.
    """
    lines = open_lines(path, settings.encoding)
    dialect = find_dialect(lines, settings.delimiter)
    names = _header(lines, dialect, str(path))
    for batch in batches(parse(lines, dialect, len(names)), rows):
        yield records_of(_table(batch, names), batch, str(path), path.name)


def parse(lines: Lines, dialect: Dialect, width: int | None = None) -> Iterator[Row]:
    r"""The rows in lines of text; with a width, rows of another width are problems.

    A quote that never closes (within 10,000 lines) costs the row it stands in; reading goes on at the next line.

    Example:
        >>> list(parse(Lines(['a,"b\n', "c,d\n"]), Dialect(","), 2))[1]
        Row(line=2, cells=['c', 'd'], reason=None)
    """
    for line in lines:
        number = lines.number
        reason = damage(line)
        if reason == TOO_LONG:
            yield Row(number, [], reason)
        elif dialect.quoted and '"' in line:
            yield _quoted(line, lines, dialect, width)
        elif cells := line.rstrip("\r\n"):
            yield _checked(Row(number, cells.split(dialect.delimiter), reason), width)
    if lines.cut:
        yield Row(lines.number + 1, [], lines.cut)


def find_dialect(lines: Lines, delimiter: str | None) -> Dialect:
    r"""The dialect that cuts the first lines into rows of the most even width; the lines stay to be read.

    Raises:
        SettingError: the given delimiter is not one character.

    Example:
        >>> find_dialect(Lines(["text;label\n", "fine, really;1\n"]), None).delimiter
        ';'
    """
    sample = lines.peek(_SAMPLE_LINES)
    if delimiter is None:
        best = max(DELIMITERS, key=lambda candidate: _evenness(sample, candidate))
        delimiter = best if _evenness(sample, best) > (0, 0) else _WHOLE_LINE
    delimiter = "\t" if delimiter == "\\t" else delimiter
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise SettingError(
            "The delimiter must be one character", where="--delimiter", got=delimiter, accepted=", ; | or \\t"
        )
    return Dialect(delimiter, quoted=delimiter != "\t" or _means_quotes(sample))


def _evenness(sample: list[str], delimiter: str) -> tuple[float, int]:
    """The share of rows as wide as the first and that width; zeros where the first has one cell."""
    widths = [0 if row.reason else len(row.cells) for row in parse(Lines(sample), Dialect(delimiter))]
    if not widths or widths[0] < 2:
        return 0, 0
    return Counter(widths)[widths[0]] / len(widths), widths[0]


def _means_quotes(sample: list[str]) -> bool:
    """Whether quotes enclose cells; in many tab-separated corpora they are characters like any other."""
    opening = sum(line.startswith('"') or '\t"' in line for line in sample)
    wrong = sum((row.reason or "").startswith(_WRONG_QUOTING) for row in parse(Lines(sample), Dialect("\t")))
    return wrong * 2 <= opening


def _header(lines: Lines, dialect: Dialect, where: str) -> list[str]:
    first = next(parse(lines, dialect), None)
    if first is None:
        raise DataError("The file is empty", where=where, accepted="a header of column names and a row a line")
    place = f"{where}:{first.line}"
    if first.reason:
        raise DataError(
            f"The header cannot be read: {first.reason}",
            where=place,
            fix="Mend this line, or name the right --delimiter or --encoding.",
        )
    names = [cell.strip().removeprefix("\ufeff").strip() for cell in first.cells]
    nameless = [place for place, name in enumerate(names, start=1) if not name]
    if nameless:
        raise DataError(
            f"{_count(len(nameless), 'column')} of the header without a name: {', '.join(map(str, nameless))}",
            where=place,
            fix="Name every column; pandas leaves the index nameless unless to_csv has index=False.",
        )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            "The header names a column more than once", where=place, got=twice,
            fix="Rename one of them, or add a header if this is the first row of data.",
        )  # fmt: skip
    return names


def _quoted(line: str, lines: Lines, dialect: Dialect, width: int | None) -> Row:
    """The row that starts on a line with a quote, and may end on a later one."""
    number, taken = lines.number, [line]
    reader = csv.reader(_following(lines, taken), delimiter=dialect.delimiter, strict=True)
    try:
        row = _checked(Row(number, next(reader)), width)
    except csv.Error as error:
        lines.put_back(taken[1:])
        return Row(number, [], damage(line) or f"{_WRONG_QUOTING}: {error}")
    if row.reason and len(taken) > 1 and _stands_alone(taken[1], dialect, width):
        lines.put_back(taken[1:])
        return Row(number, [], f"{_WRONG_QUOTING}: a quote runs into the next row")
    wrong = next(filter(None, map(damage, taken)), None)
    return Row(number, [], wrong) if wrong else row


def _following(lines: Lines, taken: list[str]) -> Iterator[str]:
    """The line already taken, then further ones while a quoted cell asks for them, up to the limits of a row."""
    yield taken[0]
    size = len(taken[0])
    for line in lines:
        taken.append(line)
        size += len(line)
        if size > ROW_LIMIT or len(taken) > _QUOTED_LINES:
            return
        yield line


def _stands_alone(line: str, dialect: Dialect, width: int | None) -> bool:
    row = next(parse(Lines([line]), dialect, width), None)
    return row is not None and row.reason is None


def _checked(row: Row, width: int | None) -> Row:
    if row.reason:
        return Row(row.line, [], row.reason)
    if width is None or len(row.cells) == width:
        return row
    return Row(row.line, [], f"{_count(len(row.cells), 'cell')} instead of {width}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _table(rows: list[Row], names: list[str]) -> pa.Table:
    """All cells as text; null where a cell is empty or its row has a problem."""
    missing = [None] * len(names)
    columns = list(zip(*(missing if row.reason else row.cells for row in rows), strict=True)) or [()] * len(names)
    return pa.table(
        {name: pa.array([cell or None for cell in column], pa.string())
         for name, column in zip(names, columns, strict=True)}
    )  # fmt: skip
