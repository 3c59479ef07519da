"""What the contract needs to know of the inputs of a task, so that its checks are the same for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Table = dict[str, list[Any]]
Case = tuple[Table, dict[str, Any]]
"""Columns with two labels or more, and the settings that read them."""


@dataclass(frozen=True)
class Kind:
    """One kind of input.

    Attributes:
        inputs: the name of the input column in the tables.
        table: a table of so many rows that every model of the task can learn: inputs, and the label good or bad.
        other: so many inputs that anyone can tell from those of the table.
        write: writes a table into a new folder, as a file that the command line can read.
        strange: by name, what makes an input that is odd but valid.
        bad: makes inputs that get no answer and a reason.
        fast: settings with which every model trains in seconds.
        learnt: settings with which every basic model learns a table.
        adapted: settings with which every foundation is adapted to one.
        value: what an application makes of an input of the table before a model sees it.
        seen: settings of computing with which an untrained model looks fast.
        smaller: by their names, the sizes of networks and of trainings that are small while the contract runs.
        foundation: writes a tiny foundation into a folder; None where the task adapts none.
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
    adapted: Mapping[str, Any]
    value: Callable[[Any], Any] = lambda given: given
    seen: Mapping[str, Any] = field(default_factory=dict)
    smaller: Mapping[str, Any] = field(default_factory=dict)
    foundation: Callable[[Path], Path] | None = None
    cases: Mapping[str, Callable[[], Case]] = field(default_factory=dict)
