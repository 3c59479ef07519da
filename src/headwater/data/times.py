"""Columns of points in time, as numbers that order them."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np

from headwater.data.duplicates import place
from headwater.data.records import Records
from headwater.errors import DataError


def times(records: Records, column: str) -> np.ndarray:
    """The points in time of a column as numbers, shape (rows,), the later the larger.

    Numbers stand for themselves (years, seconds, 20240131); everything else is a date or an ISO 8601 text, in UTC
    where it names no zone.

    Raises:
        NotFoundError: there is no such column.
        DataError: a cell is empty or no point in time, or numbers and dates are mixed; names the line.

    Example:
        >>> import pyarrow as pa
        >>> days = times(Records(pa.table({"day": ["2024-02-01", "2024-01-31T18:00:00Z"]})), "day")
        >>> float(days[0] - days[1])
        21600.0
    """
    cells = records.column(column)
    numbers = [_number(cell) for cell in cells]
    read = numbers if any(number is not None for number in numbers) else [seconds_of(cell) for cell in cells]
    wrong = next((row for row, value in enumerate(read) if value is None), None)
    if wrong is not None:
        raise DataError(
            f"Column {column} is to split by time, but this cell is no such point in time",
            where=place(records, wrong),
            got=cells[wrong],
            accepted="dates and ISO 8601 texts such as 2024-01-31T18:00, or numbers throughout",
            fix="Mend or remove the row, or split in another way.",
        )
    return np.array(read, dtype=np.float64)


def _number(cell: Any) -> float | None:
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        return None
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def seconds_of(cell: Any) -> float | None:
    """A date, or an ISO 8601 text, as seconds since 1970, in UTC where it names no zone; None for anything else.

    Example:
        >>> seconds_of("1970-01-02"), seconds_of("soon")
        (86400.0, None)
    """
    moment = _moment(cell)
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _moment(cell: Any) -> datetime | None:
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, time())
    if not isinstance(cell, str):
        return None
    try:
        return datetime.fromisoformat(cell.strip())
    except ValueError:
        return None
