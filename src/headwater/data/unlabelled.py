"""Rows without labels from where the application will be used: inputs to learn the place from, and nothing held out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headwater.data import duplicates, quarantine, reading, splitting
from headwater.data.fields import Input
from headwater.data.records import Problem, Records
from headwater.errors import DataError
from headwater.options import counted
from headwater.settings import Settings


def read_unlabelled(
    settings: Settings, field: Input, known: Sequence[Any]
) -> tuple[Records, list[Problem], dict[str, Any]]:
    """The usable rows of `settings.unlabelled`, the problems of the others, and the findings for the report.

    Args:
        settings: names the rows, and says how to read them. A target column among them is not looked at.
        field: the input field.
        known: every labelled input. A row that copies one of them is left out: a training row would count twice, and a
            held-out row would be learnt from after all. Of rows that copy one another the first is kept.

    Raises:
        NotFoundError: the rows have no column of the input's name.
        DataError: too many of them cannot be read, or none is left.
    """
    records = field.named(reading.read(settings.unlabelled, settings, offline=settings.offline))
    usable, problems = quarantine.quarantine(records.with_problems(field.values(records)[1]), settings.quarantine_share)
    inputs = field.values(usable)[0]
    if not inputs:
        raise DataError(
            "There is no unlabelled row to learn from", where=str(settings.unlabelled),
            got=f"{len(problems)} rows that cannot be used", fix="Give rows with an input, or leave --unlabelled out.",
        )  # fmt: skip
    once = np.unique(duplicates.exact(inputs))
    copies = splitting.straddlers([inputs[row] for row in once.tolist()], known)
    kept = np.delete(once, copies)
    if not len(kept):
        raise DataError(
            "No unlabelled row can be learnt from: each copies a labelled row", where=str(settings.unlabelled),
            got=counted(len(usable), "usable row"),
            fix="Give rows that are not among the data, or leave --unlabelled out.",
        )  # fmt: skip
    findings = {
        "name": str(settings.unlabelled),
        "rows": len(kept),
        "set_aside": len(problems),
        "first_set_aside": str(problems[0]) if problems else "",
        "copies_of_one_another": len(inputs) - len(once),
        "copies_of_labelled_rows": len(copies),
    }
    return usable.take(kept), problems, findings
