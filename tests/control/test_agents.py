"""Agents learn what is known to be right."""

from __future__ import annotations

import numpy as np
import pytest
from tests.contract.worlds import Slope
from tests.control import worlds as odd

from headwater.control.actor_critic import ActorCritic, ActorCriticSettings, _lived
from headwater.control.course import Course, Plan
from headwater.control.ddpg import Ddpg, DdpgSettings
from headwater.control.dqn import Dqn, DqnSettings
from headwater.control.exploring import Greedy
from headwater.control.lesson import Lesson
from headwater.control.normalising import Running
from headwater.control.policies import Categories, Gaussian
from headwater.control.q_learning import QLearning, QLearningSettings
from headwater.control.returns import advantages
from headwater.control.spaces import Box, Discrete
from headwater.control.task import Control
from headwater.control.world import world_of
from headwater.control.worlds import Step, Worlds
from headwater.errors import DataError, ResourceError, SettingError
from headwater.run import scratch
from headwater.settings import Settings

LINE = Box((2,), (0.0,), (1.0,))


def optimum(world, gamma, policy=None):
    """The worth of the first state by value iteration; of a policy by the same, its action in the place of the best."""
    env = world.make().unwrapped
    moves = [[np.array(env.P[state][action], dtype=float) for action in env.P[state]] for state in env.P]
    worth = np.zeros(len(moves))
    for _ in range(2000):
        each = np.array([
            [(one[:, 0] * (one[:, 2] + gamma * worth[one[:, 1].astype(int)] * (1 - one[:, 3]))).sum() for one in row]
            for row in moves
        ])  # fmt: skip
        found = each.max(axis=1) if policy is None else each[np.arange(len(each)), policy]
        if np.abs(found - worth).max() < 1e-8:
            break
        worth = found
    return float(env.initial_state_distrib @ worth)


def test_q_learning_is_at_the_optimum_of_value_iteration():
    world = world_of("FrozenLake-v1")
    settings = QLearningSettings(initial=1.0)
    agent = QLearning(settings, world.observations, world.actions)
    with scratch(Settings()) as run:
        Course(agent, world, Plan(200_000, 64, 2, 1.0, 0), run).train()
    found = optimum(world, settings.gamma, agent.table.argmax(axis=1))
    assert found == pytest.approx(optimum(world, settings.gamma), rel=0.01)


@pytest.mark.parametrize(
    "switches",
    [{"dueling": True, "tau": 0.0}, {"tau": 0.05, "persistence": 3}, {"tau": 0.0, "n_step": 1, "double": False}],
)
def test_the_switches_of_dqn_learn(switches):
    settings = Settings(steps=2500, episodes=20, evaluations=2, episode_limit=50)
    app = Control("dqn", settings, hidden=(16,), warm_up=64, batch=32, **switches).fit(odd.Several)
    assert app.evaluate().score.value > 0.9


def test_a_target_that_follows_is_what_acts_and_what_is_kept():
    settings = Settings(steps=600, episodes=5, evaluations=2, episode_limit=50)
    app = Control("dqn", settings, hidden=(8,), warm_up=64, batch=16, tau=0.05).fit(odd.Corridor)
    agent = app.agent
    assert agent.target is agent.network
    assert (agent.learner.parameters != agent.network.parameters).any()
    again = Dqn(agent.settings, agent.observations, agent.actions)
    again.begin(1)
    again.follow(agent.policy())
    again.remember(agent.memory())
    np.testing.assert_array_equal(again.learner.parameters, agent.learner.parameters)
    np.testing.assert_array_equal(again.target.parameters, agent.target.parameters)


def lesson_of(world, count, seed=0, steps=10_000):
    worlds = Worlds(world_of(world), count, [seed])
    return Lesson(worlds, np.random.default_rng(seed), 0.1, 0, steps, steps, None)


def test_exploration_falls_from_all_to_its_end():
    lesson = lesson_of("FrozenLake-v1", 1000)
    greedy = Greedy(lesson.worlds.world.actions, lesson, 0.1, 0.5)
    shares = []
    for done in (0, 2500, 5000, 10_000):
        lesson.done = done
        chosen = greedy.choose(lambda raw: np.full((len(raw), 1), 9))
        shares.append(float((chosen[:, 0] == 9).mean()))
    np.testing.assert_allclose(shares, [0, 0.45, 0.9, 0.9], atol=0.05)
    assert Greedy(lesson.worlds.world.actions, lesson, 0.1, 0.0).chance == pytest.approx(0.1)


