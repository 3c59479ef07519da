"""The processes of a search that tries several points at a time, each with its share of the cores."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from headwater.errors import ResourceError
from headwater.tuning.loop import Loop
from headwater.tuning.trials import FAILED, Outcome

_SECONDS_BETWEEN_LOOKS = 0.2
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")


@dataclass
class _Worker:
    """A process and the file of what it says."""

    process: subprocess.Popen[bytes]
    said: Path


def work(loop: Loop) -> Iterator[Outcome]:
    """Has `jobs` processes run the trials of a search, and gives what came of each.

    They end with this process, however it ends: what they have not finished is tried again by a resumed search.

    Args:
        loop: this process's view of the search, after `start`.

    Raises:
        ResourceError: a process could not go on, for a reason that is not its trial's.
    """
    told = {outcome.number for outcome in loop.trials.outcomes()}
    with ExitStack() as stack:
        workers = {number: _start(loop, number, stack) for number in range(1, loop.asked.jobs + 1)}
        while workers:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
            ended = {number: worker for number, worker in workers.items() if worker.process.poll() is not None}
            for number, worker in ended.items():
                del workers[number]
                if worker.process.returncode:
                    _bury(loop, number, worker)
                    workers[number] = _start(loop, number, stack)
            for outcome in loop.trials.outcomes():
                if outcome.number not in told:
                    told.add(outcome.number)
                    yield outcome


def _start(loop: Loop, number: int, stack: ExitStack) -> _Worker:
    run = loop.run
    said = run.folder / f"worker-{number}.log"
    command = [sys.executable, "-m", "headwater.tuning.worker", run.folder, str(number)]
    spent = time.monotonic() - run.started
    with said.open("ab") as log:
        process = subprocess.Popen(
            [*command, f"{spent:.3f}"], stdin=subprocess.PIPE, stdout=log, stderr=log, env=_environment(loop.asked.jobs)
        )
    stack.callback(_end, process)
    return _Worker(process, said)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Closes the pipe that the process watches, and waits for it."""
    if process.stdin is not None:
        process.stdin.close()
    process.wait()


def _environment(jobs: int) -> dict[str, str]:
    """That of this process, but with a share of its threads."""
    cores = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    return {**os.environ, **dict.fromkeys(_THREADS, str(max(1, cores // jobs)))}


def _bury(loop: Loop, number: int, worker: _Worker) -> None:
    """Counts the trial that a process died of as failed; where it died of something else, nothing helps.

    Raises:
        ResourceError: the process could not go on, as it says itself.
    """
    status, begun = worker.process.returncode, loop.trials.begun()
    left = [trial for trial in loop.trials.unfinished() if trial in begun and begun[trial][1] == number]
    if status > 0 or not left:
        last = worker.said.read_text("utf-8", "replace").strip().rpartition("\n")[2]
        raise ResourceError(
            f"A process of the search could not go on. It said: {last or f'nothing, and ended with status {status}'}",
            where="headwater tune --jobs", fix="Mend that and search again, in a folder that has trials with --resume.",
        )  # fmt: skip
    reason = f"its process was ended by signal {-status}, as when the memory does not suffice"
    for trial in left:
        point, _ = begun[trial]
        loop.trials.end(Outcome(trial, point, FAILED, 0.0, reason=reason))
    for trial, ours in loop.study.running().items():
        if ours in left:
            loop.study.give_up(trial)
