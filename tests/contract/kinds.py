"""What the contract needs to know of the inputs of a task, so that its checks are the same for all."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from headwater.application import Predictions
from headwater.settings import STRATEGIES

Table = dict[str, list[Any]]
Case = tuple[Table, dict[str, Any]]
"""Columns with two labels or more, and the settings that read them."""


def share_right(application: Any, rows: Table) -> float:
    """The share of rows whose label is answered."""
    answers = application.predict(rows).labels
    return float(np.mean([answer == label for answer, label in zip(answers, rows["label"], strict=True)]))


def assert_same(found: Predictions, other: Predictions, atol: float = 0.0) -> None:
    """Both give the same answers, down to the last bit or up to a difference."""
    assert found.reasons == other.reasons
    if found.probabilities is None or other.probabilities is None:
        assert found.probabilities is other.probabilities
        assert len(found.labels) == len(other.labels)
        assert all(_close(*pair, atol) for pair in zip(found.labels, other.labels, strict=True))
    else:
        np.testing.assert_allclose(found.probabilities, other.probabilities, atol=atol, rtol=0)


def numbers_of(report: Any) -> dict[str, list[float | None]]:
    """The value and the limits of every metric; None for what is no number, which would not be equal to itself."""
    estimates = {name: (one.value, one.low, one.high) for name, one in report.metrics.items()}
    return {name: [None if np.isnan(number) else number for number in one] for name, one in estimates.items()}


def rows_of(predictions: Predictions, rows: slice) -> Predictions:
    """Some of the rows."""
    spread = None if predictions.probabilities is None else predictions.probabilities[rows]
    return Predictions(predictions.labels[rows], spread, predictions.classes, predictions.reasons[rows])


def _close(one: Any, other: Any, atol: float) -> bool:
    """Whether two answers are the same, numbers in them up to a difference."""
    if isinstance(one, dict):
        return list(one) == list(other) and all(_close(one[name], other[name], atol) for name in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(_close(*pair, atol) for pair in zip(one, other, strict=True))
    if isinstance(one, np.ndarray):
        return one.shape == other.shape and float(np.mean(one == other)) >= (0.999 if atol else 1.0)
    if isinstance(one, bytes) and isinstance(other, bytes) and one != other:
        return _close(*(np.asarray(Image.open(io.BytesIO(part))) for part in (one, other)), atol)
    if isinstance(one, float):
        return abs(one - other) <= 1e3 * atol
    return bool(one == other)


@dataclass(frozen=True)
class Kind:
    """One kind of task, by what it reads and answers.

    Attributes:
        inputs: the name of the input column in the tables.
        target: the name of their target column.
        needs_target: whether there is nothing to learn without it.
        right: how well an application that has learnt a table answers it, 1 at best.
        enough: how well it must, well above what answers without looking.
        table: a table of so many rows that every model of the task can learn: inputs, and the label good or bad, or
            where something good and something bad is.
        other: so many inputs that anyone can tell from those of the table.
        write: writes a table into a new folder, as a file that the command line can read.
        strange: by name, what makes an input that is odd but valid.
        bad: makes inputs that get no answer and a reason.
        fast: settings with which every model trains in seconds.
        learnt: settings with which every basic model learns a table.
        adapted: settings with which every foundation is adapted to one; None where no tiny one learns that in seconds.
        value: what an application makes of an input of the table before a model sees it.
        seen: settings of computing with which an untrained model looks fast.
        smaller: by their names, the sizes of networks and of trainings that are small while the contract runs.
        own: settings of the models themselves that make them small, each for those that have it.
        strategies: those that adapt its foundations.
        foundation: writes a tiny foundation into a folder; None where the task adapts none.
        target_setting: the setting that names the target column.
        strangers: a table of so many rows that differs from the other; by itself, the inputs of `other` alone.
        beside: writes what a model needs beside the rows into a folder, and gives the settings that name it.
        source: what a model learns from and is measured on, where that is not the table itself.
        without: checks that have no meaning for this kind, by their names, and why.
        cases: further checks, by name: only kinds that have one are asked for it.
    """

    inputs: str
    table: Callable[[int], Table]
    other: Callable[[int], list[Any]]
    write: Callable[[Table, Path], Path]
    strange: Mapping[str, Callable[[], Any]]
    bad: Callable[[], list[Any]]
    fast: Mapping[str, Any]
    learnt: Mapping[str, Any]
    adapted: Mapping[str, Any] | None
    value: Callable[[Any], Any] = lambda given: given
    seen: Mapping[str, Any] = field(default_factory=dict)
    smaller: Mapping[str, Any] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)
    strategies: Sequence[str] = STRATEGIES
    foundation: Callable[[Path], Path] | None = None
    beside: Callable[[str, Path], Mapping[str, Any]] = lambda model, folder: {}
    source: Callable[[Table, str], Any] | None = None
    without: Mapping[str, str] = field(default_factory=dict)
    cases: Mapping[str, Callable[[], Case]] = field(default_factory=dict)
    target: str = "label"
    target_setting: str = "target"
    strangers: Callable[[int], Table] | None = None
    needs_target: bool = True
    right: Callable[[Any, Table], float] = share_right
    enough: float = 0.9

    def data(self, table: Table, model: str) -> Any:
        """What a model learns from, in memory or by its name."""
        return table if self.source is None else self.source(table, model)

    def file(self, table: Table, model: str, folder: Path) -> Any:
        """The same as the command line takes it."""
        return self.write(table, folder) if self.source is None else self.source(table, model)
