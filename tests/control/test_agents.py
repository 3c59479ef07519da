"""Agents learn what is known to be right."""

from __future__ import annotations

import numpy as np
import pytest
from tests.control import worlds as odd

from headwater.control.course import Course, Plan
from headwater.control.dqn import Dqn, DqnSettings
from headwater.control.q_learning import QLearning, QLearningSettings
from headwater.control.spaces import Box, Discrete
from headwater.control.task import Control
from headwater.control.world import world_of
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
    ("make", "kind", "sentence"),
    [
        (lambda: Dqn(None, LINE, LINE), DataError, "dqn cannot do the actions of this environment.*actor-critic"),
        (lambda: QLearning(None, LINE, Discrete(2)), DataError, "A table has no row for observations like these"),
        (lambda: QLearning(QLearningSettings(bins=900), Box((4,), (0.0,), (1.0,)), Discrete(2)), ResourceError,
         "The table would be too large"),
    ],
)  # fmt: skip
def test_what_an_agent_cannot_do_is_refused(make, kind, sentence):
    with pytest.raises(kind, match=sentence):
        make()
