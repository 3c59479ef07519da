"""Reading JSON Lines: one object a line, a bad line costing nothing but itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from headwater.data.lines import Lines, damage, open_lines
from headwater.data.memory import table_of
from headwater.data.parts import Row, batches, records_of
from headwater.data.records import Records
from headwater.errors import DataError
from headwater.settings import DataSettings


def read_jsonl(path: Path, settings: DataSettings, rows: int) -> Iterator[Records]:
    """The objects of a JSON Lines file, in parts of at most `rows`; every part has the columns of the whole file.

    Raises:
        DataError: the file is no text, is empty, or no line of it holds an object with a key.
    """
    names: list[str] = []
    for batch in batches(parse(open_lines(path, settings.encoding)), rows):
        # A file of several parts is read twice: a key may come for the first time in the last of them.
        names = names or _keys(batch if len(batch) < rows else parse(open_lines(path, settings.encoding)))
        if not names:
            raise DataError(
                f"No line holds an object: {batch[0].reason or 'this one has no key'}"
                if batch
                else "The file is empty",
                where=f"{path}:{batch[0].line}" if batch else str(path),
                accepted="a JSON object with the columns as its keys on each line",
            )
        table, reasons = table_of([None if row.reason else row.cells for row in batch])
        nulls = pa.nulls(len(batch))
        whole = pa.table({name: table.column(name) if name in table.column_names else nulls for name in names})
        rows_of_batch = [row._replace(reason=row.reason or reasons.get(place)) for place, row in enumerate(batch)]
        yield records_of(whole, rows_of_batch, str(path), path.name)


def _keys(rows: Iterable[Row]) -> list[str]:
    """Every key of the rows, in the order in which they first come."""
    return list(dict.fromkeys(key for row in rows if not row.reason for key in row.cells))


def parse(lines: Lines | Iterable[str]) -> Iterator[Row]:
    r"""The rows in lines of JSON; blank lines are no rows.

    Example:
        >>> [row.reason for row in parse(['{"text": "a"}\n', "[]\n"])]
        [None, 'this is JSON list, not an object']
    """
    lines = lines if isinstance(lines, Lines) else Lines(lines)
    for line in lines:
        if text := line.strip("\ufeff \t\r\n"):
            yield _row(lines.number, text)
    if lines.cut:
        yield Row(lines.number + 1, None, lines.cut)


def _row(number: int, text: str) -> Row:
    if reason := damage(text):
        return Row(number, None, reason)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        return Row(number, None, f"this is not JSON: {error.msg} at character {error.colno}")
    except (RecursionError, ValueError) as error:  # nested too deeply, or a number with thousands of digits
        return Row(number, None, f"this JSON cannot be read: {error}")
    if not isinstance(value, dict):
        return Row(number, None, f"this is JSON {type(value).__name__}, not an object")
    return Row(number, value)
