"""Work that several threads share: what comes of it is in order, and whole."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from tests.vision.shapes import pictures, stripes

from headwater.data.pictures import Picture
from headwater.errors import DataError
from headwater.vision import threads
from headwater.vision.pixels import decoded_whole


@pytest.fixture(autouse=True)
def _four(monkeypatch):
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 4)


def slow(number):
    time.sleep(0.002 * (3 - number % 4))
    return number, threading.get_ident()


@pytest.mark.parametrize(("cores", "lent"), [(1, 1), (4, 4), (64, 8), (None, 1)])
def test_no_more_threads_than_the_machine_lends(monkeypatch, cores, lent):
    monkeypatch.setattr(threads.os, "cpu_count", lambda: cores)
    assert threads.lent() == lent


def test_few_rows_are_shared_by_all_threads():
    parts = []
    threads.shared(32, parts.append)
    assert sorted(map(len, parts)) == [8] * 4
    assert sorted(row for part in parts for row in part) == list(range(32))


@pytest.mark.parametrize(("rows", "longest", "count"), [(0, 0, 0), (1, 1, 1), (3, 1, 3), (33, 9, 4), (1000, 64, 16)])
def test_every_row_is_in_one_part(rows, longest, count):
    parts = []
    threads.shared(rows, parts.append)
    assert (len(parts), max(map(len, parts), default=0)) == (count, longest)
    assert sorted(row for part in parts for row in part) == list(range(rows))


def test_what_comes_later_is_made_by_others_and_waits_for_its_turn():
    found = list(threads.ahead(slow, range(20), [1] * 20))
    assert [number for number, _ in found] == list(range(20))
    assert len({thread for _, thread in found} - {threading.get_ident()}) > 1


def test_one_alone_and_one_core_have_no_threads_of_their_own(monkeypatch):
    assert list(threads.ahead(slow, [5], [1])) == [(5, threading.get_ident())]
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 1)
    assert {thread for _, thread in threads.ahead(slow, range(4), [1] * 4)} == {threading.get_ident()}
    assert list(threads.ahead(slow, [], [])) == []


def test_no_more_is_held_than_fits_into_the_memory(monkeypatch):
    monkeypatch.setattr(threads, "_HELD", 10)
    begun = []
    found = threads.ahead(lambda number: begun.append(number) or number, range(6), [4, 4, 4, 30, 30, 1])
    for number, most in zip(found, (3, 3, 4, 4, 5, 6), strict=True):
        time.sleep(0.01)
        assert len(begun) <= most, number
    assert begun == list(range(6))


def test_what_cannot_be_made_is_told_in_its_turn_and_the_rest_is_left():
    made = []

    def breaks(number):
        if number == 2:
            raise DataError("broken")
        made.append(number)
        return number

    found = []
    with pytest.raises(DataError, match="broken"):
        found.extend(threads.ahead(breaks, range(1000), [1] * 1000))
    assert found == [0, 1]
    assert len(made) < 20


def test_as_many_pictures_as_are_answered_at_once_are_decoded_in_order():
    raw, _ = stripes(32, 64)
    found, _ = pictures(32, 64)
    np.testing.assert_array_equal(decoded_whole(found, 64, 64), raw)
    with pytest.raises(DataError, match=r"gone\.png.*cannot be read any more"):
        decoded_whole([*found, Picture("gone.png")], 64, 64)
