"""From rows as they were read to interactions: what cannot be used is marked, what comes twice is merged."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headwater.data.naming import tidy
from headwater.data.records import Records
from headwater.data.times import seconds_of
from headwater.recommendation.ids import whole
from headwater.recommendation.roles import Columns

_NUMBER: Final = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
_NUMERIC: Final = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)
_UNITS: Final = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
"""From which size on a time counts in nano-, micro- or milliseconds, and how many of them are a second."""
_SINCE_1980: Final = 3.2e8
"""Numbers below are no seconds of an epoch: they order rows, and nothing is in the future."""
_A_DAY: Final = 86_400.0
_NO_TIME: Final = "the time is neither a number nor an ISO 8601 date, such as 2026-07-31 or 2026-07-31T18:00"
TIMES, RATINGS = "time", "rating"


def spread(records: Records, columns: Columns) -> Records:
    """The records with a row for each item where a cell holds a list of items; others stay as they are.

    Ratings and times may be lists beside it; a row whose lists are not of one length is marked.

    Example:
        >>> baskets = Records(pa.table({"user": ["a", "b"], "item": [["x", "y"], ["y"]]}))
        >>> spread(baskets, Columns("user", "item")).table.to_pydict()
        {'user': ['a', 'a', 'b'], 'item': ['x', 'y', 'y']}
    """
    cells = records.table.column(columns.item).combine_chunks()
    if not _is_list(cells.type):
        return records
    lengths = _lengths(cells)
    # An empty list, or none, keeps a row of its own, which lacks its item.
    widths = np.maximum(lengths, 1)
    starts = np.concatenate([[0], np.cumsum(widths)])
    wide = replace(records, problems={}).take(np.repeat(np.arange(len(records)), widths))
    table, problems = wide.table, {int(starts[row]): problem for row, problem in records.problems.items()}
    for name in filter(None, (columns.item, columns.rating, columns.time)):
        column = records.table.column(name).combine_chunks()
        if _is_list(column.type):
            told, uneven = _flattened(column, lengths)
            table = table.set_column(table.column_names.index(name), name, told)
            reason = f"the lists in columns {columns.item} and {name} are not of one length"
            problems |= {
                int(starts[row]): records.problem(row, reason) for row in uneven if row not in records.problems
            }
    return replace(wide, table=table, problems=problems)


def _flattened(column: Any, lengths: np.ndarray) -> tuple[Any, list[int]]:
    """The entries of lists one after the other, one null for an empty list, and the rows of other lengths.

    Args:
        column: lists.
        lengths: how many entries each row is to have; another list becomes nulls.
    """
    own, widths = _lengths(column), np.maximum(lengths, 1)
    even = np.repeat((own == lengths) & (lengths > 0), widths)
    begin = np.concatenate([[0], np.cumsum(own)])[:-1]
    place = np.arange(widths.sum()) - np.repeat(np.cumsum(widths) - widths, widths)
    chosen = np.where(even, np.repeat(begin, widths) + place, 0)
    uneven = np.flatnonzero((own != lengths) & (lengths > 0)).tolist()
    return column.flatten().take(pa.array(chosen, mask=~even)), uneven


def _lengths(column: Any) -> np.ndarray:
    """The entries of each list, 0 where there is none."""
    return pc.fill_null(pc.call_function("list_value_length", [column]), 0).to_numpy(zero_copy_only=False)


def marked(records: Records, columns: Columns) -> Records:
    """The records with canonical columns: user and item as ids, rating and time as float64 where there are any.

    A row that lacks its user or item, has a rating that is no number, or a time that is none or lies in the future is
    marked with its reason.
    """
    parts: dict[str, Any] = {}
    reasons: dict[int, str] = {}
    for role, name in (("user", columns.user), ("item", columns.item)):
        parts[role], lacking = ids_of(records.table.column(name))
        reasons |= {row: reasons.get(row, f"the {role} is missing") for row in lacking}
    if columns.rating:
        cells = records.table.column(columns.rating)
        parts[RATINGS], wrong = numbers_of(cells)
        reasons |= _lacks(cells, wrong, "rating", f"the rating in column {columns.rating} is no number") | reasons
    if columns.time:
        parts[TIMES], early = times_of(records.table.column(columns.time))
        reasons |= early | reasons
    return replace(records, table=pa.table(parts)).with_problems(reasons)


def ids_of(column: pa.ChunkedArray) -> tuple[pa.Array, list[int]]:
    """A column of names as a dictionary, and the rows that have none. Whole numbers and texts stay what they are."""
    cells = _flat(column)
    encoded: Any = cells if pa.types.is_dictionary(cells.type) else cells.dictionary_encode()
    names = encoded.dictionary
    if not pa.types.is_integer(names.type):
        tidied = whole([tidy(name) for name in names.to_pylist()])
        encoded = _renamed(encoded, tidied)
    missing = np.flatnonzero(encoded.indices.is_null().to_numpy(zero_copy_only=False))
    return encoded, missing.tolist()


def numbers_of(column: pa.ChunkedArray) -> tuple[pa.Array, list[int]]:
    """A column as float64, and the rows that hold no finite number."""
    cells = _flat(column)
    if pa.types.is_string(cells.type):
        good = pc.call_function("match_substring_regex", [cells], pc.MatchSubstringOptions(_NUMBER))
        trimmed = pc.call_function("utf8_trim_whitespace", [cells])
        cells = pc.call_function("if_else", [good, trimmed, pa.scalar(None, pa.string())])
    elif not any(holds(cells.type) for holds in _NUMERIC):
        cells = pa.nulls(len(cells), pa.float64())
    values = pc.cast(cells, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return pa.array(values), np.flatnonzero(~np.isfinite(values)).tolist()


def times_of(column: pa.ChunkedArray) -> tuple[pa.Array, dict[int, str]]:
    """A column of points in time as float64, the later the larger, and the reasons for rows that have none.

    Numbers are seconds, or thousandths, millionths or billionths of them by their size, or simply order rows; all else
    is a date or an ISO 8601 text.
    """
    cells = _flat(column)
    if pa.types.is_timestamp(cells.type) or pa.types.is_date(cells.type):
        moments = pc.cast(cells, pa.timestamp("us", getattr(cells.type, "tz", None)), safe=False)
        values = pc.cast(pc.cast(moments, pa.int64()), pa.float64()).to_numpy(zero_copy_only=False) / 1e6
    else:
        values = numbers_of(column)[0].to_numpy()
        if not np.isfinite(values).any():
            values = _dates(cells)
    values = _in_seconds(values)
    reasons = _lacks(column, np.flatnonzero(~np.isfinite(values)).tolist(), "time", _NO_TIME)
    late = np.flatnonzero(np.isfinite(values) & (values > time.time() + _A_DAY))
    if _are_seconds(values):
        reasons |= {int(row): "the time lies in the future" for row in late}
        reasons |= {int(row): "the time is before 1970" for row in np.flatnonzero(values < 0)}
    return pa.array(values), reasons


def _lacks(column: pa.ChunkedArray, rows: Sequence[int], role: str, reason: str) -> dict[int, str]:
    """The reason for each of these rows: an empty cell is missing, whatever else it might be."""
    if not rows:
        return {}
    empty = column.is_null().to_numpy()
    return {row: f"the {role} is missing" if empty[row] else reason for row in rows}


def latest(pairs: np.ndarray, *orders: np.ndarray | None) -> np.ndarray:
    """The rows that stay where a pair comes more than once: those that are last.

    Args:
        pairs: a number for each pair of a user and an item, shape (rows,).
        orders: what makes a row later than another, each of shape (rows,), what counts most first; None has no part.
            Where all are equal, the later row is the later one.

    Example:
        >>> latest(np.array([7, 8, 7]), np.array([5.0, 1.0, 3.0])).tolist()
        [0, 1]
    """
    known = [order for order in orders if order is not None]
    order = np.lexsort((np.arange(len(pairs)), *reversed(known), pairs))
    ordered = pairs[order]
    last = np.ones(len(pairs), dtype=bool)
    last[:-1] = ordered[1:] != ordered[:-1]
    return np.sort(order[last])


def _in_seconds(values: np.ndarray) -> np.ndarray:
    finite = np.abs(values[np.isfinite(values)])
    middle = float(np.median(finite)) if finite.size else 0.0
    return values / next((unit for size, unit in _UNITS if middle > size), 1.0)


def _are_seconds(values: np.ndarray) -> bool:
    finite = values[np.isfinite(values)]
    return bool(finite.size) and float(np.median(finite)) > _SINCE_1980


def _dates(cells: pa.Array) -> np.ndarray:
    """Dates and ISO 8601 texts in seconds; each distinct one is read once."""
    encoded: Any = cells.dictionary_encode()
    known = [seconds_of(cell) for cell in encoded.dictionary.to_pylist()]
    read = np.array([np.nan if one is None else one for one in known] or [np.nan], dtype=np.float64)
    places = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    return np.where(places < 0, np.nan, read[places])


def _renamed(encoded: pa.DictionaryArray, names: Sequence[Any]) -> pa.DictionaryArray:
    """The array with these names in the place of its own; those of equal text become one, and None is no name."""
    first: dict[str, int] = {}
    places = [-1 if name is None else first.setdefault(str(name), len(first)) for name in names]
    by_text = {str(name): name for name in reversed(names)}
    table = np.array([*places, -1], dtype=np.int32)
    indices = table[pc.fill_null(encoded.indices, len(places)).to_numpy(zero_copy_only=False)]
    return pa.DictionaryArray.from_arrays(pa.array(indices, mask=indices < 0), _alike(map(by_text.get, first)))


def _alike(names: Iterable[Any]) -> pa.Array:
    """Names as one column: of text, unless all are whole numbers."""
    listed = list(names)
    whole = bool(listed) and all(isinstance(name, int) and not isinstance(name, bool) for name in listed)
    return pa.array(listed if whole else list(map(str, listed)), pa.int64() if whole else pa.string())


def _flat(column: pa.ChunkedArray) -> Any:
    """A column in one piece."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
