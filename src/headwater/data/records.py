"""Records: the user's rows as an Arrow table, each row knowing the file and line it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from headwater.errors import unknown


@dataclass(frozen=True)
class Problem:
    """Why a row cannot be used, and where it stands: in a file, or in data that came from memory.

    Example:
        >>> print(Problem("cut off", "a.csv", 3), "and", Problem("cut off", line=3))
        a.csv:3: cut off and row 3: cut off
    """

    reason: str
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}" if self.place else self.reason

    @property
    def place(self) -> str:
        """The file and line, or the row, as far as they are known."""
        if self.file is None:
            return "" if self.line is None else f"row {self.line}"
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Flaws:
    """The parts of targets that cannot be used, such as single boxes, while the rows that they are in can.

    Attributes:
        problems: the reason for each, under the file and line it came from.
        parts: how many parts there are, those included.
        clipped: how many reach beyond the edge of their picture, and were cut off there.
    """

    problems: list[Problem] = field(default_factory=list)
    parts: int = 0
    clipped: int = 0


@dataclass(frozen=True)
class Records:
    """Typed columns of one data set, with the rows that could not be read kept in their places.

    Attributes:
        table: the columns; a row that could not be read is null in all of them.
        problems: the reason for each such row, by its position.
        name: what to call the data in messages.
        files: the files the rows came from; empty for data that was in memory.
        file_of: for each row its file, as a position in `files`; None where `files` has at most one.
        lines: for each row the line it starts on, or its number where there are no lines, counted from 1; None where
            neither is known.
        groups: for each row a number: rows of one number belong together, and never stand on both sides of a division;
            None where nobody has looked.

    Example:
        >>> records = Records(pa.table({"text": ["good", None]}), {1: Problem("cut off", "a.csv", 3)})
        >>> len(records), records.usable.tolist()
        (2, [0])
    """

    table: pa.Table
    problems: Mapping[int, Problem] = field(default_factory=dict)
    name: str = "data"
    files: tuple[str, ...] = ()
    file_of: np.ndarray | None = None
    lines: np.ndarray | None = None
    groups: np.ndarray | None = None

    def __len__(self) -> int:
        return self.table.num_rows

    @property
    def columns(self) -> list[str]:
        return self.table.column_names

    @property
    def usable(self) -> np.ndarray:
        """The positions of the rows that could be read."""
        mask = np.ones(len(self), dtype=bool)
        mask[list(self.problems)] = False
        return np.flatnonzero(mask)

    def column(self, name: str) -> list[Any]:
        """The values of a column as Python objects.

        Raises:
            NotFoundError: there is no such column; names the near ones.
        """
        if name not in self.columns:
            # An application reads the columns that it was made with, whatever those of other data are called.
            rename = "Name one of these, or rename the one that is meant."
            raise unknown("column", name, self.columns, where=self.name, otherwise=rename)
        return self.table.column(name).to_pylist()

    def take(self, rows: Sequence[int] | np.ndarray) -> Records:
        """The rows at these positions, in this order, with their problems and places."""
        picked = np.asarray(rows, dtype=np.int64)
        return replace(
            self,
            table=self.table.take(pa.array(picked)),
            problems={new: self.problems[old] for new, old in enumerate(picked.tolist()) if old in self.problems},
            file_of=None if self.file_of is None else self.file_of[picked],
            lines=None if self.lines is None else self.lines[picked],
            groups=None if self.groups is None else self.groups[picked],
        )

    def with_problems(self, reasons: Mapping[int, str]) -> Records:
        """The same records with further rows marked as unusable, each under the file and line it came from."""
        added = {row: self.problem(row, reason) for row, reason in reasons.items() if row not in self.problems}
        return replace(self, problems={**self.problems, **added})

    def file(self, row: int) -> str | None:
        """The file that a row came from; None for data that was in memory."""
        return self.files[0 if self.file_of is None else int(self.file_of[row])] if self.files else None

    def problem(self, row: int, reason: str) -> Problem:
        """A problem at the place of a row."""
        return Problem(reason, self.file(row), None if self.lines is None else int(self.lines[row]))
