"""Agents learn what is known to be right."""

from __future__ import annotations

import numpy as np
import pytest
from tests.contract.worlds import Slope
from tests.control import worlds as odd

from headwater.control.course import Course, Plan
from headwater.control.ddpg import Ddpg
from headwater.control.dqn import Dqn, DqnSettings
from headwater.control.normalising import Running
from headwater.control.policies import Categories, Gaussian
from headwater.control.q_learning import QLearning, QLearningSettings
from headwater.control.returns import advantages
from headwater.control.spaces import Box, Discrete
from headwater.control.task import Control
from headwater.control.world import world_of
from headwater.control.worlds import Step
from headwater.errors import DataError, ResourceError
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
        Course(agent, world, Plan(120_000, 16, 2, 1.0, 0), run).train()
    found = optimum(world, settings.gamma, agent.table.argmax(axis=1))
    assert found == pytest.approx(optimum(world, settings.gamma), rel=0.01)


@pytest.mark.parametrize("switches", [{"double": True}, {"dueling": True}, {"n_step": 3}])
def test_the_switches_of_dqn_learn(switches):
    settings = Settings(steps=2500, episodes=20, evaluations=2, episode_limit=50)
    app = Control("dqn", settings, hidden=(16,), warm_up=64, batch=32, **switches).fit(odd.Several)
    assert app.evaluate().score.value > 0.9


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
        ("actor-critic", {"clip": 0.2, "passes": 4, "batch": 64}),
        ("actor-critic", {"entropy": 0.01, "normalised": False, "annealed": False, "rollout": 8}),
        ("ddpg", {"twin": True, "warm_up": 64, "batch": 32, "tau": 0.05}),
    ],
)
def test_the_switches_of_actors_learn(model, own):
    settings = Settings(steps=4000, episodes=20, evaluations=2, learning_rate=0.01 if "annealed" in own else None)
    app = Control(model, settings, hidden=(16,), **own).fit(Slope if model == "ddpg" else odd.Several)
    assert app.evaluate().score.value > 0.9


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
