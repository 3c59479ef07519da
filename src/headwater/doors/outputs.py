"""What the verbs write outside the run folder, and where."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from headwater import artifact, catalog
from headwater.errors import ArtifactError, DataError, ResourceError, SettingError, unknown
from headwater.options import counted

if TYPE_CHECKING:
    import pyarrow as pa

    from headwater.application import Application, Predictions
    from headwater.data.records import Records
    from headwater.data.writing import Form


_LONGEST_NAME = 60
_NO_NAME = str.maketrans(':*?"<>|', "-------")
"""What no folder may be called on every system; the class of an environment is `module:Class`."""
_IMAGE = "image"
"""The column that says which image an answer is of."""
_NAMES = "\0names"
"""The same among the columns of the data, whatever these are called."""


def answers(application: Application, data: Any, keep: Sequence[str] = ()) -> Iterator[pa.Table]:
    """One row of answer for every row of data, in parts: row (from 1), the kept columns, then the predictions.

    Of images that are files of a folder or an archive, or one file, `image` says which each row is of.

    Raises:
        NotFoundError: a column to keep is not in the data.
        SettingError: it has the name of a column of answers.
    """
    first = 1
    for records, predictions in application.parts(data):
        yield _rows(_with_names(records, application, data, keep), predictions, first, keep)
        first += len(records)


def _with_names(records: Records, application: Any, data: Any, keep: Sequence[str]) -> Records:
    """The records with the name of each image as it stands in the data, where the data is more than a table of them."""
    import pyarrow as pa

    if catalog.task(application.task).inputs != ("Image",) or _IMAGE in keep or not _holds_files(data):
        return records
    cells, top = application.field.named(records).column(application.field.columns[0]), str(data)
    names = [below(cell if isinstance(cell, str) else records.file(row) or "", top) for row, cell in enumerate(cells)]
    return replace(records, table=records.table.append_column(_NAMES, pa.array(names, pa.string())))


def _holds_files(data: Any) -> bool:
    """Whether the rows of some data are files: those of a folder or an archive, or the one that is given."""
    from headwater.data.archives import ARCHIVES
    from headwater.data.pictures import SUFFIXES

    if not isinstance(data, str | Path):
        return False
    path = Path(data)
    return path.is_dir() or path.suffix.lower() in (*ARCHIVES, *SUFFIXES)


def below(path: str, top: str) -> str:
    """A path as it counts from the folder or archive that was read; the name of a file that was read itself."""
    if path == top:
        return Path(path).name
    return path.removeprefix(top).lstrip("!/\\").encode("utf-8", "replace").decode()


def write(tables: Iterator[pa.Table], path: Path, *, source: Any = None, form: Form | None = None) -> str:
    """Writes tables to one file as they come, whole or not at all; its suffix says the format where `form` does not.

    Returns:
        What was written, in words: how many rows, how many of them without an answer, and the first reason.

    Raises:
        SettingError: the file is the source that the tables are answers for.
        DataError: no row was answered; the reasons are written all the same.
    """
    from headwater.data.writing import PredictionWriter

    if isinstance(source, str) and path.exists() and path.resolve() == Path(source).resolve():
        raise SettingError("The answers would replace the data", where="--to", got=str(path), fix="Give another file.")
    rows, unread, first = 0, 0, ""
    with PredictionWriter(path, form) as writer:
        for table in tables:
            writer.write(table)
            numbers = table.column("row").to_pylist()
            reasons = [(row, why) for row, why in zip(numbers, table.column("reason").to_pylist(), strict=True) if why]
            if reasons and not unread:
                first = f"row {reasons[0][0]}, {reasons[0][1]}"
            unread += len(reasons)
            rows += table.num_rows
    if rows and unread == rows:
        refuse_silence(first, fix=f"The reason of each row is in {path}.")
    silent = f", {unread} without an answer, the first: {first}" if unread else ""
    return f"{counted(rows, 'row')} written to {path}{silent}"


def head(tables: Iterator[pa.Table], rows: int) -> pa.Table:
    """The first rows of a stream of tables; nothing behind them is computed but the part they are in.

    Where none of these is answered, it is computed until a row is.

    Raises:
        DataError: no row is.
    """
    import pyarrow as pa

    parts: list[pa.Table] = []
    for table in tables:
        parts.append(table)
        if sum(part.num_rows for part in parts) >= rows:
            break
    found = pa.concat_tables(parts, promote_options="permissive")
    if len(found) and _is_silent(found) and all(map(_is_silent, tables)):
        refuse_silence(
            f"row {found.column('row')[0]}, {found.column('reason')[0]}",
            fix="Check that the data is what the application was made for.",
        )
    return found.slice(0, rows)


def refuse_silence(first: str, *, fix: str) -> NoReturn:
    """Raises DataError: a command that was asked for answers and has none has failed, whatever it has written."""
    raise DataError("No row could be answered", got=first, fix=fix)


def _is_silent(table: pa.Table) -> bool:
    """Whether every row of answers has a reason why it is none."""
    return "reason" in table.column_names and not table.column("reason").null_count


def run_folder(data: str | None, suffix: str = "") -> str:
    """Where a run goes that was given no folder: `runs/`, under the name of its data.

    Example:
        >>> run_folder("shop/reviews.csv.gz"), run_folder("reviews.csv", suffix="-rank")
        ('runs/reviews', 'runs/reviews-rank')
    """
    stem = _stem(data) if data else ""
    return str(free(Path("runs") / ((stem[:_LONGEST_NAME] or "run") + suffix)))


def comparison_folder(source: str, target: str | None) -> Path:
    """Where a comparison goes that was given no folder: `runs/`, under the names of its data.

    Example:
        >>> comparison_folder("old/books.csv", "dvd.jsonl").as_posix()
        'runs/books-and-dvd'
        >>> comparison_folder("my.world:Hilly", "my.world:Flat").as_posix()
        'runs/world-Hilly-and-world-Flat'
    """
    stems = [_stem(one) for one in (source, target) if one]
    return free(Path("runs") / ("-and-".join(stems)[:_LONGEST_NAME] or "comparison"))


def _stem(data: str) -> str:
    name = Path(data).name
    # Of `package.module:Class` the last parts tell most, of a file the first.
    return (name.rpartition(".")[2] if ":" in name else name.partition(".")[0]).translate(_NO_NAME)


def free(folder: Path) -> Path:
    """The folder itself where there is none yet, else the first of its name with a number."""
    if not folder.exists():
        return folder
    numbered = (folder.with_name(f"{folder.name}-{number}") for number in itertools.count(2))
    return next(place for place in numbered if not place.exists())


def make_writable(folder: Path) -> None:
    """Makes a folder for a report, so that a place that cannot be written is known before the work and not after it.

    Raises:
        SettingError: the folder holds an application, whose own report would be lost, or files that are no report.
        ResourceError: the folder cannot be made or written.
    """
    if (folder / artifact.MANIFEST).exists():
        raise SettingError(
            "This folder holds an application and the report of how it was made",
            where="--to",
            got=str(folder),
            fix="Write the new report to another folder.",
        )
    if _holds_other_files(folder):
        raise SettingError(
            "This folder holds other files, which a report could replace", where="--to", got=str(folder),
            accepted="a new or empty folder, or one with an earlier report", fix="Write the report to another folder.",
        )  # fmt: skip
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as failure:
        raise ResourceError(
            "The folder cannot be written",
            where=str(folder),
            got=failure.strerror,
            fix="Choose another folder with --to.",
        ) from failure


def clear_empty(folder: Path) -> None:
    """Takes away the folder that `make_writable` made, if nothing came into it: the mended command may use it."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def _holds_other_files(folder: Path) -> bool:
    """Whether there are files in a folder, and no earlier report of ours among them that a new one may replace."""
    try:
        return folder.is_dir() and any(folder.iterdir()) and not _holds_report(folder)
    except OSError:  # what cannot be looked into cannot be written either, as the next step says
        return False


def _holds_report(folder: Path) -> bool:
    from headwater.comparison.comparison import Comparison
    from headwater.evaluation.report import Report

    for kind in (Report, Comparison):
        with contextlib.suppress(ArtifactError):
            kind.load(folder)
            return True
    return False


def _rows(records: Records, predictions: Predictions, first: int, keep: Sequence[str]) -> pa.Table:
    import pyarrow as pa

    answers = predictions.to_arrow()
    columns: dict[str, Any] = {"row": pa.array(range(first, first + len(records)), pa.int64())}
    if _NAMES in records.columns:
        columns[_IMAGE] = records.table.column(_NAMES)
    own = [name for name in records.columns if name != _NAMES]
    for name in keep:
        if name not in own:
            raise unknown("column", name, own, where=records.name, otherwise="Name one of these with --keep.")
        if name in ("row", *answers.column_names):
            raise SettingError(
                "A kept column has the name of a column of answers", where="--keep", got=name,
                fix="Rename it in the data, or leave it out and join by the column row.",
            )  # fmt: skip
        columns[name] = records.table.column(name)
    return pa.table({**columns, **{name: answers.column(name) for name in answers.column_names}})
