"""Which foundation fits the data: every model looked at on a sample of the labelled rows, ranked, one recommended."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from headwater import catalog
from headwater.data import duplicates, preparing, quarantine, reading
from headwater.data.fields import settled
from headwater.errors import DataError, HeadwaterError, NotFoundError
from headwater.ranking import candidates
from headwater.ranking.candidates import Candidate
from headwater.ranking.folds import held_apart
from headwater.ranking.ranking import Ranking, agreement, choose, ordered
from headwater.request import FEWEST_RANKED
from headwater.transfer.classifier import Examples

if TYPE_CHECKING:
    from headwater.run import Run
    from headwater.transfer.classification import Classification

log = logging.getLogger("headwater")


@dataclass(frozen=True)
class Sample:
    """The rows that the models are looked at with.

    Attributes:
        name: what to call the data.
        examples: inputs with their encoded targets.
        classes: the class of each position.
        notes: what was left out, as sentences.
    """

    name: str
    examples: Examples
    classes: tuple[Any, ...]
    notes: tuple[str, ...]


def default_models(task: str) -> list[str]:
    """Every embedded foundation, and every text encoder in the hub's cache on this machine."""
    from headwater.foundation.shelf import cached_encoders

    embedded = [entry.name for entry in catalog.foundations(task)]
    hub_ids = {entry.hub_id for entry in catalog.FOUNDATIONS}
    inputs = set(catalog.task(task).inputs)
    return embedded + ([name for name in cached_encoders() if name not in hub_ids] if "Text" in inputs else [])


def compare_models(application: Classification, data: Any, models: Iterable[str], rows: int, run: Run) -> Ranking:
    """Ranks models, and beside them the task's linear baseline and the most frequent class.

    Args:
        application: an unfitted application of the task, whose settings say which columns mean what.
        data: anything that `reading.read` takes.
        models: what `--model` takes.
        rows: how many of the labelled rows are looked at, the same share of every class.
        run: settings, and a folder for what is computed.

    Raises:
        DataError: the data cannot be read, or has too few rows that can be used.
        NotFoundError: none of the models can be had.
    """
    sample, seed = draw(application, data, rows), run.settings.seed
    task = application.task
    log.info("%s: %d rows, %d classes", sample.name, len(sample.examples), len(sample.classes))
    asked = list(dict.fromkeys(models))
    found = [_measured(task, name, sample.examples, run) for name in asked]
    if asked and not any(one.measured for one in found):
        raise NotFoundError(
            "None of these models can be had", where="--models", got=asked,
            fix=" ".join(f"{one.model}: {one.reason}" for one in found),
        )  # fmt: skip
    linear = catalog.task(task).linear_baseline
    if linear is not None and linear not in asked:
        found.append(_measured(task, linear, sample.examples, run))
    ranked = ordered([*found, candidates.majority(sample.examples)], seed)
    recommended, verdict = choose(ranked)
    return Ranking(
        task, sample.name, len(sample.examples), sample.classes, sample.examples.several, ranked, recommended, verdict,
        agreement(ranked), sample.notes,
    )  # fmt: skip


def draw(application: Classification, data: Any, rows: int) -> Sample:
    """A sample of the labelled rows, in which no text stands twice and no class once.

    A copy among the rows that a model learns from would tell it the answer, and a class of one row cannot be held out.

    Raises:
        DataError: the data cannot be read, too many rows are bad, or too few are left.
    """
    settings = application.settings
    records = reading.read(data, settings, offline=settings.offline)
    application.field, target = application.find_fields(records)
    marked = preparing.mark(records, (application.field, target))
    usable, _ = quarantine.quarantine(marked, settings.quarantine_share)
    application.field = settled(application.field, usable)
    application.target = target.learn(target.cells(usable))
    _, inputs, targets = application.labelled(usable)
    chosen = _share(targets, rows, settings.seed)
    firsts = np.unique(duplicates.clusters([inputs[row] for row in chosen.tolist()])) if len(chosen) else chosen
    distinct = chosen[firsts]
    kept = distinct if targets.ndim == 2 else distinct[np.bincount(targets[distinct])[targets[distinct]] > 1]
    # Of what is left, the classes are counted anew.
    application.target = application.target.learn(target.cells(usable.take(kept)))
    _, inputs, targets = application.labelled(usable.take(kept))
    if len(inputs) < FEWEST_RANKED or len(application.target.classes) < 2:
        raise DataError(
            "A ranking needs more labelled rows", where=records.name,
            got=f"{len(inputs)} rows of {len(application.target.classes)} classes",
            accepted=f"{FEWEST_RANKED} rows or more of two classes or more, no text twice and no class once",
            fix="Check --text and --target, or give more rows.",
        )  # fmt: skip
    notes = _notes(len(chosen) - len(distinct), len(distinct) - len(kept))
    return Sample(
        records.name, Examples(inputs, targets, len(application.target.classes)), application.target.classes, notes
    )


def names_of(models: str | Sequence[str] | None) -> list[str]:
    """Names out of one text or several, each of which may hold several divided by commas.

    Example:
        >>> names_of(["minilm, tfidf-svm", "runs/reviews"])
        ['minilm', 'tfidf-svm', 'runs/reviews']
    """
    given = [models] if isinstance(models, str) else list(models or ())
    return [name.strip() for text in given for name in str(text).split(",") if name.strip()]


def _measured(task: str, name: str, examples: Examples, run: Run) -> Candidate:
    try:
        found = candidates.measure(task, name, examples, run)
    except HeadwaterError as missing:
        log.warning("%s could not be had: %s", name, missing)
        return Candidate(name, "foundation", reason=str(missing))
    log.info("%s: %s of the held-out rows right", name, found.score)
    return found


def _share(targets: np.ndarray, rows: int, seed: int) -> np.ndarray:
    """The positions of so many rows, the same share of every class; all where there are no more."""
    if len(targets) <= rows:
        return np.arange(len(targets))
    return np.flatnonzero(held_apart(targets, rows / len(targets), seed))


def _notes(copies: int, alone: int) -> tuple[str, ...]:
    found = []
    if copies:
        found.append(f"{copies:,} rows of the sample are copies of others and were left out.")
    if alone:
        found.append(f"{alone:,} rows are alone in their class within the sample and were left out.")
    return tuple(found)
