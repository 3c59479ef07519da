"""A close source is learnt from, a far one counts little, a harmful one not at all; and the plan says why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from headwater.errors import DataError
from headwater.settings import Settings
from headwater.transfer.classifier import Examples
from headwater.transfer.plan import CLOSE, draw_up

WIDTH = 6
DIRECTION = np.linspace(1, 2, WIDTH)


class World:
    """Target and source rows whose class one direction tells, under more or less noise."""

    def __init__(self, rows: int = 60, shift: float = 0.0, turned: bool = False, several: bool = False) -> None:
        random = np.random.default_rng(3)
        self.features = random.normal(size=(rows + 400, WIDTH)).astype(np.float32)
        signs = np.where(random.random(rows + 400) < 0.5, 1, -1)
        self.features += 0.35 * np.outer(signs, DIRECTION)
        self.features[rows:, 0] += shift
        classes = np.where(np.arange(rows + 400) < rows, signs, -signs if turned else signs) > 0
        targets = np.stack([classes, ~classes], axis=1).astype(np.float32) if several else classes.astype(np.int64)
        self.train, self.source = (
            Examples(range(first, last), targets[first:last], 2) for first, last in ((0, rows), (rows, rows + 400))
        )

    def view(self, rows: Sequence[Any]) -> np.ndarray:
        return self.features[list(rows)]

    def plan(self, **settings: Any) -> Any:
        return draw_up(self.view, self.train, self.source, Settings(**settings))


def test_a_close_source_counts_like_the_target():
    world = World()
    plan = world.plan()
    assert (plan.name, plan.weight) == ("joint", 1.0)
    assert plan.distance.value < 0.5
    assert "close" in plan.reason
    rows = plan.rows(world.train, world.source)
    assert len(rows) == 460
    assert rows.inputs[0] == 0
    assert rows.weights is not None
    np.testing.assert_array_equal(rows.weights, 1)


def test_a_far_source_counts_little():
    world = World(shift=8.0)
    plan = world.plan()
    assert plan.name == "augment"
    assert 0 < plan.weight <= 0.3
    assert plan.distance.value > CLOSE
    rows = plan.rows(world.train, world.source)
    assert rows.weights is not None
    np.testing.assert_allclose(rows.weights[[0, -1]], [1, plan.weight])


def test_a_far_source_that_contradicts_the_target_takes_no_part():
    world = World(rows=200, shift=8.0, turned=True)
    plan = world.plan()
    assert plan.weight == 0
    assert "take no part" in plan.reason
    rows = plan.rows(world.train, world.source)
    assert rows.inputs is world.train.inputs
    assert not rows.elsewhere.any(), "rows of the target are taken for those of the source"


def test_the_user_overrules_the_distance():
    world = World(shift=8.0)
    assert world.plan(plan="joint").name == "joint"
    assert world.plan(plan="joint").reason.startswith("asked for")
    alone = world.plan(plan="target-only")
    assert (alone.name, alone.weight) == ("target-only", 0.0)


def test_verify_lets_the_probes_choose():
    plan = World(rows=200, turned=True).plan(verify=True)
    assert {branch.weight for branch in plan.branches} == {1.0, 0.3, 0.1, 0.03, 0.0}
    assert plan.weight == min(plan.branches, key=lambda branch: branch.loss).weight == 0
    assert plan.name == "target-only"
    assert "verified on held-out target rows" in plan.reason


def test_verify_begins_with_what_the_distance_says():
    assert World(shift=8.0).plan(verify=True).branches[0].weight == 0.1


def test_rows_that_stand_there_twice_are_looked_at_once():
    world = World()
    twice = world.train.take(np.repeat(np.arange(60), 3))
    assert draw_up(world.view, twice, world.source, Settings()).distance.value < 0.5


def test_where_no_row_can_be_spared_nothing_is_validated():
    world = World(rows=30)
    one_each = Examples(world.train.inputs, np.arange(30), 30)
    source = Examples(world.source.inputs, world.source.targets, 30)
    plan = draw_up(world.view, one_each, source, Settings())
    assert (plan.name, plan.weight, plan.branches) == ("joint", 1.0, [])
    assert "no row or group of a class can be spared" in plan.reason


def test_weights_of_the_target_rows_are_kept():
    world = World()
    weighted = Examples(world.train.inputs, world.train.targets, 2, np.full(60, 0.5))
    rows = draw_up(world.view, weighted, world.source, Settings()).rows(weighted, world.source)
    assert rows.weights is not None
    np.testing.assert_array_equal(rows.weights[[0, -1]], [0.5, 1.0])


def test_several_labels_a_row():
    plan = World(several=True).plan()
    assert (plan.name, plan.weight) == ("joint", 1.0)
    assert plan.branches[0].score.value > 0.7


def test_the_same_seed_draws_the_same_plan():
    world = World(shift=1.0)
    assert world.plan(seed=5).section() == world.plan(seed=5).section()


def test_the_section_of_the_report_has_the_evidence():
    section = World().plan().section()
    assert section["close_up_to"] == CLOSE
    assert [tried["weight"] for tried in section["tried"]] == [1.0, 0.3]
    assert section["sentence"].startswith("joint: the sets are close")


def test_few_target_rows_are_refused():
    with pytest.raises(DataError, match=r"needs more target rows to measure on\. Got 10\. Accepted: 20 or more"):
        World(rows=10).plan()
