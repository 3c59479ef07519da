"""Progress on a terminal and elsewhere."""

from __future__ import annotations

import io
import sys

import pytest
from rich.progress import Progress

from headwater.progress import bar


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_what_is_done_is_known_on_a_terminal_as_elsewhere(stream, monkeypatch):
    shown: list[float] = []
    update = Progress.update
    monkeypatch.setattr(sys, "stderr", stream())
    monkeypatch.setattr(
        Progress,
        "update",
        lambda self, task, **given: (update(self, task, **given), shown.append(self.tasks[task].completed)),
    )
    with bar("steps", 10) as progress:
        for reached in (3, 7, 10):
            progress.advance(reached - progress.done)
            assert progress.done == reached
    assert shown == ([3, 7, 10] if stream is Terminal else [])
