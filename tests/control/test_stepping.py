"""Environments moved all at once are those of Gymnasium; vector environments keep their ends in every mode."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from tests.control import worlds as odd

from headwater.control.episodes import play
from headwater.control.stepping import OneByOne, Together, stepping_of
from headwater.control.task import Control
from headwater.control.world import World, world_of
from headwater.control.worlds import Worlds
from headwater.errors import DataError
from headwater.settings import Settings

KNOWN = [
    ("CartPole-v1", []), ("CartPole-v0", []), ("Pendulum-v1", []), ("MountainCar-v0", []), ("Acrobot-v1", []),
    ("FrozenLake-v1", ["map_name=8x8"]), ("CliffWalking-v1", ["is_slippery=true"]), ("Taxi-v4", ["is_rainy=true"]),
]  # fmt: skip
MODES = ("NextStep", "SameStep", "Disabled")


@pytest.mark.filterwarnings("ignore:.*out of date")
@pytest.mark.parametrize(("name", "options"), KNOWN)
def test_all_at_once_gives_the_numbers_of_gymnasium(name, options):
    world, places, random = world_of(name, options), np.arange(6), np.random.default_rng(0)
    both = [stepping_of(world, 6, None), OneByOne(world, 6, None)]
    assert isinstance(both[0], Together)
    found = [one.begin(places, range(6)) for one in both]
    np.testing.assert_array_equal(*found)
    for _ in range(150):
        actions = world.actions.sample(random, 6)
        found = [one.step(places, actions) for one in both]
        for one, other in zip(*found, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)
            assert (one.dtype, one.shape) == (other.dtype, other.shape)
        over = np.flatnonzero(found[0][2])
        if len(over):
            np.testing.assert_array_equal(*(one.begin(over, [None] * len(over)) for one in both))


def test_only_what_is_known_is_moved_at_once():
    gymnasium.register(
        "tests/Wrapped-v0", "gymnasium.envs.classic_control.cartpole:CartPoleEnv",
        additional_wrappers=(gymnasium.wrappers.TransformReward.wrapper_spec(func=abs),),
    )  # fmt: skip
    gymnasium.register("tests/Heavy-v0", "gymnasium.envs.classic_control.pendulum:PendulumEnv", kwargs={"g": 20.0})
    left = [world_of("tests/Heavy-v0"),
            world_of("CartPole-v1", ["sutton_barto_reward=true"]), world_of("Pendulum-v1", ["g=9.81"]),
            world_of("Taxi-v4", ["fickle_passenger=true"]), world_of("tests/Wrapped-v0"), world_of(odd.Corridor),
            world_of("MountainCarContinuous-v0")]  # fmt: skip
    assert [type(stepping_of(world, 1, None)) for world in left] == [OneByOne] * len(left)
    assert isinstance(stepping_of(world_of("CartPole-v1"), 1, "rgb_array"), OneByOne)
    for name in ("tests/Wrapped-v0", "tests/Heavy-v0"):
        del gymnasium.registry[name]


def test_episodes_of_a_place_do_not_depend_on_who_plays_beside_it():
    world = world_of("CartPole-v1")
    seeds = list(range(130))

    def policy(raw):
        return (raw[:, 2] + raw[:, 3] > 0).astype(np.int64)[:, None]

    both, alone = play(world, policy, seeds), [play(world, policy, [seed]) for seed in (0, 99, 129)]
    assert [both.returns[place] for place in (0, 99, 129)] == [one.returns[0] for one in alone]
    assert (both.lengths > 0).all()


@pytest.mark.parametrize("mode", MODES)
def test_a_vector_environment_keeps_the_last_observation_of_an_episode(mode):
    worlds = Worlds(World("counting", {"mode": mode}, odd.Countings), 2, [0])
    steps = [worlds.step(np.zeros((2, 1), np.int64)) for _ in range(5)]
    # The first place ends after three steps, the second is cut after five.
    assert [step.after[:, 0].tolist() for step in steps[:3]] == [[1, 1], [2, 2], [3, 3]]
    assert [step.ended.tolist() for step in steps[2:]] == [[True, False], [False, False], [False, True]]
    assert steps[2].terminated.tolist() == [True, False]
    assert not steps[4].terminated.any()
    assert worlds.finished == [(3.0, 3), (5.0, 5)]
    waits = mode == "NextStep"
    assert [[] if step.idle is None else step.idle.tolist() for step in steps[2:4]] == (
        [[False, False], [True, False]] if waits else [[], []]
    )
    assert steps[3].after[:, 0].tolist() == ([0, 4] if waits else [1, 4])
    assert steps[3].rewards.tolist() == ([0, 1] if waits else [1, 1])
    assert worlds.now[:, 0].tolist() == ([1, 5] if waits else [2, 0])
    worlds.close()


@pytest.mark.parametrize(("mode", "goes_on"), [("NextStep", 2), ("SameStep", 2), ("Disabled", 0)])
def test_a_vector_environment_that_cannot_be_told_goes_on_behind_a_cut(mode, goes_on):
    worlds = Worlds(World("counting", {"mode": mode}, odd.Countings, longest=2), 2, [0])
    steps = [worlds.step(np.zeros((2, 1), np.int64)) for _ in range(2)]
    assert steps[1].ended.tolist() == [True, True]
    assert not steps[1].terminated.any()
    assert worlds.now[:, 0].tolist() == [goes_on, goes_on]
    assert worlds.step(np.zeros((2, 1), np.int64)).after[:, 0].tolist() == [goes_on + 1, goes_on + 1]


@pytest.mark.parametrize("mode", MODES)
def test_a_vector_environment_plays_each_episode_once(mode):
    played = play(World("counting", {"mode": mode}, odd.Countings), lambda raw: np.zeros((len(raw), 1), int), [7, 8, 9])
    assert played.returns.tolist() == played.lengths.tolist() == [3, 5, 5]
    assert played.terminated.tolist() == [True, False, False]


@pytest.mark.parametrize("model", ["dqn", "actor-critic"])
@pytest.mark.parametrize("mode", MODES)
def test_agents_learn_in_vector_environments(model, mode):
    settings = Settings(steps=3000 if model == "dqn" else 10_000, episodes=20, evaluations=2, env=(f"mode={mode}",))
    own = {"warm_up": 64, "batch": 32} if model == "dqn" else {"rollout": 16, "batch": 64}
    app = Control(model, settings, hidden=(16,), **own).fit("tests.control.worlds:Corridors")
    assert app.evaluate().score.value > 0.9
    assert app.predict([[0.0, 1.0], [0.0, -1.0]]).labels == [1, 0]


def test_a_vector_environment_of_parts_is_read_place_by_place():
    worlds = Worlds(World("several", {"mode": "SameStep", "kind": "Several"}, odd.Corridors), 3, [0])
    for _ in range(30):
        step = worlds.step(np.ones((3, 1), np.int64))
        assert (np.abs(step.after[step.terminated, worlds.world.observations.size - 1]) == 1).all()
    assert worlds.finished
    picture = Worlds(World("shown", {"kind": "Shown"}, odd.Corridors), 2, [0], render_mode="rgb_array").frame(1)
    assert picture is not None
    assert picture.shape == (32, 48, 3)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (odd.NoMode, "The vector environment does not tell how it begins episodes anew.*AutoresetMode.NEXT_STEP"),
        (odd.NoLast, "The vector environment begins episodes in the step that ends one, and does not tell its last"),
        (
            odd.NotEach,
            "The vector environment gave a reward or an end for another number of places.*Got 1. Accepted: 2",
        ),
        (odd.FourOfAll, "step of the environment gave something else than its five values.*4 values"),
        (odd.FewSeen, "The environment broke down in its observations"),
    ],
)
def test_what_a_vector_environment_does_wrong_is_told(kind, sentence):
    def through_an_episode():
        worlds = Worlds(World("wrong", {}, kind), 2, [0])
        for _ in range(6):
            worlds.step(np.zeros((2, 1), np.int64))

    with pytest.raises(DataError, match=sentence):
        through_an_episode()
