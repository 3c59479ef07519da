"""The cells of a column of boxes, in all the shapes that data sets have them, as flat arrays of single boxes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from headwater.data.naming import tidy

CORNERS: Final = ("left", "top", "right", "bottom")
THINGS: Final = pa.list_(
    pa.struct([
        ("label", pa.string()),
        *((corner, pa.float64()) for corner in CORNERS),
        ("difficult", pa.bool_()),
        ("flaw", pa.string()),
        ("crowd", pa.bool_()),
    ])
)  # fmt: skip
"""The type of a column of boxes as the readers of annotations make it; `flaw` is why a box cannot be used."""
_FORMER: Final = pa.list_(pa.struct(list(THINGS.value_type)[:-1]))
"""The same before crowds were told from what is difficult: tables that were kept so can still be read."""
_LABELS: Final = ("label", "category", "class", "name", "category_name", "class_name", "category_id", "class_id")
_NESTED: Final = ("bbox", "box", "bndbox")
_BY_CORNERS: Final = (CORNERS, ("xmin", "ymin", "xmax", "ymax"), ("x_min", "y_min", "x_max", "y_max"),
                      ("x1", "y1", "x2", "y2"))  # fmt: skip
_BY_SIZE: Final = (("x", "y", "width", "height"), ("x", "y", "w", "h"), ("left", "top", "width", "height"))
_CROWD: Final = ("iscrowd", "is_crowd", "crowd")
_NOWHERE: Final = (float("nan"),) * 4

Numbers = tuple[float, ...]


@dataclass(frozen=True)
class Things:
    """The boxes of all rows, one after another.

    Attributes:
        rows: the row of each, ascending, shape (things,).
        labels: the label of each, None where there is none.
        places: four numbers of each, shape (things, 4), not-a-number where there are none: left, top, right, bottom;
            or where `open_order` left, top, width, height, unless the data set means corners by them.
        open_order: which of them came as four bare numbers, shape (things,).
        difficult: shape (things,).
        crowd: shape (things,).
        flaws: what the reader found wrong, by the position of the thing.
        reasons: why a row has no boxes that can be read, by row.
        missing: the rows whose cell is empty.
    """

    rows: np.ndarray
    labels: list[Any]
    places: np.ndarray
    open_order: np.ndarray
    difficult: np.ndarray
    crowd: np.ndarray
    flaws: dict[int, str]
    reasons: dict[int, str]
    missing: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)


def things_of(column: pa.ChunkedArray, name: str) -> Things:
    """The boxes of a column.

    A cell is a list of boxes, each with its label and its place, or a pair of lists (`bbox`, `category`) as data sets
    of the hub have it; either may be JSON text. Four bare numbers are left, top, width and height, as COCO writes them.

    Example:
        >>> cells = [[{"label": "cat", "left": 0, "top": 0, "right": 4, "bottom": 2}], [], None]
        >>> found = things_of(pa.chunked_array([pa.array(cells)]), "objects")
        >>> found.rows.tolist(), found.labels, found.places.tolist(), found.missing.tolist()
        ([0], ['cat'], [[0.0, 0.0, 4.0, 2.0]], [2])
    """
    return _flat(column) if column.type in (THINGS, _FORMER) else _parsed(column.to_pylist(), name)


def _flat(column: pa.ChunkedArray) -> Things:
    """The same of a column that a reader of annotations has made, without a look at single cells."""
    cells = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    inner = cells.flatten()
    parts = dict(zip((one.name for one in column.type.value_type), inner.flatten(), strict=True))
    marks = (parts[name].to_pylist() if name in parts else [False] * len(inner) for name in ("difficult", "crowd"))
    difficult, crowd = (np.array(list(map(bool, values)), dtype=bool) for values in marks)
    lengths = np.nan_to_num(cells.value_lengths().to_numpy(zero_copy_only=False)).astype(np.int64)
    places = [parts[corner].to_numpy(zero_copy_only=False) for corner in CORNERS]
    return Things(
        rows=np.repeat(np.arange(len(cells)), lengths),
        labels=[tidy(label) for label in parts["label"].to_pylist()],
        places=np.stack(places, axis=1).astype(np.float64),
        open_order=np.zeros(len(inner), dtype=bool),
        difficult=difficult,
        crowd=crowd,
        flaws={place: flaw for place, flaw in enumerate(parts["flaw"].to_pylist()) if flaw},
        reasons={},
        missing=np.flatnonzero(cells.is_null().to_numpy(zero_copy_only=False)),
    )


def _parsed(cells: Sequence[Any], name: str) -> Things:
    rows: list[int] = []
    found: list[tuple[Any, Numbers, bool, bool, bool]] = []
    reasons: dict[int, str] = {}
    missing: list[int] = []
    for row, cell in enumerate(cells):
        listed = _listed(cell, name)
        if listed is None:
            missing.append(row)
        elif isinstance(listed, str):
            reasons[row] = listed
        else:
            found += [_thing(one) for one in listed]
            rows += [row] * len(listed)
    labels, places, *marks = zip(*found, strict=True) if found else [()] * 5
    bare, difficult, crowd = (np.array(values, dtype=bool) for values in marks)
    return Things(
        np.array(rows, dtype=np.int64), list(labels), np.array(places, dtype=np.float64).reshape(-1, 4),
        bare, difficult, crowd, {}, reasons, np.array(missing, dtype=np.int64),
    )  # fmt: skip


def _listed(cell: Any, name: str) -> list[Any] | str | None:
    """The boxes of a cell; the reason why it has none that can be read; None where it is empty."""
    if isinstance(cell, str):
        try:
            cell = json.loads(cell) if cell.strip() else None
        except (ValueError, RecursionError):
            return f"the boxes in column {name} are no JSON that can be read"
    if isinstance(cell, Mapping):
        return _side_by_side(cell, name)
    if cell is None or isinstance(cell, list):
        return cell
    return f"column {name} holds {type(cell).__name__}, not a list of boxes"


def _side_by_side(cell: Mapping[str, Any], name: str) -> list[Any] | str:
    """The boxes of a cell that has a list of each of their parts, or is a single one."""
    label = next((cell[key] for key in _LABELS if cell.get(key) is not None), None)
    if label is not None and not isinstance(label, list):
        return [cell]
    columns = {key: values for key, values in cell.items() if isinstance(values, list)}
    if len(set(map(len, columns.values()))) > 1:
        lengths = ", ".join(f"{key} {len(values)}" for key, values in columns.items())
        return f"the lists in column {name} are of unequal length: {lengths}"
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _thing(one: Any) -> tuple[Any, Numbers, bool, bool, bool]:
    """The label, the four numbers, whether these are bare, whether it is difficult, and whether a crowd."""
    if not isinstance(one, Mapping):
        return None, _NOWHERE, False, False, False
    label = next((one[key] for key in _LABELS if one.get(key) is not None), None)
    bare = next((one[key] for key in _NESTED if isinstance(one.get(key), list)), None)
    place = _numbers(bare) if bare is not None else _named(one)
    difficult, crowd = (any(_number(one.get(key)) > 0 for key in keys) for keys in (("difficult",), _CROWD))
    return tidy(label) if not isinstance(label, list | Mapping) else None, place, bare is not None, difficult, crowd


def _named(one: Mapping[str, Any]) -> Numbers:
    """Left, top, right and bottom of a box whose numbers have names."""
    inside = next((one[key] for key in _NESTED if isinstance(one.get(key), Mapping)), one)
    for names in _BY_CORNERS:
        if all(name in inside for name in names):
            return _numbers([inside[name] for name in names])
    for names in _BY_SIZE:
        if all(name in inside for name in names):
            left, top, width, height = _numbers([inside[name] for name in names])
            return left, top, left + width, top + height
    return _NOWHERE


def _numbers(values: list[Any]) -> Numbers:
    return tuple(map(_number, values)) if len(values) == 4 else _NOWHERE


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")