def test_a_random_action_is_kept_up_and_never_beyond_its_episode():
    lesson = lesson_of("FrozenLake-v1", 4000)
    greedy = Greedy(lesson.worlds.world.actions, lesson, 0.0, 0.0, persistence=5)
    lesson.done, greedy._end = 10_000, 1.0
    first = greedy.choose(lambda raw: np.full((len(raw), 1), 9))
    kept = greedy._left.copy()
    # By the inverse of the square: six of ten last one step, and none more than five.
    np.testing.assert_allclose(np.bincount(kept, minlength=5)[:2] / 4000, [0.61, 0.15], atol=0.03)
    assert kept.max() == 4
    greedy._end = 0.0
    following = greedy.choose(lambda raw: np.full((len(raw), 1), 9))
    np.testing.assert_array_equal(following[:, 0], np.where(kept > 0, first[:, 0], 9))
    greedy.over(np.ones(4000, bool))
    assert (greedy.choose(lambda raw: np.full((len(raw), 1), 9)) == 9).all()


def test_the_last_policy_takes_the_place_of_one_that_was_only_lucky():
    world = world_of("CliffWalking-v1")
    agent = QLearning(None, world.observations, world.actions)
    with scratch(Settings()) as run:
        course = Course(agent, world, Plan(20_000, 8, 2, 1.0, 0), run)
        course.train()
        known = agent.table.copy()
        # Both walk along the edge: the earlier one had a score that no policy can have.
        course.best, course.standing.at, course.standing.score = {"table": known.copy()}, 1, 0.0
        agent.table[:] = known
        course._settle()
        assert (course.standing.at, course.standing.score) == (course.standing.done, -13.0)
        # The last one stays where it is, for ever.
        course.best, course.standing.at = {"table": known.copy()}, 1
        agent.table[:] = 0
        course._settle()
        assert course.standing.at == 1
        np.testing.assert_array_equal(course.best["table"], known)


def test_without_discount_entries_still_come_to_rest():
    world = world_of(odd.Coin)
    agent = QLearning(QLearningSettings(gamma=1.0), world.observations, world.actions)
    with scratch(Settings()) as run:
        Course(agent, world, Plan(100_000, 64, 1, 1.0, 0), run).train()
    assert agent.table[0] == pytest.approx(0.5, abs=0.25)


def test_the_last_rollout_is_learnt_from():
    app = Control("actor-critic", Settings(steps=64, envs=1, evaluations=1, episodes=1))
    before = ActorCritic(None, world_of(Slope).observations, world_of(Slope).actions).policy()["critic"].copy()
    app.fit(Slope)
    assert app.agent is not None
    assert not np.array_equal(app.agent.policy()["critic"], before)


def test_several_passes_need_a_clip():
    space = world_of(Slope)
    with pytest.raises(SettingError, match=r"A rollout is learnt from more than once only where .*1 with clip_range=0"):
        ActorCritic(ActorCriticSettings(clip_range=0), space.observations, space.actions)
    ActorCritic(ActorCriticSettings(clip_range=0, passes=1), space.observations, space.actions)


def test_a_spread_stays_where_it_has_a_meaning():
    app = Control(
        "actor-critic", Settings(steps=512, envs=1, evaluations=1, episodes=1, learning_rate=1.0), entropy=10.0
    )
    app.fit(Slope)
    assert app.agent is not None
    assert app.agent.policy()["free"].max() == 2


def test_dueling_tells_the_gradient_of_what_it_combines():
    agent = Dqn(DqnSettings(hidden=(6,), dueling=True), LINE, Discrete(3))
    outputs = np.random.default_rng(0).standard_normal((1, 4)).astype(np.float64)
    slope = np.array([[0.3, -1.0, 0.5]])
    found = agent._parted(slope)[0]
    for place in range(4):
        nudge = np.zeros((1, 4))
        nudge[0, place] = 1e-6
        apart = (agent._worth(outputs + nudge) - agent._worth(outputs - nudge)) / 2e-6
        assert found[place] == pytest.approx((apart * slope).sum(), abs=1e-6)


@pytest.mark.parametrize(
    ("model", "own"),
    [
        ("actor-critic", {"clip_range": 0.2, "passes": 4, "batch": 64}),
        ("actor-critic", {"entropy": 0.01, "normalised": False, "annealed": False, "rollout": 8}),
        ("ddpg", {"twin": True, "warm_up": 500, "batch": 32, "tau": 0.05, "noise": 0.5}),
        ("ddpg", {"inverting": True, "n_step": 5, "warm_up": 500, "batch": 64, "tau": 0.05, "noise": 0.5}),
        ("ddpg", {"n_step": 3, "warm_up": 500, "batch": 32, "tau": 0.05, "noise": 0.5}),
    ],
)
def test_the_switches_of_actors_learn(model, own):
    settings = Settings(steps=4000, episodes=20, evaluations=2, learning_rate=0.01 if "annealed" in own else None)
    app = Control(model, settings, hidden=(16,), **own).fit(Slope if model == "ddpg" else odd.Several)
    assert app.evaluate().score.value > 0.9


