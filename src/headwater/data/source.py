"""The rows of another source that may be learnt from as well: same columns, known labels, no copy of the target's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from headwater.data import quarantine, reading, splitting
from headwater.data.fields import Input, Target, lacking, text_of
from headwater.data.records import Problem, Records
from headwater.errors import DataError
from headwater.settings import Settings

_SHOWN_LABELS = 20


def read_source(
    settings: Settings, fields: tuple[Input, Target], own: Sequence[Any]
) -> tuple[Records, list[Problem], dict[str, Any]]:
    """The usable rows of `settings.source`, the problems of the others, and the findings for the report.

    Args:
        settings: names the source, and says how to read it.
        fields: the fields of the target with the classes of its training rows.
        own: every input of the target. A source row that copies one of them is left out: of a row that is held out, now
            or by a fold, it would tell the model the answer, and a training row would count twice.

    Raises:
        NotFoundError: the source has no column of these names.
        DataError: too many of its rows cannot be read, or none has a class of the target.
    """
    field, target = fields
    records = reading.read(settings.source, settings, offline=settings.offline)
    _, reasons = field.values(records)
    unlabelled = lacking(target, records)
    usable, problems = quarantine.quarantine(
        records.with_problems({**unlabelled, **reasons}), settings.quarantine_share
    )
    if not len(usable):
        raise DataError(
            "The source has no row that can be learnt from", where=str(settings.source),
            got=f"{len(problems)} rows that cannot be used", fix="Give rows with an input and a label.",
        )  # fmt: skip
    cells = target.cells(usable)
    strange = target.encode(cells)[1]
    known = np.setdiff1d(np.arange(len(usable)), list(strange))
    if not len(known):
        raise DataError(
            "No row of the source has a class of the target",
            where=str(settings.source),
            got=sorted({text_of(label) for cell in cells for label in _labels(cell)})[:_SHOWN_LABELS],
            accepted=str([text_of(name) for name in target.classes][:_SHOWN_LABELS]),
            fix="Rename its labels to those of the target, or leave --source out.",
        )
    inputs = field.values(usable)[0]
    copies = splitting.straddlers([inputs[row] for row in known.tolist()], own)
    kept = np.delete(known, copies)
    if not len(kept):
        raise DataError(
            "Every row of the source is a copy of a row of the data", where=str(settings.source),
            fix="Give a source that is not the data itself, or leave --source out.",
        )  # fmt: skip
    labels = Counter(text_of(label) for row in strange for label in _labels(cells[row]))
    findings = {
        "name": str(settings.source),
        "rows": len(kept),
        "set_aside": len(problems),
        "first_set_aside": str(problems[0]) if problems else "",
        "copies_of_target_rows": len(copies),
        "rows_of_other_classes": len(strange),
        "other_classes": dict(labels.most_common(_SHOWN_LABELS)),
    }
    return usable.take(kept), problems, findings


def _labels(cell: Any) -> list[Any]:
    return cell if isinstance(cell, list) else [cell]
