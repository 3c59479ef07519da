"""Words and numbers that differ: the formulas, what chance is told, and what is not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from headwater.comparison.shifts import log_odds, numbers, words


def texts(rows: int, seed: int, **chances: float) -> list[frozenset[str]]:
    random = np.random.default_rng(seed)
    return [frozenset(word for word, chance in chances.items() if random.random() < chance) for _ in range(rows)]


def test_the_score_is_the_difference_of_log_odds_over_its_error():
    found = log_odds(np.array([[2.0], [8.0]]), np.array([[20.0], [30.0]]))[0]
    share, prior = 10.5 / 51, 5.0
    cells = [2 + prior * share, 18 + prior * (1 - share), 8 + prior * share, 22 + prior * (1 - share)]
    odds = np.log(cells[2] / cells[3]) - np.log(cells[0] / cells[1])
    assert found == pytest.approx(odds / np.sqrt(sum(1 / cell for cell in cells)))


def test_words_that_differ_are_found_both_ways_and_others_are_not():
    common = {f"w{number}": 0.3 for number in range(200)}
    found = words(texts(200, 0, film=0.5, book=0.05, **common), texts(200, 1, film=0.1, book=0.6, **common))
    assert {word.word for word in found[:2]} == {"film", "book"}
    assert len(found) <= 4
    by_name = {word.word: word for word in found}
    assert by_name["book"].z > 0 > by_name["film"].z
    assert by_name["book"].target > 0.5 > by_name["book"].source


def test_chance_is_seldom_shown():
    chances = {f"w{number}": 0.02 + number / 400 for number in range(200)}
    claims = [words(texts(100, 2 * seed, **chances), texts(100, 2 * seed + 1, **chances)) for seed in range(20)]
    assert sum(map(bool, claims)) <= 2


def test_a_word_of_few_rows_is_no_evidence():
    assert words([frozenset({"rare"})] * 4 + [frozenset()] * 96, [frozenset()] * 100) == []
    assert words([], [frozenset({"a"})] * 9) == []


def test_numbers_are_compared_by_ranks_and_corrected():
    random = np.random.default_rng(0)
    same, moved = random.normal(size=(2, 50)), random.normal(size=50)
    source = {"same": same[0], "moved": moved, "fixed": np.zeros(50)}
    target = {"same": same[1], "moved": moved + 2, "fixed": np.zeros(50)}
    found = {number.name: number for number in numbers(source, target)}
    assert [number.differs for number in found.values()] == [False, True, False]
    test = mannwhitneyu(target["moved"], source["moved"], method="asymptotic")
    assert found["moved"].p == pytest.approx(3 * test.pvalue)
    assert found["moved"].more == pytest.approx(test.statistic / 2500)
    assert (found["fixed"].more, found["fixed"].p) == (0.5, 1.0)


def test_of_shares_the_mean_is_told():
    found = numbers({"Latin": np.array([0.0, 0.0, 1.0])}, {"Latin": np.array([1.0, 1.0, 0.4])}, ["Latin"])[0]
    assert (found.source, found.target) == pytest.approx((1 / 3, 0.8))
    assert numbers({}, {}) == []
