"""Writing predictions part by part to a file that appears only when it is whole."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Protocol, Self

import pyarrow as pa

from headwater.data.columnar import plain
from headwater.errors import DataError, NotFoundError, ResourceError, SettingError, did_you_mean


class PredictionWriter:
    r"""A table file written in parts; the suffix of its path says the format, unless `form` is one.

    CSV and TSV hold lists as JSON text and nulls as empty cells; these and JSON hold bytes in base64. The file takes
    its name when the `with` block ends without an error; until then, and after an error, an older file of the name
    stays as it was.

    Raises:
        SettingError: the suffix names no format that can be written.
        NotFoundError: the folder does not exist.
        ResourceError: the file cannot be written.
        DataError: a part has other columns than the first.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with PredictionWriter(Path(folder) / "out.csv") as writer:
        ...         writer.write(pa.table({"prediction": ["good", None], "tags": [["a"], []]}))
        ...     (Path(folder) / "out.csv").read_text()
        'prediction,tags\ngood,"[""a""]"\n,[]\n'
    """

    def __init__(self, path: str | Path, form: Form | None = None) -> None:
        self.path = Path(path)
        self._format = form or _format_of(self.path)
        refuse_no_folder(self.path)
        self._partial = self.path.with_name(f".{self.path.name}.{os.getpid()}.partial")

    def __enter__(self) -> Self:
        try:
            if self.path.is_dir():
                raise IsADirectoryError(21, "a folder has this name")
            self._stored: IO[bytes] = self._partial.open("wb")
        except OSError as error:
            raise unwritable(self.path, error) from error
        self._sheet = self._format(self._stored)
        self._columns: list[str] | None = None
        return self

    def write(self, table: pa.Table) -> None:
        """Adds the rows of a table, whose columns must be those of the first."""
        self._columns = self._columns or table.column_names
        if table.column_names != self._columns:
            raise DataError(
                "A part has other columns than the first", where=str(self.path), got=table.column_names,
                accepted=self._columns,
            )  # fmt: skip
        try:
            self._sheet.write(plain(table))
        except OSError as error:
            raise unwritable(self.path, error) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._stored:
                self._sheet.close()
                self._stored.flush()
                os.fsync(self._stored.fileno())
            if kind is None:
                self._partial.replace(self.path)
        except OSError as fault:
            raise unwritable(self.path, fault) from fault
        finally:
            self._partial.unlink(missing_ok=True)


def refuse_no_folder(path: Path) -> None:
    """Refuses a file whose folder is not there.

    Raises:
        NotFoundError: it is not.
    """
    if not path.parent.is_dir():
        raise NotFoundError(
            "The folder of this file does not exist", where=str(path), fix="Create it, or check the path."
        )


def unwritable(path: Path, error: OSError) -> ResourceError:
    """What is told of a file that cannot be written."""
    return ResourceError("The file cannot be written", where=str(path), got=error.strerror, fix="Give another path.")


def _format_of(path: Path) -> Form:
    suffixes = path.suffixes[-2:] if path.suffix.lower() == ".gz" else path.suffixes[-1:]
    suffix = "".join(suffixes).lower()
    if suffix not in _FORMATS:
        raise SettingError(
            "Predictions cannot be written to a file of this kind",
            where=str(path),
            got=suffix or "no suffix",
            accepted=_FORMATS,
            fix=did_you_mean(suffix, _FORMATS),
        )
    return _FORMATS[suffix]


class Sheet(Protocol):
    """A format: takes tables, and closes without closing the file below it."""

    def write(self, table: pa.Table) -> None: ...

    def close(self) -> None: ...


Form = Callable[[IO[bytes]], Sheet]
"""What makes a format of an open file."""


class _Text:
    """One line a row, packed or plain."""

    def __init__(self, stored: IO[bytes], *, packed: bool = False) -> None:
        # No name and no time in the gzip header: equal predictions make equal files.
        self._bytes: Any = gzip.GzipFile("", "wb", fileobj=stored, mtime=0) if packed else stored
        self._packed = packed
        self._text = io.TextIOWrapper(self._bytes, "utf-8", newline="")

    def close(self) -> None:
        self._text.detach()
        if self._packed:
            self._bytes.close()


class _Delimited(_Text):
    """CSV or TSV with a header."""

    def __init__(self, stored: IO[bytes], *, delimiter: str = ",", packed: bool = False) -> None:
        super().__init__(stored, packed=packed)
        self._rows = csv.writer(self._text, delimiter=delimiter, lineterminator="\n")
        self._headed = False

    def write(self, table: pa.Table) -> None:
        if not self._headed:
            self._rows.writerow(table.column_names)
            self._headed = True
        columns = [map(_cell, column.to_pylist()) for column in table.columns]
        self._rows.writerows(zip(*columns, strict=True))


class _JsonLines(_Text):
    """One JSON object a line."""

    def write(self, table: pa.Table) -> None:
        for row in table.to_pylist():
            self._text.write(f"{json.dumps(row, ensure_ascii=False, default=_text)}\n")


class _Columnar:
    """Parquet or Arrow, which need the type of every column before the first row.

    Parts whose columns hold nothing but nulls wait for a part that shows the types.
    """

    def __init__(self, stored: IO[bytes], open_writer: Callable[[IO[bytes], pa.Schema], Any]) -> None:
        self._open = lambda schema: open_writer(stored, schema)
        self._writer: Any = None
        self._schema = pa.schema([])
        self._waiting: list[pa.Table] = []

    def write(self, table: pa.Table) -> None:
        self._waiting.append(table)
        if self._writer is None:
            self._schema = pa.unify_schemas([part.schema.remove_metadata() for part in self._waiting])
            if any(pa.types.is_null(kind) for kind in self._schema.types):
                return
        self._release()

    def close(self) -> None:
        try:
            self._release()
        finally:
            self._writer.close()

    def _release(self) -> None:
        self._writer = self._writer or self._open(self._schema)
        waiting, self._waiting = self._waiting, []
        for table in waiting:
            try:
                self._writer.write_table(table.cast(self._schema))
            except pa.ArrowInvalid as error:
                raise DataError(
                    "A column changes its type from part to part", got=str(error), fix="Write .csv or .jsonl instead."
                ) from error


def _cell(value: Any) -> Any:
    if isinstance(value, bytes):
        return _text(value)
    return json.dumps(value, ensure_ascii=False, default=_text) if isinstance(value, list | dict) else value


def _text(value: Any) -> str:
    """What text has no word for: bytes are written in base64, everything else as it is printed."""
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else str(value)


def _parquet(stored: IO[bytes]) -> Sheet:
    from pyarrow.parquet import ParquetWriter

    return _Columnar(stored, ParquetWriter)


def _arrow(stored: IO[bytes]) -> Sheet:
    return _Columnar(stored, pa.ipc.new_file)


_FORMATS: Final[dict[str, Form]] = {
    ".csv": _Delimited,
    ".csv.gz": partial(_Delimited, packed=True),
    ".tsv": partial(_Delimited, delimiter="\t"),
    ".tsv.gz": partial(_Delimited, delimiter="\t", packed=True),
    ".jsonl": _JsonLines,
    ".jsonl.gz": partial(_JsonLines, packed=True),
    ".ndjson": _JsonLines,
    ".ndjson.gz": partial(_JsonLines, packed=True),
    ".parquet": _parquet,
    ".arrow": _arrow,
    ".feather": _arrow,
    ".ipc": _arrow,
}
