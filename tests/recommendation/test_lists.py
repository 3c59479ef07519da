"""The best items of each row."""

from __future__ import annotations

import numpy as np
import pytest

from headwater.recommendation.interactions import Histories
from headwater.recommendation.lists import best, blocks, wanted
from headwater.recommendation.popularity import Popularity
from headwater.recommendation.recommender import Asked


@pytest.mark.parametrize("items", [5, 70, 640, 1345, 5000])
def test_lists_hold_what_a_whole_sort_finds(items: int) -> None:
    scores = np.random.default_rng(items).normal(size=(7, items)).astype(np.float32)
    found = best(scores, 10)
    order = np.argsort(-scores, axis=1)[:, :10]
    np.testing.assert_array_equal(found.items, order)
    np.testing.assert_array_equal(found.scores, np.take_along_axis(scores, order, axis=1))


@pytest.mark.parametrize("items", [1, 7, 64, 65, 1000, 4099])
@pytest.mark.parametrize("k", [1, 10, 100])
@pytest.mark.parametrize("steps", [3, 10_000], ids=["many equals", "few equals"])
def test_lists_of_any_length_end_where_items_do(items: int, k: int, steps: int) -> None:
    random = np.random.default_rng(items)
    scores = random.integers(0, steps, (9, items)).astype(np.float32)
    scores[random.random((9, items)) < 0.2] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    order[np.take_along_axis(scores, order, axis=1) == -np.inf] = -1
    np.testing.assert_array_equal(best(scores, k).items, order)
    equal = best(np.ones((2, items), np.float32), k)
    assert equal.items.tolist() == [list(range(min(k, items)))] * 2


def test_equals_come_in_their_order_whatever_noise_they_have() -> None:
    scores = np.full((2, 60), 0.7, np.float32)
    scores[1] += np.random.default_rng(0).normal(size=60).astype(np.float32) * 1e-7
    assert best(scores, 4).items.tolist() == [[0, 1, 2, 3]] * 2


def test_lists_end_where_items_do() -> None:
    scores = np.full((1, 2000), -np.inf, np.float32)
    scores[0, [7, 1999]] = 1.0
    assert best(scores, 3).items.tolist() == [[7, 1999, -1]]


def test_what_is_no_number_is_never_recommended() -> None:
    assert best(np.array([[np.nan, 1.0, np.nan]], np.float32), 3).items.tolist() == [[1, -1, -1]]


def test_the_scores_of_a_model_are_left_as_they_were() -> None:
    model = Popularity()
    model.restore({"shares": np.array([0.5, 0.2, 0.1], np.float32)}, {})
    asked = Asked.new(Histories.of_lists([[0], []], 3))
    found = wanted(model, asked, asked.histories, np.array([True, True, False]))
    assert found.tolist() == [[-np.inf, pytest.approx(0.2), -np.inf], [pytest.approx(0.5), pytest.approx(0.2), -np.inf]]
    assert model.shares.tolist() == [pytest.approx(0.5), pytest.approx(0.2), pytest.approx(0.1)]


def test_blocks_hold_every_row_once() -> None:
    assert np.concatenate(list(blocks(10, 1_500_000))).tolist() == list(range(10))
    assert list(blocks(0, 5)) == []
