"""What a model is asked when it is measured: of nothing that it is asked, is it told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.contract.interactions import baskets

from headwater.recommendation import preparing
from headwater.recommendation import tested as questions
from headwater.recommendation.kept import Kept
from headwater.recommendation.protocols import TRAIN
from headwater.recommendation.task import Recommendation
from headwater.recommendation.tested import Rule
from headwater.run import scratch
from headwater.settings import Settings

BASKETS = baskets(30)
PAIRS = [
    (user, item, 1_000_000_000 + place)
    for user, items in zip(BASKETS["user"], BASKETS["item"], strict=True)
    for place, item in enumerate(items)
]


def _compared(protocol: str) -> tuple[Any, Any]:
    """An application whose trials are compared on rows held out, and its data."""
    settings = Settings(k=4, protocol=protocol)
    app = Recommendation("item-knn", settings)
    prepared = app.prepare(PAIRS)
    with scratch(settings) as run:
        app.fit(prepared, run=replace(run, judge=lambda *_: ""))
    return app, prepared


@pytest.mark.parametrize("protocol", ["random", "leave-last-out"])
def test_trials_are_compared_on_rows_that_no_history_holds(protocol: str) -> None:
    app, prepared = _compared(protocol)
    found = app.marks(prepared.valid)
    learnt = prepared.of(TRAIN)
    app.kept = Kept.of(learnt, np.ones(len(learnt), dtype=bool))
    alone = app.marks(prepared.valid)
    np.testing.assert_array_equal(found.right, alone.right)
    np.testing.assert_array_equal(found.truth, alone.truth)


def test_the_test_is_asked_with_all_that_came_before_it() -> None:
    app, prepared = _compared("leave-last-out")
    histories = questions.tested(prepared.test, app.kept, app.settings, Rule()).question.asked.histories
    assert len(histories.items) == len(prepared.train) + len(prepared.valid)


def test_what_a_model_has_learnt_is_asked_with_its_history() -> None:
    app, prepared = _compared("random")
    asked = questions.tested(prepared.train, app.kept, app.settings, Rule())
    assert len(asked.question.asked.histories.items) == len(prepared.train) + len(prepared.valid)
    assert f"{len(prepared.train):,} of these rows are known already" in asked.notes[0]
    held_out = questions.tested(prepared.valid, app.kept, app.settings, Rule())
    assert held_out.notes == []


def test_the_histories_without_what_is_held_out_are_those_of_the_fit() -> None:
    app, prepared = _compared("random")
    users = np.array([3, -1, 0])
    found = app.kept.unlearnt(users)
    held_out = preparing.of_records(prepared.valid, app.kept.user_ids, app.kept.item_ids)
    for row, user in enumerate(users):
        assert sorted(found.of(row).tolist()) == sorted(held_out.items[held_out.users == user].tolist())


def test_what_a_user_had_is_not_ranked_but_for_what_is_asked() -> None:
    app, prepared = _compared("random")
    for rows in (prepared.test, prepared.train):
        question = questions.tested(rows, app.kept, app.settings, Rule()).question
        assert question.seen is not None
        for row in range(len(question.asked)):
            had, right = set(question.asked.histories.of(row)), set(question.relevant.of(row))
            assert set(question.seen.of(row)) == had - right
    wanted = replace(app.settings, exclude_seen=False)
    assert questions.tested(prepared.test, app.kept, wanted, Rule()).question.seen is None


def test_of_cold_items_those_that_were_learnt_are_not_ranked() -> None:
    app, prepared = _compared("random")
    learnt = np.bincount(app.kept.learnt_from().items, minlength=len(app.kept.item_ids)) > 0
    learnt[3] = False
    app.kept = replace(app.kept, learnt=learnt[app.kept.histories.items] & app.kept.learnt)
    question = questions.tested(prepared.test, app.kept, app.settings, Rule("in words", cold=True)).question
    assert question.allowed is not None
    expected = ~learnt
    expected[question.relevant.items] = True
    assert question.allowed.tolist() == expected.tolist()
