"""One thread that answers, so that the server stays awake; what waits for it is answered together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from headwater.errors import HeadwaterError

Work = Callable[[list[Any]], Sequence[Any]]
TOGETHER: Final = 64
"""Rows up to which waiting requests are answered in one go."""


@dataclass(frozen=True)
class Job:
    """The rows of one request, what answers them, and who waits for it."""

    work: Work
    rows: list[Any]
    waiter: asyncio.Future[Sequence[Any]]


class Worker:
    """Answers the rows of requests, one batch after the other, in the order in which they came.

    Nothing is held back to make a batch larger: what came while the last batch was answered is the next one. A server
    that is little asked answers at once, and one that is much asked answers many in about the time of one.

    Example:
        >>> count = lambda rows: [len(rows)] * len(rows)
        >>> async def ask():
        ...     worker = Worker()
        ...     found = await asyncio.gather(*(worker.ask(count, [1]) for _ in range(3)))
        ...     worker.close()
        ...     return found
        >>> asyncio.run(ask())
        [[1], [2], [2]]
    """

    def __init__(self) -> None:
        self._waiting: deque[Job] = deque()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="headwater-answers")
        self._busy = False

    async def ask(self, work: Work, rows: list[Any]) -> Sequence[Any]:
        """One answer a row.

        Args:
            work: gives one for each of any rows; requests with the same one may be answered together.
            rows: of this request.

        Raises:
            HeadwaterError: what `work` raises of these rows.
        """
        waiter: asyncio.Future[Sequence[Any]] = asyncio.get_running_loop().create_future()
        self._waiting.append(Job(work, rows, waiter))
        self._next()
        return await waiter

    def close(self) -> None:
        """Waits for what is being answered."""
        self._pool.shutdown()

    def _next(self) -> None:
        if self._busy or not self._waiting:
            return
        jobs = [self._waiting.popleft()]
        rows = len(jobs[0].rows)
        while self._waiting and self._waiting[0].work == jobs[0].work:
            rows += len(self._waiting[0].rows)
            if rows > TOGETHER:
                break
            jobs.append(self._waiting.popleft())
        self._busy = True
        done = asyncio.get_running_loop().run_in_executor(self._pool, _outcomes, jobs)
        done.add_done_callback(lambda outcomes: self._hand_out(jobs, outcomes))

    def _hand_out(self, jobs: list[Job], outcomes: asyncio.Future[list[Any]]) -> None:
        self._busy = False
        self._next()
        bug = outcomes.exception()
        for job, outcome in zip(jobs, [bug] * len(jobs) if bug else outcomes.result(), strict=True):
            if job.waiter.done():
                continue
            if isinstance(outcome, BaseException):
                job.waiter.set_exception(outcome)
            else:
                job.waiter.set_result(outcome)


def _outcomes(jobs: list[Job]) -> list[Sequence[Any] | HeadwaterError]:
    """The answers to each request, or what is wrong with it; a wrong one spoils no other."""
    try:
        answers = jobs[0].work([row for job in jobs for row in job.rows])
    except HeadwaterError as mistake:
        return [mistake] if len(jobs) == 1 else [_outcomes([job])[0] for job in jobs]
    parts, start = [], 0
    for job in jobs:
        parts.append(answers[start : start + len(job.rows)])
        start += len(job.rows)
    return parts