def test_inverted_gradients_shrink_toward_an_end_and_turn_beyond_it():
    agent = Ddpg(DdpgSettings(hidden=(4,), inverting=True), LINE, Box((1,), (-1.0,), (1.0,)))
    made = np.array([[-1.5], [-1.0], [0.0], [1.0], [1.5]])
    up = agent._room(made, agent._within(made), np.full((5, 1), -1.0))
    down = agent._room(made, agent._within(made), np.full((5, 1), 1.0))
    assert up[:, 0].tolist() == [1.25, 1.0, 0.5, 0.0, -0.25]
    assert down[:, 0].tolist() == [-0.25, 0.0, 0.5, 1.0, 1.25]
    assert agent._within(made)[:, 0].tolist() == [-1, -1, 0, 1, 1]


@pytest.mark.parametrize("chances", [Categories((3, 2)), Gaussian(Box((2,), (-1.0,), (3.0,)))])
def test_the_slopes_of_chances_are_those_of_finite_differences(chances):
    random = np.random.default_rng(0)
    outputs = random.standard_normal((1, chances.width))
    actions = chances.draw(outputs, random)
    by_log, by_entropy = chances.slopes(outputs, actions)

    def entropy(at):
        if isinstance(chances, Gaussian):
            return float(at[0, chances.free :].sum())
        return -sum(float((np.exp(part) * part).sum()) for part in chances._parts(chances._logs(at)))

    for place in range(chances.width):
        nudge = np.zeros_like(outputs)
        nudge[0, place] = 1e-6
        for found, function in ((by_log, lambda at: float(chances.log(at, actions)[0])), (by_entropy, entropy)):
            assert found[0, place] == pytest.approx(
                (function(outputs + nudge) - function(outputs - nudge)) / 2e-6, abs=1e-5
            )


def test_actions_are_drawn_as_often_as_they_are_probable():
    chances, random = Categories((3,)), np.random.default_rng(0)
    outputs = np.log(np.array([[0.2, 0.5, 0.3]])).repeat(20_000, axis=0)
    shares = np.bincount(chances.draw(outputs, random)[:, 0]) / len(outputs)
    np.testing.assert_allclose(shares, [0.2, 0.5, 0.3], atol=0.015)


def test_advantages_stop_at_an_end_and_go_past_a_cut():
    def step(over, ended):
        return Step(np.zeros((1, 1)), np.ones(1, np.float32), np.array([over]), np.array([ended]))

    worth, following = np.full((4, 1), 2.0), np.full((4, 1), 3.0)
    steps = [step(False, False), step(True, True), step(False, True), step(False, False)]
    found = advantages(steps, worth, following, gamma=0.5, gae_lambda=0.5)[:, 0]
    surprise = [1 + 1.5 - 2, 1 - 2, 1 + 1.5 - 2, 1 + 1.5 - 2]
    np.testing.assert_allclose(found, [surprise[0] + 0.25 * surprise[1], *surprise[1:]])


def test_a_step_that_only_began_an_episode_teaches_nothing():
    def step(idle):
        return Step(np.zeros((2, 1)), np.ones(2, np.float32), np.zeros(2, bool), np.zeros(2, bool), idle)

    steps = [step(None), step(np.array([False, True])), step(np.array([False, False]))]
    assert _lived(steps, 6).tolist() == [0, 1, 2, 4, 5]
    assert _lived(steps[:1], 2).tolist() == [0, 1]


def test_running_means_are_those_of_all_that_was_seen():
    values = np.random.default_rng(0).normal(5, 3, (100, 2))
    seen = Running(2)
    for part in np.array_split(values, 7):
        seen.see(part)
    np.testing.assert_allclose(seen.moments, [values.mean(axis=0), values.var(axis=0)])
    assert np.abs(seen.of(values * 1e6)).max() == 10


@pytest.mark.parametrize(
    ("make", "kind", "sentence"),
    [
        (lambda: Ddpg(None, LINE, Discrete(2)), DataError, "ddpg cannot do the actions of this environment"),
        (lambda: Dqn(None, LINE, LINE), DataError, "dqn cannot do the actions of this environment.*actor-critic"),
        (lambda: QLearning(None, LINE, Discrete(2)), DataError, "A table has no row for observations like these"),
        (lambda: QLearning(QLearningSettings(bins=900), Box((4,), (0.0,), (1.0,)), Discrete(2)), ResourceError,
         "The table would be too large"),
    ],
)  # fmt: skip
def test_what_an_agent_cannot_do_is_refused(make, kind, sentence):
    with pytest.raises(kind, match=sentence):
        make()
