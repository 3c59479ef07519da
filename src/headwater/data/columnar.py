"""Reading Parquet and Arrow files, and bringing Arrow's many types of text and time to one each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headwater.data.records import Records
from headwater.errors import DataError


def read_columnar(path: Path, rows: int) -> Iterator[Records]:
    """The rows of a Parquet or Arrow file in parts of at most `rows`; one empty part when there are none.

    Raises:
        DataError: the file is damaged, or not what its name says.
    """
    try:
        batches, first = _parquet(path, rows) if path.suffix.lower() == ".parquet" else _arrow(path, rows), 1
        for batch in batches:
            table = pa.table(batch)
            table.validate(full=True)
            yield replace(numbered(plain(table), first), name=path.name, files=(str(path),))
            first += len(table)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"The file cannot be read as {path.suffix.removeprefix('.')}",
            where=str(path),
            got=str(error),
            fix="Write it again; it is damaged, or its name says another format than it has.",
        ) from error


def numbered(table: pa.Table, first: int = 1) -> Records:
    """Records of a table, whose rows are counted since it has no lines.

    Example:
        >>> numbered(pa.table({"text": ["a", "b"]})).lines.tolist()
        [1, 2]
    """
    return Records(table, lines=np.arange(first, first + len(table)))


def plain(table: pa.Table) -> pa.Table:
    """The table without dictionaries, and with one type for text, one for bytes and one for times.

    Times keep microseconds, because Python's own types know no finer ones.

    Raises:
        DataError: two columns have the same name.

    Example:
        >>> plain(pa.table({"a": pa.array(["x"]).dictionary_encode()})).schema.field("a").type
        DataType(string)
    """
    twice = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if twice:
        raise DataError("The table names a column more than once", got=twice, fix="Rename one of them.")
    return pa.table({name: _plain(table.column(name)) for name in table.column_names})


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _plain(pc.cast(column, kind.value_type))
    if pa.types.is_floating(kind):
        return pc.call_function("if_else", [pc.call_function("is_nan", [column]), pa.scalar(None, kind), column])
    common = _common(kind)
    return column if common is None else pc.cast(column, common, safe=False)


def _common(kind: pa.DataType) -> pa.DataType | None:
    """The one type of text, bytes or times that a column is brought to, None for any other column."""
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_binary(kind) or pa.types.is_binary_view(kind):
        return pa.large_binary()  # rows of images are soon more than the two GiB that others hold
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    return pa.duration("us") if pa.types.is_duration(kind) else None


def _parquet(path: Path, rows: int) -> Iterator[pa.Table]:
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        if file.metadata.num_rows == 0:
            yield file.schema_arrow.empty_table()
        for batch in file.iter_batches(rows):
            yield pa.table(batch)


def _arrow(path: Path, rows: int) -> Iterator[pa.Table]:
    with closing(pa.memory_map(str(path))) as stored:
        seekable = stored.read(6) == b"ARROW1"
        stored.seek(0)
        reader = pa.ipc.open_file(stored) if seekable else pa.ipc.open_stream(stored)
        batches = map(reader.get_batch, range(reader.num_record_batches)) if seekable else reader
        empty = True
        for batch in batches:
            for start in range(0, batch.num_rows, rows):
                empty = False
                yield pa.table(batch.slice(start, rows))
        if empty:
            yield reader.schema.empty_table()
