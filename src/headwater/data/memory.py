"""Records out of what is in memory: lists, dicts, data frames, Arrow tables."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import sparse

from headwater.data.columnar import numbered, plain
from headwater.data.raster import encode, is_image
from headwater.data.records import Records
from headwater.data.shades import common_whites
from headwater.errors import DataError

_ACCEPTED = (
    "a path, hub:owner/name, a list of texts, of (text, text) pairs, of (user, item, rating[, time]) tuples, of dicts "
    "or of images, a dict of columns, a sparse matrix of users and items, or a pandas, polars, Arrow or datasets table"
)

_TUPLE = ("user", "item", "rating", "timestamp")
_STORED = {"bytes", "path"}
"""The keys of a cell in which the library `datasets` keeps an image."""


def read_memory(source: Any) -> Records:
    """Records of a table, or of rows, that are in memory.

    A list of texts becomes the column `text`; pairs become `text` and `text_2`; tuples of three or four become `user`,
    `item`, `rating` and `timestamp`, and so do the stored cells of a sparse matrix of SciPy; images (bytes, arrays of
    shape (height, width[, channels]) or one of (rows, height, width[, channels]), images of Pillow) become `image`,
    with the bytes of a file each. Arrays of a column, of one type of numbers, have one white (`shades.common_whites`).
    An element of another type than the first is a problem in its place.

    Raises:
        DataError: the object is none of the accepted kinds, or its columns are of unequal length.

    Example:
        >>> read_memory(["good", "bad"]).columns, read_memory([("a", "b")]).columns
        (['text'], ['text', 'text_2'])
    """
    if isinstance(source, Records):
        return source
    if isinstance(source, Mapping):
        return _of_columns(source)
    table = _table(source)
    return _of_rows(_rows(source)) if table is None else table


def table_of(rows: Sequence[Mapping[str, Any] | None]) -> tuple[pa.Table, dict[int, str]]:
    """A table with the keys of all rows as its columns, and the reasons for rows that hold no valid text.

    Example:
        >>> table_of([{"text": "a"}, None, {"label": 1}])[0].to_pylist()[2]
        {'text': None, 'label': 1}
    """
    names = list(dict.fromkeys(str(name) for row in rows if row for name in row))
    columns, reasons = {}, {}
    for name in names:
        columns[name], wrong = column([row.get(name) if row else None for row in rows])
        reasons.update(wrong)
    return pa.table(columns), reasons


def column(values: Sequence[Any]) -> tuple[pa.Array, dict[int, str]]:
    """Values as one Arrow column, and the reasons for those that are no valid text.

    Values of one kind keep it (whole and broken numbers become broken ones); of several kinds, they become text as
    JSON writes it. Objects inside a cell are kept as JSON text. Not-a-number is null. Where one is an image of Pillow
    or an array of two dimensions or more, all become the bytes of image files.

    Example:
        >>> column([1, None])[0].to_pylist(), column([1, "a"])[0].to_pylist(), column([["a"], []])[0].to_pylist()
        ([1, None], ['1', 'a'], [['a'], []])
    """
    if any(map(is_image, values)):
        return _images(values)
    flat = [_flat(value) for value in values]
    try:
        return pa.array(flat, from_pandas=True), {}
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, UnicodeEncodeError):
        texts = [None if value is None or value != value else _text(value) for value in flat]  # noqa: PLR0124
    reasons = {row: "text that is not valid Unicode" for row, text in enumerate(texts) if not _valid(text)}
    return pa.array([None if row in reasons else text for row, text in enumerate(texts)], pa.string()), reasons


def _table(source: Any) -> Records | None:
    """Records of a table of one of the libraries, None if the object is no table."""
    if sparse.issparse(source):
        return _of_matrix(source)
    module = type(source).__module__.partition(".")[0]
    if module == "datasets" and hasattr(source, "with_format"):
        return numbered(plain(_named(source)))
    if module == "pandas" and hasattr(source, "columns"):
        return _of_columns({str(name): source[name].tolist() for name in source.columns})
    if hasattr(source, "__arrow_c_stream__") and hasattr(source, "columns"):
        return numbered(plain(pa.table(source)))
    return None


def _of_matrix(source: Any) -> Records:
    """The stored cells of a sparse matrix of users and items, under the numbers of their rows and columns."""
    cells = source.tocoo()
    columns = {"user": cells.row.astype(np.int64), "item": cells.col.astype(np.int64)}
    values = np.asarray(cells.data, dtype=np.float64)
    if (values != 1).any():
        columns["rating"] = values
    return numbered(pa.table({name: pa.array(column) for name, column in columns.items()}))


def _rows(source: Any) -> Sequence[Any]:
    """The elements of a list, an array or a series."""
    if _is_stack(source):
        return list(source)
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(source, method):
            return getattr(source, method)()
    if isinstance(source, Sequence) and not isinstance(source, bytes | bytearray):
        return source
    raise DataError("Data cannot be read from this", got=source, accepted=_ACCEPTED)


def _of_columns(source: Mapping[Any, Any]) -> Records:
    lists = {str(name): _listed(str(name), values) for name, values in source.items()}
    lengths = {name: len(values) for name, values in lists.items()}
    if len(set(lengths.values())) > 1:
        raise DataError("The columns are of unequal length", got=lengths, fix="Give each as many values as rows.")
    columns, reasons = {}, {}
    for name, values in lists.items():
        columns[name], wrong = column(values)
        reasons.update(wrong)
    return _records(pa.table(columns), reasons)


def _listed(name: str, values: Any) -> list[Any]:
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__iter__"):
        raise DataError(
            "A dict of columns needs a list for each",
            where=name,
            got=values,
            fix="For one row, give a list that holds the dict.",
        )
    return values.tolist() if hasattr(values, "tolist") and not _is_stack(values) else list(values)


def _is_stack(values: Any) -> bool:
    """Whether an array holds an image in each row."""
    return isinstance(values, np.ndarray) and values.ndim > 2


def _images(values: Sequence[Any]) -> tuple[pa.Array, dict[int, str]]:
    """The bytes of an image file for each value, and the reasons for those that are none; arrays have one white."""
    whites = common_whites(value for value in values if isinstance(value, np.ndarray) and value.dtype != np.uint8)
    made = [_image(value, whites) for value in values]
    reasons = {row: reason for row, (_, reason) in enumerate(made) if reason}
    return pa.array([content for content, _ in made], pa.large_binary()), reasons


def _image(value: Any, whites: Mapping[Any, float]) -> tuple[bytes | None, str | None]:
    if _missing(value):
        return None, None
    if isinstance(value, bytes | bytearray):
        return bytes(value), None
    if not is_image(value):
        return None, f"this row is {type(value).__name__}, not an image as the others"
    try:
        return encode(value, whites.get(getattr(value, "dtype", None), 0.0)), None
    except DataError as error:
        return None, str(error).removesuffix(".")


def _of_rows(rows: Sequence[Any]) -> Records:
    rows = [os.fspath(row) if isinstance(row, os.PathLike) else row for row in rows]
    first = next((row for row in rows if not _missing(row)), "")
    if isinstance(first, tuple) and len(first) in (3, 4) and all(isinstance(row, tuple) for row in rows):
        return _of_interactions(rows, len(first))
    if is_image(first) or isinstance(first, bytes | bytearray):
        cells, reasons = _images(rows)
        return _records(pa.table({"image": cells}), reasons)
    kind = next((kind for kind in (str, Mapping, tuple, list) if isinstance(first, kind)), None)
    if kind is None:
        raise DataError(
            "A row cannot be read from this", got=first, accepted="a text, a (text, text) pair, a dict or an image"
        )
    reasons = {place: _mismatch(row, kind) for place, row in enumerate(rows) if not _missing(row)}
    wrong = {place: reason for place, reason in reasons.items() if reason}
    good = [None if place in wrong or _missing(row) else row for place, row in enumerate(rows)]
    if kind is Mapping:
        table, invalid = table_of(good)
        if not table.column_names:
            raise DataError("The rows have no columns", got=first, accepted="a dict of column names and values each")
    else:
        pairs = kind is not str
        dicts = [_named_texts(row if pairs else (row,)) if row is not None else None for row in good]
        table, invalid = table_of([{"text": None, **({"text_2": None} if pairs else {})}, *dicts])
        table, invalid = table.slice(1), {place - 1: reason for place, reason in invalid.items()}
    return _records(table, {**wrong, **invalid})


def _of_interactions(rows: Sequence[tuple[Any, ...]], width: int) -> Records:
    """Tuples of a user, an item, a rating and perhaps a time, as recommenders take them."""
    wrong = {place: f"a tuple of {len(row)} values, not of {width}" for place, row in enumerate(rows)
             if len(row) != width}  # fmt: skip
    good = [(None,) * width if place in wrong else row for place, row in enumerate(rows)]
    columns = {}
    for name, values in zip(_TUPLE, zip(*good, strict=True), strict=False):
        columns[name], invalid = column(values)
        wrong = invalid | wrong
    return _records(pa.table(columns), wrong)


def _named_texts(texts: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(("text", "text_2"), texts, strict=False))


def _mismatch(row: Any, kind: type) -> str | None:
    """Why a row is not of the kind of the others, if so."""
    if not isinstance(row, kind):
        return f"this row is {type(row).__name__}, not {kind.__name__.lower()} as the others"
    if kind in (tuple, list) and len(row) != 2:
        return f"a pair has two texts, not {len(row)}"
    return None


def _missing(row: Any) -> bool:
    return row is None or (isinstance(row, float) and row != row)  # noqa: PLR0124


def _records(table: pa.Table, reasons: Mapping[int, str]) -> Records:
    """Records whose rows with a reason are null in all columns."""
    if reasons:
        keep = pa.array([None if row in reasons else row for row in range(table.num_rows)], pa.int64())
        table = table.take(keep)
    return numbered(table).with_problems(reasons)


def _named(dataset: Any) -> pa.Table:
    """The table of a `datasets.Dataset`, its class numbers replaced by their names, within lists and structs too."""
    table = dataset.with_format("arrow")[:]
    for name, feature in dataset.features.items():
        if _numbers_classes(feature):
            values = [_with_names(value, feature) for value in table.column(name).to_pylist()]
            kind = pa.string() if hasattr(feature, "int2str") else None
            table = table.set_column(table.column_names.index(name), name, pa.array(values, kind))
    return table


def _numbers_classes(feature: Any) -> bool:
    """Whether class numbers are somewhere in a feature of `datasets`."""
    inner = feature.values() if isinstance(feature, Mapping) else _inside(feature)
    return hasattr(feature, "int2str") or any(map(_numbers_classes, inner))


def _with_names(value: Any, feature: Any) -> Any:
    if hasattr(feature, "int2str"):
        return feature.names[value] if value is not None and value >= 0 else None
    if isinstance(feature, Mapping) and isinstance(value, Mapping):
        return {name: _with_names(part, feature[name]) for name, part in value.items()}
    if (inner := _inside(feature)) and isinstance(value, list):
        return [_with_names(part, inner[0]) for part in value]
    return value


def _inside(feature: Any) -> list[Any]:
    """The feature of what is in a list, where a feature is one of lists."""
    if isinstance(feature, list):
        return feature
    return [feature.feature] if hasattr(feature, "feature") else []


def _flat(value: Any) -> Any:
    """The value itself, or JSON text of one that holds others in more than one level; a path as text."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping) and value and set(value) <= _STORED:
        return value
    nested = isinstance(value, Mapping) or (
        isinstance(value, list | tuple) and any(isinstance(part, Mapping | list | tuple) for part in value)
    )
    return _text(value) if nested else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _valid(text: str | None) -> bool:
    try:
        (text or "").encode()
    except UnicodeEncodeError:
        return False
    return True
