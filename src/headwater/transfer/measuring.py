"""Measuring a classification on labelled rows, part by part, with its baselines beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headwater.data import quarantine, reading
from headwater.data.records import Problem
from headwater.errors import DataError
from headwater.evaluation.classification import Tally
from headwater.evaluation.mistakes import Mistakes
from headwater.evaluation.report import Report

if TYPE_CHECKING:
    from headwater.transfer.classification import Classification


def measure(application: Classification, source: Any) -> Report:
    """The report of an application on the rows of a source; memory does not grow with their number.

    Raises:
        DataError: no row can be measured, or more rows than `quarantine_share` cannot.
    """
    tally = Tally(application.target.classes, application.target.several, tuple(application.baseline_predictions([])))
    mistakes, bad, rows = Mistakes(), list[Problem](), 0
    for part in reading.read_parts(source, application.settings):
        rows += len(part)
        marked, values, targets = application.labelled(part)
        bad.extend(marked.problems.values())
        if values:
            found = application.probabilities(values)
            tally.update(targets, found, application.baseline_predictions(values))
            mistakes.update(values, targets, found, marked)
    quarantine.refuse_over_share(bad, rows, application.settings.quarantine_share)
    if len(bad) == rows:
        raise DataError("There is no row to measure on", got=f"{rows} rows", fix="Give rows with inputs and labels.")
    return Report.of_classification(
        tally,
        mistakes,
        task=application.task,
        model=str(application.model_name),
        strategy=application.settings.strategy,
        temperature=application.temperature,
        rows={"test": rows - len(bad)},
        quarantine=quarantine.summary(bad, rows),
        seed=application.settings.seed,
    )
