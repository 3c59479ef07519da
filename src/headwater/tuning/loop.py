"""The loop of a search: draw a point, learn there, keep what came of it; as long as trials and time are left."""

from __future__ import annotations

import logging
import math
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any

from headwater import catalog, progress
from headwater.errors import ResourceError, SettingError
from headwater.request import Request
from headwater.run import Judge, Run
from headwater.transfer import scores
from headwater.tuning.study import Study
from headwater.tuning.trials import COMPLETE, FAILED, PRUNED, Outcome, Trials

if TYPE_CHECKING:
    from headwater.application import Application, Ready
    from headwater.tuning.asked import Asked
    from headwater.tuning.dimension import Point

log = logging.getLogger("headwater")
JOURNAL = "journal.jsonl"
_REDRAWN = 20
"""Points in a row that were tried before, after which nothing new is expected."""


@dataclass
class Loop:
    """One process's share in a search.

    Attributes:
        asked: what is searched.
        prepared: the rows; all trials learn from the same ones and are scored on the same ones.
        run: the run of the whole search, whose budget all trials share.
        worker: which of the processes this is, from 0.
    """

    asked: Asked
    prepared: Ready
    run: Run
    worker: int = 0

    def __post_init__(self) -> None:
        self.trials = Trials(self.run.folder / "trials")
        self.journal = self.run.folder / JOURNAL
        self.study = Study(self.journal, self.run.settings.seed)

    def start(self) -> None:
        """Clears away what an interrupted attempt left."""
        for number in self.trials.unfinished():
            self.trials.give_back(number)
        ended = {outcome.number: outcome for outcome in self.trials.outcomes()}
        for trial, number in self.study.running().items():
            if number in ended:
                self.study.tell(trial, ended[number])
            else:
                self.study.give_up(trial)

    def forget_unbegun(self) -> None:
        """Clears the work away where no trial came to its end: the mended command may then use the folder."""
        if not self.trials.outcomes():
            shutil.rmtree(self.trials.folder)
            for file in (self.journal, *self.run.folder.glob("worker-*.log")):
                file.unlink(missing_ok=True)

    def __call__(self) -> Iterator[Outcome]:
        """Runs trials until there may be no more, and gives what came of each.

        Raises:
            HeadwaterError: what would keep every trial from its end, such as a foundation that is not there.
        """
        while self.why_stop() == "" and (number := self.trials.claim(self.asked.most)) is not None:
            drawn = self._draw(number)
            if drawn is None:
                self.trials.give_back(number)
                return
            yield self._run(number, *drawn)

    def why_stop(self) -> str:
        """Why no trial may begin; empty when one may."""
        outcomes = self.trials.outcomes()
        if len(outcomes) >= self.asked.most:
            return "the only trial is done" if self.asked.most == 1 else f"all {self.asked.most} trials are done"
        whole = [outcome.seconds for outcome in outcomes if outcome.state == COMPLETE]
        if self.run.remaining() <= (median(whole) if whole else 0.0):
            return f"the budget of {self.run.settings.budget} leaves no time for another trial"
        return ""

    def _draw(self, number: int) -> tuple[Any, Point] | None:
        """Optuna's trial and its point; None when every point that is drawn was tried before."""
        space, rows = self.asked.space, len(self.prepared.train)
        if number <= len(space.planned):
            places = space.defaults(rows) if number == 1 else {}
            trial, point = self.study.ask(number, places=places), space.planned[number - 1]
            space.tell_defaults(trial, places)
            self.trials.begin(number, point, self.worker)
            return trial, point
        tried = [point for point, _ in self.trials.begun().values()]
        for attempt in range(_REDRAWN if space.drawn else 0):
            trial = self.study.ask(number, attempt)
            point = space.draw(trial, rows)
            if point not in tried:
                self.trials.begin(number, point, self.worker)
                return trial, point
            self.study.give_up(trial)
        return None

    def _run(self, number: int, trial: Any, point: Point) -> Outcome:
        """Learns at a point, keeps the application while it is the best, and tells the study."""
        began, defaults = time.monotonic(), number == 1
        application, found = self._tried(number, point, self.study.judge(trial))
        seconds = round(time.monotonic() - began, 2)
        outcome = Outcome(number=number, point=point, seconds=seconds, defaults=defaults, **found)
        if application is not None and outcome.state == COMPLETE:
            self._save(application, outcome)
        self.trials.end(outcome)
        self.study.tell(trial, outcome)
        self.trials.drop_losers()
        return outcome

    def _tried(self, number: int, point: Point, judge: Judge) -> tuple[Application | None, dict[str, Any]]:
        """What was learnt at a point, and what is to be said of it; a failure that is the point's own is an answer."""
        said: list[str] = []

        def judged(share: float, score: float) -> str:
            said.append(judge(share, score))
            return said[-1]

        request = self.asked.space.request(point)
        # The trial may use what is left of the budget; the application that comes of it knows of none.
        settings = replace(request.settings, budget=self.run.settings.budget)
        run = Run(settings, self.trials.of(number), self.run.started, judged)
        try:
            with progress.quiet():
                application = fit(request, self.prepared, run)
                found = self._measured(application)
        except (SettingError, ResourceError) as failure:
            return None, {"state": FAILED, "reason": str(failure)}
        except (RuntimeError, MemoryError) as failure:
            if not _is_out_of_memory(failure):
                raise
            return None, {"state": FAILED, "reason": f"the memory does not suffice: {failure}"}
        if not math.isfinite(found["score"]):
            return None, {"state": FAILED, "reason": "its score is not a finite number"}
        reason = said[-1] if said else ""
        return application, {**found, "state": PRUNED if reason else COMPLETE, "reason": reason}

    def _measured(self, application: Application) -> dict[str, Any]:
        marks, bounded = application.marks(self.prepared.valid), catalog.task(self.asked.request.task).bounded
        return {
            "score": marks.score,
            "estimate": scores.estimate(marks.right, self.run.settings.seed, bounded=bounded),
            "right": marks.right.tolist(),
            "stages": [vars(stage) for stage in application.trace.stages],
            "curve": application.trace.curve,
            "story": {**application.story(), "augmentation": application.trace.augmentation},
        }

    def _save(self, application: Application, outcome: Outcome) -> None:
        """Keeps the application of the defaults, and of a trial that is the best so far."""
        best = self.trials.best()
        if outcome.defaults or best is None or (outcome.score or 0.0) > (best.score or 0.0):
            application.save(self.trials.application(outcome.number))


def fit(request: Request, prepared: Ready, run: Run) -> Application:
    """A fitted application of what was asked."""
    entry = catalog.task(request.task)
    application = catalog.load(entry.path, extra=entry.extra)(request.model, request.settings, **request.model_settings)
    return application.fit(prepared, run=run)


def _is_out_of_memory(failure: Exception) -> bool:
    from headwater.training.memory import is_out_of_memory

    return is_out_of_memory(failure)
