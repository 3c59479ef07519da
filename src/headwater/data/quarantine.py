"""Setting aside the rows that could not be read, and stopping when they are too many."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from headwater.data.records import Flaws, Problem, Records
from headwater.errors import DataError
from headwater.run import write_whole

_EXAMPLES: Final = 100


class Quarantine:
    """Counts the rows set aside over the parts of a stream and keeps the first of them.

    Example:
        >>> import pyarrow as pa
        >>> aside = Quarantine()
        >>> aside.add(Records(pa.table({"text": ["a", None]}), {1: Problem("2 cells instead of 1", "a.csv", 3)}))
        >>> aside.summary()["share"]
        0.5
        >>> aside.refuse_over(0.05)
        Traceback (most recent call last):
        headwater.errors.DataError: data: 1 of 2 rows (50.0 %) cannot be used, more than 5.0 % ...
    """

    def __init__(self) -> None:
        self.rows, self.count, self.name = 0, 0, "data"
        self.examples: list[Problem] = []
        self.flaws = Flaws()

    def add(self, records: Records, *, counted: bool = False) -> None:
        """Counts the rows of a part, unless they were `counted` before, and those with a problem."""
        rows = sorted(records.problems)[: _EXAMPLES - len(self.examples)]
        self.examples += [records.problems[row] for row in rows]
        self.rows += 0 if counted else len(records)
        self.count += len(records.problems)
        self.name = records.name

    def add_flaws(self, flaws: Flaws) -> None:
        """Counts the parts of targets that cannot be used, of rows that can."""
        self.flaws = Flaws(
            [*self.flaws.problems, *flaws.problems],
            self.flaws.parts + flaws.parts, self.flaws.clipped + flaws.clipped,
        )  # fmt: skip

    def take_flaws(self, flaws: Flaws, share: float) -> None:
        """Counts them as `add_flaws` does, and stops when more than this share of all is set aside.

        At once, before anything is made of the rows: of a set that lost all its boxes, that it has no class is no help.

        Raises:
            DataError: as `refuse_flaws_over` does.
        """
        self.add_flaws(flaws)
        self.refuse_flaws_over(share)

    def refuse_over(self, share: float) -> None:
        """Stops when more than this share of the rows is set aside.

        Raises:
            DataError: tells the count, the share and the first three problems.
        """
        if self.count > share * self.rows:
            raise DataError(
                f"{self.count} of {self.rows} rows ({100 * self.count / self.rows:.1f} %) cannot be used, "
                f"more than {100 * share:.1f} %: {'; '.join(map(str, self.examples[:3]))}",
                where=self.name,
                fix="Mend these rows, or allow more with --quarantine-share.",
            )

    def refuse_flaws_over(self, share: float) -> None:
        """Stops when more than this share of the parts of targets is set aside.

        Raises:
            DataError: tells the count, the share and the first three problems.
        """
        lost = len(self.flaws.problems)
        if lost > share * self.flaws.parts:
            raise DataError(
                f"{lost} of {self.flaws.parts} boxes ({100 * lost / self.flaws.parts:.1f} %) cannot be used, "
                f"more than {100 * share:.1f} %: {'; '.join(map(str, self.flaws.problems[:3]))}",
                where=self.name,
                fix="Mend these boxes, or allow more with --quarantine-share.",
            )

    def summary(self) -> dict[str, Any]:
        """The section of the report: count, share and examples; the same of boxes where rows have any."""
        examples = [asdict(problem) for problem in self.examples]
        found = {"count": self.count, "share": self.count / max(self.rows, 1), "examples": examples}
        if not self.flaws.parts:
            return found
        lost = self.flaws.problems
        boxes = {
            "boxes": self.flaws.parts, "count": len(lost), "share": len(lost) / self.flaws.parts,
            "clipped": self.flaws.clipped, "examples": [asdict(problem) for problem in lost[:_EXAMPLES]],
        }  # fmt: skip
        return {**found, "boxes": boxes}


def quarantine(records: Records, share: float) -> tuple[Records, list[Problem]]:
    """The usable rows, and the problems of the others in the order of the rows.

    Raises:
        DataError: more than this share of the rows has a problem; tells the first three.
    """
    aside = Quarantine()
    aside.add(records)
    aside.refuse_over(share)
    problems = [records.problems[row] for row in sorted(records.problems)]
    return (records.take(records.usable), problems) if problems else (records, [])


def write_quarantine(problems: Iterable[Problem], path: Path) -> None:
    """Writes one JSON object with file, line and reason for each problem."""
    rows = ({"file": problem.file, "line": problem.line, "reason": problem.reason} for problem in problems)
    write_whole(path, "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode())
