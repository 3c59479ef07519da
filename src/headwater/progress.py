"""Progress of long work: a bar on a terminal, a plain log line now and then elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

log = logging.getLogger("headwater")
_SECONDS_BETWEEN_LINES = 10.0


class Bar:
    """A task's progress. `advance` says how much is done and what is worth knowing (`loss=0.3`)."""

    def __init__(self, label: str, total: int) -> None:
        self.label, self.total, self.done = label, total, 0
        self._said = time.monotonic()

    def advance(self, amount: int = 1, **notes: object) -> None:
        self.done += amount
        if time.monotonic() - self._said >= _SECONDS_BETWEEN_LINES and self.done < self.total:
            self._said = time.monotonic()
            log.info("%s %d/%d %s", self.label, self.done, self.total, _told(notes))


class _RichBar(Bar):
    def __init__(self, label: str, total: int, progress: Any) -> None:
        super().__init__(label, total)
        self._progress = progress
        self._task = progress.add_task(label, total=total, notes="")

    def advance(self, amount: int = 1, **notes: object) -> None:
        self.done += amount
        self._progress.update(self._task, advance=amount, **({"notes": _told(notes)} if notes else {}))


@contextmanager
def bar(label: str, total: int) -> Iterator[Bar]:
    """A progress bar for `total` units of work.

    Example:
        >>> with bar("features", 2) as progress:
        ...     progress.advance(2)
    """
    if not sys.stderr.isatty():
        yield Bar(label, total)
        return
    from rich import progress as rich_progress
    from rich.console import Console

    columns = (
        rich_progress.TextColumn("{task.description}"), rich_progress.BarColumn(), rich_progress.MofNCompleteColumn(),
        rich_progress.TimeRemainingColumn(), rich_progress.TextColumn("{task.fields[notes]}"),
    )  # fmt: skip
    with rich_progress.Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        yield _RichBar(label, total, shown)


def _told(notes: dict[str, object]) -> str:
    return " ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}" for name, value in notes.items()
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps what each of many fits says of itself from the log; warnings pass."""
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(level)
