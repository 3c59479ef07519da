"""Observations that somebody asks about: out of a list, a table or a file, each with its place and its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from headwater.control.spaces import Box, Choices, Discrete, Space
from headwater.data import reading
from headwater.data.records import Records
from headwater.errors import unknown
from headwater.settings import Settings

COLUMN: Final = "observation"


@dataclass(frozen=True)
class Observed:
    """Rows of observations.

    Attributes:
        records: the rows as they came, those that are none marked with their reason.
        raw: the raw numbers of the rows that are, shape (usable rows, size).
    """

    records: Records
    raw: np.ndarray


def parts_of(source: Any, space: Space, settings: Settings, rows: int) -> Iterator[Observed]:
    """Observations in parts of at most `rows`.

    Args:
        source: a list of observations or an array of them; else what `reading.read_parts` takes, with a column of them.
        space: what an observation is.
        settings: name the column, say how files are read.
        rows: the most rows of a part.

    Raises:
        NotFoundError: there is no column of observations.
    """
    if isinstance(source, np.ndarray):
        source = list(source)
    if isinstance(source, list | tuple) and not (source and all(map(_is_row, source))):
        for first in range(0, max(len(source), 1), rows):
            yield _observed(_listed(source[first : first + rows], first), list(source[first : first + rows]), space)
        return
    for records in reading.read_parts(source, settings, rows=rows, offline=settings.offline):
        yield of_records(records, space, settings.observation)


def of_records(records: Records, space: Space, column: str | None = None) -> Observed:
    """The observations in a column of records.

    Raises:
        NotFoundError: there is no such column.
    """
    name = column or COLUMN
    if name not in records.columns:
        raise unknown("column", name, records.columns, where=records.name)
    return _observed(records, records.column(name), space)


def type_of(space: Space) -> pa.DataType:
    """The type of a column of its plain values.

    Example:
        >>> str(type_of(Discrete(2))), str(type_of(Box((2, 3), (0.0,), (1.0,))))
        ('int64', 'list<item: list<item: double>>')
    """
    found = pa.float64() if isinstance(space, Box) and not space.whole else pa.int64()
    sides = space.shape if isinstance(space, Box) else () if isinstance(space, Discrete) else (space.size,)
    for _ in (isinstance(space, Choices) and space.shape) or sides:
        found = pa.list_(found)
    return found


def _observed(records: Records, cells: list[Any], space: Space) -> Observed:
    found, reasons = [], {}
    for row, cell in enumerate(cells):
        if row in records.problems:
            continue
        try:
            if cell is None:
                raise ValueError("missing")
            found.append(space.read(cell))
        except ValueError as wrong:
            reasons[row] = f"the observation is {wrong}; it has to be {space}"
    raw = np.stack(found) if found else np.zeros((0, space.size), space.dtype)
    return Observed(records.with_problems(reasons), raw)


def _listed(rows: Any, first: int) -> Records:
    """Observations of a list as records, which have their texts: cells of one column would have to be of one type."""
    texts = [None if one is None else str(one.tolist() if hasattr(one, "tolist") else one) for one in rows]
    return Records(pa.table({COLUMN: pa.array(texts, pa.string())}), lines=np.arange(first + 1, first + len(rows) + 1))


def _is_row(one: Any) -> bool:
    return isinstance(one, Mapping) and COLUMN in one
