"""Requests that wait are answered together, each with its own answers."""

import asyncio
import threading

import pytest

from headwater.errors import DataError
from headwater.serving.worker import TOGETHER, Worker


def _ask(jobs):
    async def all_at_once():
        worker = Worker()
        try:
            return await asyncio.gather(*(worker.ask(*job) for job in jobs), return_exceptions=True)
        finally:
            worker.close()

    return asyncio.run(all_at_once())


def test_each_gets_the_answers_of_its_own_rows():
    sizes = []

    def work(rows):
        sizes.append(len(rows))
        return [row * 10 for row in rows]

    assert _ask([(work, [1, 2]), (work, [3]), (work, [])]) == [[10, 20], [30], []]
    assert sizes == [2, 1]


def test_different_work_is_not_mixed_and_keeps_its_turn():
    turns = []

    def first(rows):
        turns.append(("first", list(rows)))
        return rows

    def second(rows):
        turns.append(("second", list(rows)))
        return rows

    _ask([(first, [1]), (first, [2]), (second, [3]), (first, [4])])
    assert turns == [("first", [1]), ("first", [2]), ("second", [3]), ("first", [4])]


def test_no_batch_grows_beyond_what_is_answered_together():
    sizes = []

    def work(rows):
        sizes.append(len(rows))
        return rows

    _ask([(work, [0] * 40)] * 4 + [(work, [0] * (2 * TOGETHER))])
    assert max(sizes) == 2 * TOGETHER
    assert sizes == [40, 40, 40, 40, 2 * TOGETHER]


def test_a_request_that_cannot_be_answered_spoils_no_other():
    def work(rows):
        if 13 in rows:
            raise DataError("Not this one")
        return rows

    found = _ask([(work, [0]), (work, [1]), (work, [13]), (work, [2])])
    assert found[:2] == [[0], [1]]
    assert isinstance(found[2], DataError)
    assert found[3] == [2]


def test_a_bug_comes_to_all_of_its_batch_and_the_next_goes_on():
    def work(rows):
        return [1 / row for row in rows]

    found = _ask([(work, [1]), (work, [0]), (work, [2])])
    assert found[0] == [1.0]
    assert all(isinstance(one, ZeroDivisionError) for one in found[1:])


def test_answers_come_from_a_thread_of_their_own():
    found = _ask([(lambda rows: [threading.current_thread().name] * len(rows), [1])])
    assert found[0][0].startswith("headwater-answers")


def test_what_nobody_waits_for_any_more_is_dropped():
    async def leave():
        worker = Worker()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await worker.ask(_slow, [1])
        return await worker.ask(lambda rows: rows, [2])

    assert asyncio.run(leave()) == [2]


def _slow(rows):
    threading.Event().wait(0.1)
    return rows
