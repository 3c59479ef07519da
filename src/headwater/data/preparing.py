"""From the user's data to training, validation and test rows: read, find fields, set bad rows aside, split, audit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from headwater.data import audit, quarantine, reading, splitting
from headwater.data.fields import Target, Text
from headwater.data.records import Problem, Records
from headwater.settings import Settings

Fields = tuple[Text, Target]
_SHOWN_CLASSES = 8


@dataclass(frozen=True)
class Prepared:
    """Rows ready for `fit` and `evaluate`, and what was found on the way.

    Attributes:
        train, valid, test: usable rows; `test` is empty when none was wanted.
        fields: the input and target fields, with the classes of the training rows.
        problems: the rows that were set aside.
        findings: sections of the report: `audit`, `split`, `quarantine`.
    """

    train: Records
    valid: Records
    test: Records
    fields: Fields
    problems: list[Problem]
    findings: dict[str, Any]

    def __str__(self) -> str:
        """What was found and decided, for the user to look over before the learning begins."""
        field, target = self.fields
        counts, split = self.findings["audit"]["classes"], self.findings["split"]
        shown = [f"{name} {rows:,}" for name, rows in list(counts.items())[:_SHOWN_CLASSES]]
        more = [f"and {len(counts) - _SHOWN_CLASSES} more"] if len(counts) > _SHOWN_CLASSES else []
        lines = {
            "input": ", ".join(field.columns),
            "target": ", ".join(target.columns),
            "classes": f"{len(target.classes)}: {', '.join(shown + more)}",
            "rows": f"{self.findings['audit']['rows']:,} usable, {len(self.problems):,} set aside",
            "split": f"{split['rule']}: {len(self.train):,} train, {len(self.valid):,} valid, {len(self.test):,} test",
        }
        warnings = [f"warning  {warning}" for warning in self.findings["audit"]["warnings"]]
        return "\n".join([*(f"{name:8} {text}" for name, text in lines.items()), *warnings])


def prepare(source: Any, settings: Settings, find: Callable[[Records], Fields], *, want_test: bool) -> Prepared:
    """Reads a source and divides its usable rows.

    Args:
        source: anything that `reading.read` takes.
        settings: columns, shares, own validation and test files.
        find: the input and target fields of the records.
        want_test: whether test rows are held out (or read from `settings.test`).

    Raises:
        DataError: the data cannot be read, has too many bad rows, or cannot be divided.
    """
    records = reading.read(source, settings, offline=settings.offline)
    fields = find(records)
    marked = mark(records, fields)
    good, problems = quarantine.quarantine(marked, settings.quarantine_share)
    inputs, cells = values(good, fields)
    splits = splitting.split(
        good, inputs, cells, settings,
        want_test=want_test and settings.test is None, want_valid=settings.valid is None,
    )  # fmt: skip
    aside = quarantine.Quarantine()
    aside.add(marked)
    findings = {"audit": audit.audit(good, inputs, cells), "split": splits.findings, "quarantine": aside.summary()}
    own = {name: _own_file(getattr(settings, name), settings, fields, problems) for name in ("valid", "test")}
    train = _without_copies(good, splits.train, own, fields, findings["split"])
    fields = (fields[0], fields[1].learn(fields[1].cells(train)))
    return Prepared(
        train=train,
        valid=own["valid"] or good.take(splits.valid),
        test=own["test"] or good.take(splits.test),
        fields=fields,
        problems=problems,
        findings=findings,
    )


def mark(records: Records, fields: Fields) -> Records:
    """The records with every row marked that lacks an input or a label."""
    field, target = fields
    _, reasons = field.values(records)
    unlabelled = {row: "the label is missing" for row, cell in enumerate(target.cells(records)) if cell is None}
    return records.with_problems({**unlabelled, **reasons})


def values(records: Records, fields: Fields) -> tuple[list[Any], list[Any]]:
    """The inputs and label cells of usable records."""
    return fields[0].values(records)[0], fields[1].cells(records)


def _own_file(path: str | None, settings: Settings, fields: Fields, problems: list[Problem]) -> Records | None:
    if path is None:
        return None
    records = reading.read(path, settings, offline=settings.offline)
    good, bad = quarantine.quarantine(mark(records, fields), settings.quarantine_share)
    problems.extend(bad)
    return good


def _without_copies(
    good: Records, rows: np.ndarray, own: dict[str, Records | None], fields: Fields, findings: dict[str, Any]
) -> Records:
    """The training rows without those whose copy stands in the user's own validation or test file."""
    train = good.take(rows)
    for name, other in own.items():
        if other is None:
            continue
        copies = splitting.straddlers(values(train, fields)[0], values(other, fields)[0])
        findings[f"train_rows_dropped_as_copies_of_{name}"] = len(copies)
        train = train.take(np.setdiff1d(np.arange(len(train)), copies))
    return train
