"""One run in progress: where it writes, how long it may take, what it has already done."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from headwater.options import seconds
from headwater.settings import Settings

Judge = Callable[[float, float], str]
"""Told the share of a training that is done and the score of its last epoch; answers why it should stop, or nothing."""


def never(share: float, score: float) -> str:
    """The judge of an ordinary run: it lets every training go on."""
    return ""


@dataclass
class Run:
    """What a model may use of the run that fits it.

    Attributes:
        settings: every setting of the run.
        folder: a writable folder for checkpoints and logs, kept until the run is complete.
        started: the monotonic time from which the budget counts.
        judge: what may stop a training between two epochs. Processes that train together each ask it, so that it
            must answer all of them alike.
    """

    settings: Settings
    folder: Path
    started: float = field(default_factory=time.monotonic)
    judge: Judge = never

    @property
    def main(self) -> bool:
        """Whether this process is the one that writes, among those that were launched together."""
        return is_main_process()

    def part(self, name: str) -> Run:
        """The same run with a folder of its own for one part, such as one stage."""
        folder = self.folder / name
        # Only the main process writes: another must not make a folder that the main one has yet to find free.
        if self.main:
            folder.mkdir(parents=True, exist_ok=True)
        return replace(self, folder=folder)

    def remaining(self) -> float:
        """Seconds of the budget that are left; infinite without one."""
        if self.settings.budget is None:
            return float("inf")
        return seconds(self.settings.budget) - (time.monotonic() - self.started)

    def recall(self, name: str) -> dict[str, Any] | None:
        """What an earlier, interrupted attempt of this run noted under a name."""
        file = self.folder / f"{name}.json"
        return json.loads(file.read_text("utf-8")) if file.exists() else None

    def note(self, name: str, values: Mapping[str, Any]) -> None:
        """Keeps values for `recall`, written whole or not at all."""
        if self.main:
            write_whole(self.folder / f"{name}.json", json.dumps(values, ensure_ascii=False).encode())


@contextmanager
def scratch(settings: Settings) -> Iterator[Run]:
    """A run that leaves nothing behind, for a `fit` outside a run folder."""
    with TemporaryDirectory(prefix="headwater-") as folder:
        yield Run(settings, Path(folder))


def is_alone() -> bool:
    """Whether no other process was launched together with this one."""
    return os.environ.get("WORLD_SIZE", "1") in ("", "0", "1")


def is_main_process() -> bool:
    """Whether this is the first process of a distributed run, or the only one."""
    # A rank alone is a stray variable, left by some job's shell: nobody else would write in this one's place.
    return is_alone() or os.environ.get("RANK", "0") == "0"


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that a reader, or a crash, sees the old content or the new and nothing between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
