"""Answers are remembered while there is room, whoever asks."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from headwater.data.remembered import Remembered


def test_the_oldest_answers_make_room():
    known = Remembered[str](most=2)
    for letter in "abc":
        known.get(letter, lambda letter=letter: letter)
    assert [known.get(letter, lambda: "new") for letter in "bca"] == ["b", "c", "new"]
    assert len(known) == 2


def test_many_threads_may_ask_at_once():
    known, switching = Remembered[int](most=3), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda number: known.get(number % 7, lambda: number % 7), range(20_000)))
    finally:
        sys.setswitchinterval(switching)
    assert found == [number % 7 for number in range(20_000)]
    assert len(known) == 3
