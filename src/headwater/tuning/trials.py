"""The trials of a search on disk: one folder each, what came of it in one file, the application of the best."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from headwater.evaluation.intervals import Estimate
from headwater.options import in_words
from headwater.run import write_whole
from headwater.tuning.dimension import Point

COMPLETE, PRUNED, FAILED = "complete", "pruned", "failed"
_OUTCOME, _POINT, _APPLICATION, _LOGS = "outcome.json", "point.json", "application", "logs"


@dataclass(frozen=True)
class Outcome:
    """What came of a trial.

    Attributes:
        number: its place in the search, from 1.
        point: what was tried.
        defaults: whether it is the first one, the first model with its defaults.
        state: `complete`, `pruned` or `failed`.
        reason: why it was pruned, or failed.
        seconds: how long it took.
        score: what the search maximises: the task's metric on validation, ties broken by the truth's probability.
        estimate: the same without the tie-break, with its interval.
        right: how right each validation row was.
        stages, curve: the trace of the fit, for the report.
        story: further sections of the report, which the application does not keep.
    """

    number: int
    point: Point
    state: str
    seconds: float
    defaults: bool = False
    reason: str = ""
    score: float | None = None
    estimate: Estimate = field(default_factory=lambda: Estimate(float("nan")))
    right: Sequence[float] = ()
    stages: Sequence[dict[str, Any]] = ()
    curve: Sequence[dict[str, Any]] = ()
    story: dict[str, Any] = field(default_factory=dict)

    def told(self, *, best: bool) -> str:
        """One line: how it did, what was tried; `best` says whether it is the best so far."""
        tried = "the defaults" if self.defaults else str(self.point)
        spent = in_words(self.seconds)
        if self.state == FAILED:
            return f"trial {self.number}: failed after {spent} with {tried}: {self.reason}"
        followed = f", pruned {self.reason}" if self.state == PRUNED else ", the best so far" if best else ""
        return f"trial {self.number}: {self.estimate} on validation after {spent}{followed}: {tried}"

    def to_json(self) -> dict[str, Any]:
        """Everything, as plain data."""
        return {**asdict(self), "estimate": self.estimate.to_json()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Outcome:
        """Takes back what `to_json` gave."""
        own = {"point": Point(**values["point"]), "estimate": Estimate.from_json(values["estimate"])}
        known: dict[str, Any] = {**values, **own}
        return cls(**known)


class Trials:
    """The folder of a search's trials, which several processes may use at once.

    Args:
        folder: where the trials lie; made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._ended: dict[Path, Outcome] = {}

    def claim(self, most: int) -> int | None:
        """The number of a new trial, which no other process gets; None when there may be no more."""
        for number in range(1, most + 1):
            try:
                self.of(number).mkdir()
            except FileExistsError:
                continue
            return number
        return None

    def give_back(self, number: int) -> None:
        """Takes a claim back, and whatever an unfinished trial left."""
        shutil.rmtree(self.of(number), ignore_errors=True)

    def of(self, number: int) -> Path:
        """The folder of a trial."""
        return self.folder / f"{number:05}"

    def application(self, number: int) -> Path:
        """Where the application of a trial is saved."""
        return self.of(number) / _APPLICATION

    def begin(self, number: int, point: Point, worker: int) -> None:
        """Says what a trial tries, and who tries it."""
        values = {"point": asdict(point), "worker": worker}
        write_whole(self.of(number) / _POINT, json.dumps(values, ensure_ascii=False).encode())

    def end(self, outcome: Outcome) -> None:
        """Keeps what came of a trial, and of its files nothing but the logs and the application."""
        folder = self.of(outcome.number)
        for path in sorted(folder.rglob("*"), reverse=True):
            inside = path.relative_to(folder).parts
            if path.is_file() and _LOGS not in inside and inside[0] not in (_APPLICATION, _POINT):
                path.unlink()
        write_whole(folder / _OUTCOME, json.dumps(outcome.to_json(), ensure_ascii=False).encode())

    def outcomes(self) -> list[Outcome]:
        """What came of the trials so far, in their order."""
        for file in sorted(self.folder.glob(f"*/{_OUTCOME}")):
            if file not in self._ended:
                self._ended[file] = Outcome.from_json(_read(file))
        return [self._ended[file] for file in sorted(self._ended)]

    def begun(self) -> dict[int, tuple[Point, int]]:
        """What every trial tries and the worker that tries it, ended or not."""
        found = {}
        for file in sorted(self.folder.glob(f"*/{_POINT}")):
            values = _read(file)
            found[int(file.parent.name)] = Point(**values["point"]), values["worker"]
        return found

    def unfinished(self) -> list[int]:
        """The trials that were claimed and have not ended."""
        folders = (folder for folder in sorted(self.folder.iterdir()) if folder.is_dir())
        return [int(folder.name) for folder in folders if not (folder / _OUTCOME).exists()]

    def best(self) -> Outcome | None:
        """The complete trial with the highest score; among equals the earliest, so that the defaults win a tie."""
        complete = [outcome for outcome in self.outcomes() if outcome.state == COMPLETE]
        return max(complete, key=lambda outcome: (outcome.score, -outcome.number), default=None)

    def drop_losers(self) -> None:
        """Removes the applications that can no longer win; that of the defaults stays, to be compared with."""
        best, outcomes = self.best(), self.outcomes()
        for outcome in outcomes:
            if not outcome.defaults and best is not None and outcome.number != best.number:
                shutil.rmtree(self.application(outcome.number), ignore_errors=True)


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text("utf-8"))
