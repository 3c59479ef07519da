"""From the user's data to training, validation and test rows: read, find fields, set bad rows aside, split, audit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from headwater.data import audit, quarantine, reading, splitting
from headwater.data.archives import ARCHIVES
from headwater.data.fields import Input, cautions_of, flaws_of, lacking, settled
from headwater.data.layouts import SPLIT
from headwater.data.records import Problem, Records
from headwater.data.source import read_source
from headwater.data.unlabelled import read_unlabelled
from headwater.errors import DataError
from headwater.settings import Settings

Fields = tuple[Input, Any]
"""An input field and a target field."""
_SHOWN_CLASSES = 8


@dataclass(frozen=True)
class Prepared:
    """Rows ready for `fit` and `evaluate`, and what was found on the way.

    Attributes:
        train, valid, test: usable rows; `test` is empty when none was wanted.
        source: the rows of `settings.source` that may be learnt from as well; None without one.
        unlabelled: the rows of `settings.unlabelled`; None without one.
        fields: the input and target fields, with the classes of the training rows; `NoTarget` where none is wanted.
        problems: the rows that were set aside.
        flaws: the single boxes that were set aside, of rows that were not.
        findings: sections of the report: `audit`, `split`, `quarantine`, and `source` and `unlabelled` where there are.
    """

    train: Records
    valid: Records
    test: Records
    fields: Fields
    problems: list[Problem]
    findings: dict[str, Any]
    source: Records | None = None
    unlabelled: Records | None = None
    flaws: list[Problem] = field(default_factory=list)

    @property
    def set_aside(self) -> list[Problem]:
        """All that cannot be used: rows, then single boxes."""
        return [*self.problems, *self.flaws]

    def __str__(self) -> str:
        """What was found and decided, for the user to look over before the learning begins."""
        given, target = self.fields
        counts, split = self.findings["audit"]["classes"], self.findings["split"]
        shown = [f"{name} {rows:,}" for name, rows in list(counts.items())[:_SHOWN_CLASSES]]
        more = [f"and {len(counts) - _SHOWN_CLASSES} more"] if len(counts) > _SHOWN_CLASSES else []
        first = f", the first: {self.problems[0]}" if self.problems else ""
        lines = {
            "input": ", ".join(given.columns),
            "target": ", ".join(target.columns) or "none: what is learnt is learnt from the inputs alone",
            "classes": f"{len(target.classes)}: {', '.join(shown + more)}",
            "rows": f"{self.findings['audit']['rows']:,} usable, {len(self.problems):,} set aside{first}",
            "split": f"{split['rule']}: {len(self.train):,} train, {len(self.valid):,} valid, {len(self.test):,} test",
        }
        if not target.columns:
            del lines["classes"]
        if boxes := self.findings["quarantine"].get("boxes"):
            lines["boxes"] = _told_of_boxes(boxes, self.flaws)
        if self.source is not None:
            lines["source"] = _told(self.findings["source"], "to learn from as well")
        if self.unlabelled is not None:
            lines["without"] = _told(self.findings["unlabelled"], "without labels to learn from")
        warnings = [f"warning  {warning}" for warning in self.findings["audit"]["warnings"]]
        return "\n".join([*(f"{name:8} {text}" for name, text in lines.items()), *warnings])


def prepare(
    source: Any, settings: Settings, find: Callable[[Records], Fields], *, want_test: bool,
    want_valid: bool = True,
) -> Prepared:  # fmt: skip
    """Reads a source and divides its usable rows.

    Args:
        source: anything that `reading.read` takes.
        settings: columns, shares, own validation and test files.
        find: the input and target fields of the records.
        want_test: whether test rows are held out (or read from `settings.test`).
        want_valid: whether validation rows are; those of `settings.valid` are read in any case.

    Raises:
        DataError: the data cannot be read, has too many bad rows, or cannot be divided; or held-out rows are all
            copies of others, or too many of them have a label that no training row has.
    """
    records = reading.read(source, settings, offline=settings.offline)
    settings = _divided(source, records, settings)
    fields = find(records)
    aside = quarantine.Quarantine()
    good, problems = _usable(mark(records, fields), settings, aside)
    aside.take_flaws(flaws_of(fields[1], good), settings.quarantine_share)
    inputs, cells = values(good, fields)
    with _telling(problems):
        splits = splitting.split(
            good, inputs, cells, settings,
            want_test=want_test and settings.test is None, want_valid=want_valid and settings.valid is None,
        )  # fmt: skip
    good = replace(good, groups=splits.groups)
    parts = {name: good.take(getattr(splits, name)) for name in splitting.PARTS}
    for name in ("valid", "test"):
        if path := getattr(settings, name):
            own = mark(reading.read(path, settings, offline=settings.offline), fields)
            parts[name], bad = _usable(own, settings, aside)
            aside.take_flaws(flaws_of(fields[1], parts[name]), settings.quarantine_share)
            problems += bad
    found = fields
    fields = settled(fields[0], parts["train"]), settled(fields[1], parts["train"])
    if fields != found:
        for name, part in parts.items():
            parts[name], bad = _usable(mark(part, fields), settings, aside, counted=True)
            problems += bad
        good, _ = quarantine.quarantine(mark(good, fields), settings.quarantine_share)
        inputs, cells = values(good, fields)
    findings = {"audit": audit.audit(good, inputs, cells), "split": splits.findings}
    findings["audit"]["warnings"] += [*splitting.cautions(splits.findings), *cautions_of(fields[1], good)]
    parts = _without_copies(parts, settings, fields, findings["split"])
    fields = (fields[0], fields[1].learn(fields[1].cells(parts["train"])))
    for name in ("valid", "test"):
        unseen = fields[1].encode(fields[1].cells(parts[name]))[1]
        parts[name], bad = _usable(parts[name].with_problems(unseen), settings, aside, counted=True)
        problems += bad
        if getattr(settings, name) and not len(parts[name]):
            raise DataError(
                f"No row of the {name} file can be used", where=getattr(settings, name),
                fix="Give rows with an input and a label that the training rows have.",
            )  # fmt: skip
    findings["quarantine"] = aside.summary()
    source = unlabelled = None
    further = settings.source is not None or settings.unlabelled is not None
    own = [value for part in parts.values() for value in values(part, fields)[0]] if further else []
    if settings.source is not None:
        source, bad, findings["source"] = read_source(settings, fields, own)
        problems += bad
    if settings.unlabelled is not None:
        known = own if source is None else [*own, *values(source, fields)[0]]
        unlabelled, bad, findings["unlabelled"] = read_unlabelled(settings, fields[0], known)
        problems += bad
    return Prepared(parts["train"], parts["valid"], parts["test"], fields, problems, findings, source, unlabelled,
        aside.flaws.problems,
    )  # fmt: skip


@contextlib.contextmanager
def _telling(problems: list[Problem]) -> Iterator[None]:
    """Where the rows that are left cannot be divided, says that some were set aside before, and why the first was."""
    try:
        yield
    except DataError as refused:
        if not problems:
            raise
        got = {} if refused.got is None else {"got": refused.got}
        raise DataError(
            f"{refused.what}; {len(problems)} rows were set aside before, the first: {problems[0]}",
            where=refused.where, accepted=refused.accepted, fix=refused.fix, **got,
        ) from refused  # fmt: skip


def _told_of_boxes(found: dict[str, Any], flaws: list[Problem]) -> str:
    """What became of single boxes, in a line."""
    first = f", the first: {flaws[0]}" if flaws else ""
    cut = f"; {found['clipped']:,} cut off at the edge of their image" if found["clipped"] else ""
    return f"{found['boxes'] - found['count']:,} usable, {found['count']:,} set aside{first}{cut}"


def _divided(source: Any, records: Records, settings: Settings) -> Settings:
    """The settings with the division that folders make, where the user has not said how to divide the rows.

    A table may have a column of that name for any reason; in a folder or an archive it stands for folders of its own.
    """
    said = any((settings.split, settings.group, settings.time, settings.valid, settings.test))
    of_folders = isinstance(source, str | Path) and (Path(source).is_dir() or Path(source).suffix.lower() in ARCHIVES)
    return settings if said or not of_folders or SPLIT not in records.columns else replace(settings, split=SPLIT)


def _told(findings: dict[str, Any], what: str) -> str:
    """What became of the rows of a further file, in a line."""
    counts = {name.replace("_", " "): count for name, count in findings.items() if isinstance(count, int) and count}
    rows, first = counts.pop("rows"), findings["first_set_aside"]
    left = [f"{count:,} {name}" for name, count in counts.items()]
    shown = [f"the first set aside: {first}"] if first else []
    return "; ".join([f"{findings['name']}: {rows:,} rows {what}", *left, *shown])


def mark(records: Records, fields: Fields) -> Records:
    """The records with every row marked that lacks an input or a label."""
    field, target = fields
    _, reasons = field.values(records)
    return records.with_problems({**lacking(target, records), **reasons})


def values(records: Records, fields: Fields) -> tuple[list[Any], list[Any]]:
    """The inputs and label cells of usable records."""
    return fields[0].values(records)[0], fields[1].cells(records)


def _usable(
    records: Records, settings: Settings, aside: quarantine.Quarantine, *, counted: bool = False
) -> tuple[Records, list[Problem]]:
    """The usable rows and the problems of the others, which are few enough; `counted` rows are in `aside` already."""
    usable, problems = quarantine.quarantine(records, settings.quarantine_share)
    aside.add(records, counted=counted)
    return usable, problems


def _without_copies(
    parts: dict[str, Records], settings: Settings, fields: Fields, findings: dict[str, Any]
) -> dict[str, Records]:
    """The parts without rows whose copy stands in a part more held out, where a file of the user's is concerned.

    The parts that were divided here have none in one another.
    """
    left, own = dict(parts), {name for name in ("valid", "test") if getattr(settings, name)}
    for name, other in (("train", "valid"), ("train", "test"), ("valid", "test")):
        if not {name, other} & own:
            continue
        inputs, cells = values(left[name], fields)
        near = not splitting.without_target(cells)
        copies = splitting.straddlers(inputs, values(left[other], fields)[0], near=near)
        kept = np.setdiff1d(np.arange(len(left[name])), copies)
        if len(copies) and not len(kept):
            raise DataError(
                f"Every {name} row is a copy of a {other} row",
                where=left[name].name,
                fix=f"Give {other} rows that are not among the {name} rows.",
            )
        left[name] = left[name].take(kept)
        findings["dropped"][name] += len(copies)
    findings["rows"] = {name: len(part) for name, part in left.items()}
    return left
