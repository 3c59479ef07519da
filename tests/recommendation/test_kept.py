"""What is asked of a model about users: their histories, and whether it may answer by what it has learnt of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.recommendation.shelves import interactions

from headwater.recommendation.ids import UNKNOWN
from headwater.recommendation.kept import Kept
from headwater.recommendation.recommender import NEW

KNOWN = interactions(
    [(0, 2), (1, 1), (0, 0), (2, 1), (1, 3)], users=4, ratings=[4, 2, 5, 1, 3], times=[2, 1, 1, 1, 2]
)  # fmt: skip
KEPT = Kept.of(KNOWN, np.array([True, True, True, False, False]))


def test_histories_are_in_the_order_of_time_with_what_was_learnt_of_each() -> None:
    assert [KEPT.histories.of(user).tolist() for user in range(4)] == [[0, 2], [1, 3], [1], []]
    assert KEPT.histories.values.tolist() == [5, 4, 2, 3, 1]
    assert KEPT.learnt.tolist() == [True, True, True, False, False]
    learnt = KEPT.learnt_from()
    assert sorted(zip(learnt.users.tolist(), learnt.items.tolist(), strict=True)) == [(0, 0), (0, 2), (1, 1)]


def test_a_model_answers_by_what_it_learnt_only_of_those_it_knows_as_they_are() -> None:
    users = np.array([0, 1, 2, 3, UNKNOWN])
    asked = KEPT.asked(users)
    assert asked.users.tolist() == [0, 1, NEW, NEW, NEW]
    assert [asked.histories.of(row).tolist() for row in range(5)] == [[0, 2], [1, 3], [1], [], []]
    more = KEPT.asked(users, [{}, {0: 5.0}, {}, {2: None}, {3: 1.0}])
    assert more.users.tolist() == [0, NEW, NEW, NEW, NEW]
    assert [more.histories.of(row).tolist() for row in range(5)] == [[0, 2], [1, 3, 0], [1], [2], [3]]


def test_what_is_had_again_moves_to_the_end_and_is_worth_what_it_was_or_the_mean() -> None:
    again = KEPT.asked(np.array([0, 3]), [{0: None, 3: None}, {1: None}]).histories
    assert again.of(0).tolist() == [2, 0, 3]
    assert again.values.tolist() == pytest.approx([4, 5, 4.5, 3])


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    KEPT.write(tmp_path)
    read = Kept.read(tmp_path)
    assert read.user_ids.names == KEPT.user_ids.names
    assert read.item_ids.names == KEPT.item_ids.names
    assert read.rated
    for name in ("starts", "items", "values"):
        np.testing.assert_array_equal(getattr(read.histories, name), getattr(KEPT.histories, name))
    np.testing.assert_array_equal(read.learnt, KEPT.learnt)
