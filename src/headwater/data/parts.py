"""Rows as they are read, gathered into records of bounded size, and records put together again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from headwater.data.records import Problem, Records


class Row(NamedTuple):
    """A row at its first line: its cells, or the reason why it has none."""

    line: int
    cells: Any
    reason: str | None = None


def batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """The rows in lists of at most `size`; one empty list when there are no rows."""
    source = iter(rows)
    yield list(islice(source, size))
    while batch := list(islice(source, size)):
        yield batch


def records_of(table: pa.Table, rows: Sequence[Row], file: str, name: str) -> Records:
    """Records of a table whose rows stand in one file."""
    problems = {place: Problem(row.reason, file, row.line) for place, row in enumerate(rows) if row.reason}
    lines = np.fromiter((row.line for row in rows), dtype=np.int64, count=len(rows))
    return Records(table, problems, name, (file,), None, lines)


def slices(records: Records, size: int) -> Iterator[Records]:
    """Records that are in memory, in parts of at most `size` rows; one empty part when there are no rows."""
    for start in range(0, max(len(records), 1), size):
        yield records if size >= len(records) else records.take(np.arange(start, min(start + size, len(records))))


def joined(parts: Sequence[Records]) -> Records:
    """One set of records out of consecutive parts of one source."""
    if len(parts) == 1:
        return parts[0]
    starts = np.cumsum([0, *map(len, parts)]).tolist()
    problems = {start + row: problem for start, part in zip(starts, parts, strict=False)
                for row, problem in part.problems.items()}  # fmt: skip
    return replace(
        parts[0],
        table=pa.concat_tables([part.table for part in parts]),
        problems=problems,
        file_of=_end_to_end([part.file_of for part in parts]),
        lines=_end_to_end([part.lines for part in parts]),
    )


def _end_to_end(arrays: Sequence[np.ndarray | None]) -> np.ndarray | None:
    known = [array for array in arrays if array is not None]
    return np.concatenate(known) if known else None
