"""Actions are of the environment's own space, to its type, shape and start; what cannot be is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from gymnasium import spaces
from tests.control import worlds as odd

import headwater
from headwater.control.declared import of_gymnasium
from headwater.control.spaces import Box, Discrete, from_json
from headwater.control.world import World
from headwater.control.worlds import Worlds
from headwater.errors import DataError

HERE = "tests.control.worlds"
ENDS = np.array([0.0, -np.inf], np.float32), np.array([np.inf, 1.0], np.float32)
ACTIONS = {
    "start": spaces.Discrete(3, start=-1),
    "starts": spaces.MultiDiscrete([2, 3], start=[5, -1]),
    "small": spaces.MultiDiscrete([2, 3], dtype=np.int8),
    "table": spaces.MultiDiscrete([[2, 3], [4, 2]]),
    "switches": spaces.MultiBinary((2, 2)),
    "whole": spaces.Box(-3, 3, (2,), np.int64),
    "any whole": spaces.Box(np.iinfo(np.int64).min, np.iinfo(np.int64).max, (1,), np.int64),
    "bytes": spaces.Box(0, 255, (32, 32), np.uint8),
    "exact": spaces.Box(-0.1, 0.1, (2, 1), np.float64),
    "half": spaces.Box(-0.1, 0.1, (1,), np.float16),
    "one": spaces.Box(-2, 2, (), np.float32),
    "wide": spaces.Box(-1e38, 3e38, (1,), np.float32),
    "half open": spaces.Box(*ENDS),
}


@pytest.fixture
def strict(monkeypatch):
    def made(name):
        monkeypatch.setattr(odd.Strict, "action_space", ACTIONS[name])
        return f"{HERE}:Strict"

    return made


@pytest.mark.parametrize("name", ACTIONS)
def test_an_environment_is_given_what_its_own_space_contains(name):
    given, world = ACTIONS[name], World("strict", {}, type("Own", (odd.Strict,), {"action_space": ACTIONS[name]}))
    random = np.random.default_rng(0)
    space = from_json(json.loads(json.dumps(world.actions.to_json())))
    assert space == world.actions
    for row in [*space.sample(random, 20), *(10 * random.standard_normal((20, space.size)).astype(np.float32))]:
        if not isinstance(space, Box) and row.dtype != np.int64:
            continue
        value = space.value(row)
        assert np.isfinite(value).all()
        assert given.contains(value)
        again = space.raw(value)
        assert given.contains(space.value(again))
    worlds = Worlds(world, 2, [0])
    worlds.step(space.sample(random, 2))


@pytest.mark.parametrize(
    ("model", "name"),
    [("actor-critic", name) for name in ACTIONS] + [("ddpg", name) for name in ("whole", "exact", "one", "bytes")],
)  # fmt: skip
def test_agents_act_in_an_environment_that_takes_nothing_else(model, name, strict):
    own = {"warm_up": 16} if model == "ddpg" else {"rollout": 8, "envs": 2}
    app = headwater.adapt("control", strict(name), model=model, hidden=(4,), steps=40, episodes=10, evaluations=1,
                          **own)  # fmt: skip
    labels = app.predict([[0.1, 1.0], [0.2, -1.0]])
    assert ACTIONS[name].contains(np.array(labels.labels[0], ACTIONS[name].dtype)) or name in ("half", "exact")
    assert labels.to_arrow().num_rows == 2


@pytest.mark.parametrize("name", ["start", "starts", "table", "whole"])
def test_such_spaces_are_observed_as_well(name):
    given = ACTIONS[name]
    given.seed(1)
    space = of_gymnasium(given, where="here")
    for _ in range(10):
        shown = given.sample()
        raw = space.raw(shown)
        np.testing.assert_array_equal(space.value(raw), shown)
        np.testing.assert_array_equal(space.read(json.dumps(space.plain(raw))), raw)
        assert np.isfinite(space.encode(raw[None])).all()


def test_bytes_that_are_done_are_numbers():
    world = World("strict", {}, type("Own", (odd.Strict,), {"action_space": ACTIONS["bytes"]}))
    assert str(world.actions) == "1024 whole numbers, 32 x 32"


def test_whole_numbers_are_as_probable_as_one_another():
    drawn = of_gymnasium(ACTIONS["whole"], where="here").sample(np.random.default_rng(0), 3500)
    assert np.unique(drawn).tolist() == [-3, -2, -1, 0, 1, 2, 3]
    assert (np.unique(drawn, return_counts=True)[1] > 800).all()


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        (spaces.Discrete(2_000_000_000), r"far too large. Got Discrete\(2000000000\). Accepted: at most 16,777,216"),
        (spaces.MultiDiscrete([1_000_000_000, 2]), "far too large"),
        (spaces.MultiBinary(100_000_000), "far too large"),
        (spaces.Box(-1, 1, (0,)), "An observation or action of this environment has no numbers.*without 0"),
        (spaces.Dict({"a": spaces.Box(-1, 1, (2, 0))}), "An observation or action of this environment has no numbers"),
    ],
)
def test_far_too_many_choices_and_none_are_refused(space, sentence):
    with pytest.raises(DataError, match=f"here: .*{sentence}"):
        of_gymnasium(space, where="here")


def test_many_choices_take_no_square_of_memory():
    assert Discrete(1_000_000).encode(np.array([[999_999]])).sum() == 1
