"""The demonstration of each task: what it asks, on data that any machine with headwater already has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headwater.doors.demo import write_sentences
from headwater.doors.digits import write_digits
from headwater.doors.uses import write_uses
from headwater.errors import unknown


@dataclass(frozen=True)
class Demo:
    """One demonstration.

    Attributes:
        rows: what the rows are, in the plural.
        write: writes the data into a folder; returns how many rows are to learn from, and how many to measure on.
        labelled, test, unseen: what it writes, by name.
        settings: what `adapt` is told.
        shown: the columns that stand beside the answers.
        heading: what stands above them; that the rows have not been seen, if not given.
    """

    rows: str
    write: Callable[[Path], tuple[int, int]]
    labelled: str
    test: str
    unseen: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    shown: tuple[str, ...] = ()
    heading: str = ""


DEMOS: Mapping[str, Demo] = {
    "text-classification": Demo(
        rows="sentences",
        write=write_sentences,
        labelled="labelled.csv",
        test="test.csv",
        unseen="unseen.csv",
        settings={"model": "minilm", "strategy": "probe", "text": "sentence", "target": "field"},
        shown=("sentence", "field"),
    ),
    "image-classification": Demo(
        rows="handwritten digits",
        write=write_digits,
        labelled="labelled",
        test="test",
        unseen="unseen",
        settings={"model": "lenet"},
        shown=("label",),
    ),
    "recommendation": Demo(
        rows="uses of functions by modules",
        write=write_uses,
        labelled="labelled",
        test="test.csv",
        unseen="unseen.csv",
        settings={"k": 5},
        shown=("user",),
        heading="What these modules may have use for next",
    ),
}


def demo_of(task: str) -> Demo:
    """The demonstration of a task.

    Raises:
        NotFoundError: there is none of this name.

    Example:
        >>> demo_of("image-classification").rows
        'handwritten digits'
    """
    if task not in DEMOS:
        raise unknown("demonstration", task, DEMOS)
    return DEMOS[task]
