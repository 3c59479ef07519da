"""Setting aside the rows that could not be read, and stopping when they are too many."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from headwater.data.records import Problem, Records
from headwater.errors import DataError
from headwater.run import write_whole


def quarantine(records: Records, share: float) -> tuple[Records, list[Problem]]:
    """The usable rows, and the problems of the others in the order of the rows.

    Raises:
        DataError: more than this share of the rows has a problem; tells the first three.

    Example:
        >>> import pyarrow as pa
        >>> records = Records(pa.table({"text": ["a", None]}), {1: Problem("2 cells instead of 1", "a.csv", 3)})
        >>> quarantine(records, 0.05)
        Traceback (most recent call last):
        headwater.errors.DataError: data: 1 of 2 rows (50.0 %) cannot be read, more than 5.0 % ...
    """
    problems = [records.problems[row] for row in sorted(records.problems)]
    if len(problems) > share * len(records):
        found = 100 * len(problems) / len(records)
        raise DataError(
            f"{len(problems)} of {len(records)} rows ({found:.1f} %) cannot be read, more than {100 * share:.1f} %: "
            f"{'; '.join(_told(records)[:3])}",
            where=records.name,
            fix="Mend these rows, or allow more with --quarantine-share.",
        )
    return (records.take(records.usable), problems) if problems else (records, [])


def write_quarantine(problems: Iterable[Problem], path: Path) -> None:
    """Writes one JSON object with file, line and reason for each problem."""
    rows = ({"file": problem.file, "line": problem.line, "reason": problem.reason} for problem in problems)
    write_whole(path, "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode())


def _told(records: Records) -> list[str]:
    return [
        str(problem) if problem.file else f"row {row}: {problem.reason}"
        for row, problem in sorted(records.problems.items())
    ]
