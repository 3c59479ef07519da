"""A training that is stopped between two lessons, and goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import headwater
from headwater.control.course import Course


def stopped_and_resumed(
    world: Any, asked: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch, *, after: int = 1
) -> tuple[Any, Any]:  # fmt: skip
    """The same training whole, and stopped after some lessons and resumed."""
    whole, lesson = headwater.adapt("control", world, **asked), Course._lesson

    def stopping(self: Course, *given: Any) -> None:
        if self.standing.lesson == after:
            raise KeyboardInterrupt
        lesson(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(Course, "_lesson", stopping)
        with pytest.raises(KeyboardInterrupt):
            headwater.adapt("control", world, to=folder, **asked)
    return whole, headwater.flow.resume(folder)
