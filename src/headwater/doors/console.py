"""What a user reads: plain tables on standard output; the log and one-line errors on standard error."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import typer

from headwater import catalog
from headwater.run import is_main_process

if TYPE_CHECKING:
    import pyarrow as pa

    from headwater.application import Application
    from headwater.doors.doctor import Finding

SHOWN_ROWS = 10
_INTO = {"Mask": "masks", "Boxes": "drawn"}
"""The folder for answers that are to be looked at."""


def show_log() -> None:
    """Sends what the library logs to standard error, one plain line each; of several processes, the first alone."""
    log = logging.getLogger("headwater")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.handlers = [handler]
    log.setLevel(logging.INFO if is_main_process() else logging.ERROR)


def say(text: str = "") -> None:
    """Output that is never wrapped: paths and commands must survive a copy from a narrow terminal.

    Of the processes that train together, only the first one speaks.
    """
    if is_main_process():
        typer.echo(text)


def notice(text: str) -> None:
    """A line on standard error."""
    typer.echo(text, err=True)


def error(sentence: str) -> None:
    """A mistake, as one line on standard error."""
    notice(f"error: {' '.join(sentence.split())}")


def usage_error(mistake: typer.TyperException) -> None:
    """A flag, verb or argument that the command line does not have; an empty command line gets the help as it is."""
    if type(mistake).__name__ == "NoArgsIsHelpError":
        say(mistake.format_message())
        return
    near = getattr(mistake, "possibilities", None)
    error(f"{mistake.message.rstrip('.')}. Did you mean {' or '.join(near)}?" if near else mistake.format_message())


def tell_bug(kind: type[BaseException], failure: BaseException, _: TracebackType | None) -> None:
    """The `sys.excepthook` of the command line: what is not the user's mistake is a bug, and says so in one line."""
    if issubclass(kind, KeyboardInterrupt):
        return
    error(
        f"this is a bug in headwater: {kind.__name__}: {failure}. "
        "Run the command again as `headwater --debug ...` to see where, and please report it."
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Aligned columns; cells are text as it stands, never markup, and wrap where the terminal is narrow."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(*columns, box=None, pad_edge=False, header_style="bold", show_header=any(columns))
    for row in rows:
        grid.add_row(*(Text(_cell(value), overflow="fold") for value in row))
    Console(file=sys.stdout, highlight=False).print(grid)


def show_application(application: Application, folder: str | None) -> None:
    """What an application measured of itself, where it lives, and what to type next."""
    say(f"\n{application.report}")
    if folder:
        say(f"\nReport: {folder}/report.html")
        outputs = catalog.task(application.task).outputs
        into = next((into for kind, into in _INTO.items() if kind in outputs), "predictions.csv")
        verbs = {
            "Features": f"adapt image-classification DATA --model {folder}",
            "Item": f"recommend {folder} --user NAME",
            "Action": f"play {folder} --video {folder}/episode.mp4",
        }
        verb = next((verb for kind, verb in verbs.items() if kind in outputs), "")
        say(f"Next:   headwater {verb or f'predict {folder} DATA --to {into}'}")


def show_answers(
    answers: pa.Table, *, texts: Sequence[str] | None = None, names: Mapping[int, Any] | None = None
) -> None:
    """The answers in few words, without the probability of each class; beside the texts, where they were typed.

    Args:
        answers: rows of answers.
        texts: what was typed.
        names: of masks what the numbers of their pixels stand for.
    """
    from headwater.doors.legible import legible

    columns: dict[str, list[Any]] = {"text": list(texts)} if texts else {}
    for name in answers.column_names:
        values = answers.column(name).to_pylist()
        idle = (name in ("reason", "confidence") and not any(values)) or (texts and name == "row")
        if not idle and not name.startswith("probability:"):
            columns[name] = [legible(value, names) for value in values] if name == "prediction" else values
    table(list(columns), zip(*columns.values(), strict=True))


def show_task(task: catalog.Task) -> None:
    """A task with the models that can solve it."""
    say(f"{task.name}: {task.sentence}\n")
    entries = [*catalog.models(task.name), *catalog.foundations(task.name)]
    table(("model", "extra", "what it is"), [(entry.name, entry.extra, entry.sentence) for entry in entries])
    # Where a task has no foundations, as the other names of --model would be refused.
    also = "A hub id, a local folder in hub format or a run folder is a model too. " if task.foundation else ""
    say(f"\n{also}Default: {task.default_model}")


def show_findings(findings: Iterable[Finding]) -> None:
    """What the doctor found, and below it what to do about each gap."""
    found = list(findings)
    table(("", "what", "found"), [(finding.state, finding.what, finding.found) for finding in found])
    gaps = [finding for finding in found if finding.fix]
    if gaps:
        say("\nWhat to do")
    for finding in gaps:
        say(f"  {finding.what}: {finding.fix}")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
