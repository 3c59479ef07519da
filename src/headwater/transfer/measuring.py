"""Measuring a classification on labelled rows, part by part, with its baselines beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headwater.data import reading
from headwater.data.quarantine import Quarantine
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
    target = application.target
    names = tuple(application.baseline_predictions([]))
    tally, mistakes, aside = Tally(target.classes, several=target.several, baselines=names), Mistakes(), Quarantine()
    for part in reading.read_parts(source, application.settings, offline=application.settings.offline):
        marked, values, targets = application.labelled(part)
        aside.add(marked)
        if values:
            found = application.probabilities(values)
            tally.update(targets, found, application.baseline_predictions(values))
            mistakes.update(values, targets, found, marked)
    aside.refuse_over(application.settings.quarantine_share)
    if not tally.rows:
        raise DataError("There is no row to measure on", where=aside.name, fix="Give rows with inputs and labels.")
    return Report.of_classification(
        tally,
        mistakes,
        task=application.task,
        model=application.shown_model,
        strategy=application.strategy,
        temperature=application.temperature,
        rows={"test": tally.rows},
        quarantine=aside.summary(),
        seed=application.settings.seed,
    )
