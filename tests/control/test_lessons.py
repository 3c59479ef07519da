"""What agents make of a lesson whose every step is written down, and of steps that are cuts, ends or no steps."""

from __future__ import annotations

import numpy as np
import pytest
from tests.control import worlds as odd

from headwater.control.actor_critic import ActorCritic, ActorCriticSettings
from headwater.control.ddpg import Ddpg, DdpgSettings
from headwater.control.dqn import Dqn, DqnSettings
from headwater.control.lesson import Lesson
from headwater.control.q_learning import QLearning, QLearningSettings
from headwater.control.spaces import Box, Discrete
from headwater.control.world import World
from headwater.control.worlds import Step, Worlds

LINE = Box((1,), (-1.0,), (1.0,))
RATE = 0.5


class Script:
    """Worlds that go where it is written, whatever is done; what is seen then may differ from what followed."""

    def __init__(self, now, steps, seen=None):
        self.now, self.count, self.finished = np.array(now)[:, None], len(now), []
        self._steps = zip(steps, seen or [step.after for step in steps], strict=True)

    def step(self, actions):
        step, self.now = next(self._steps)
        return step


def step(after, rewards, over=False, cut=False, idle=None):
    """A step of as many places as `after` has; ends are of all places, or of each."""
    after, rewards = np.array(after)[:, None], np.array(rewards, np.float32)
    over, cut = (np.broadcast_to(ends, rewards.shape) for ends in (over, cut))
    return Step(after, rewards, over, over | cut, None if idle is None else np.array(idle))


def lesson_of(now, steps, *, total=None, seen=None):
    end = len(now) * len(steps)
    return Lesson(Script(now, steps, seen), np.random.default_rng(0), RATE, 0, end, total or end, None)


def table_of(worth, envs, **own):
    """A table of one action in each state."""
    agent = QLearning(QLearningSettings(gamma=0.5, exploring=0.0, **own), Discrete(len(worth)), Discrete(1))
    agent.begin(envs)
    agent.table[:, 0] = worth
    return agent


def test_q_learning_looks_behind_a_cut_and_not_behind_an_end():
    agent = table_of([0.0, 4.0, 10.0], 1)
    agent.learn(lesson_of([0], [step([1], [1.0], cut=True), step([2], [2.0], over=True), step([0], [0.0])]))
    first = RATE * (1 + 0.5 * 4)
    np.testing.assert_allclose(agent.table[:, 0], [first, 4 + RATE * (2 - 4), 10 + RATE * (0.5 * first - 10)])


@pytest.mark.parametrize("decay", [0.0, 0.5, 1.0])
def test_the_rate_of_an_entry_falls_with_its_visits(decay):
    agent = table_of([8.0], 1, decay=decay)
    agent.learn(lesson_of([0], [step([0], [0.0], over=True) for _ in range(3)]))
    left = [1 - RATE * (1 + 0.5 * visits) ** -decay for visits in range(3)]
    assert agent.table[0, 0] == pytest.approx(8 * np.prod(left))


def test_q_learning_learns_nothing_where_an_episode_only_began():
    agent = table_of([1.0, 2.0, 0.0], 2)
    agent.learn(lesson_of([0, 1], [step([2, 2], [5.0, 5.0], idle=[False, True])]))
    np.testing.assert_allclose(agent.table[:, 0], [1 + RATE * (5 - 1), 2, 0])
    assert agent.visits[:, 0].tolist() == [1, 0, 0]


def line(*ends):
    """Steps of four environments along a line."""
    return [step(np.full(4, number, np.float32), np.ones(4), cut=cut) for number, cut in enumerate(ends)]


def test_dqn_copies_its_target_and_updates_as_often_as_it_is_told():
    own = DqnSettings(hidden=(4,), tau=0.0, target_every=8, train_every=2, updates=3, warm_up=8, exploration_end=0.0)
    agent, told = Dqn(own, LINE, Discrete(2)), []
    agent.begin(4)
    first = agent.learner.parameters.copy()

    def update(lesson, count):
        told.append((lesson.done, count, float((agent.target.parameters - first).mean())))
        agent.learner.parameters += 1

    agent._update = update
    agent.learn(lesson_of(np.zeros(4, np.float32), line(False, False, False, False, False, False)))
    # Four steps at a time are two rounds of three updates each; the copies are of 8, 16 and 24 steps.
    assert [done for done, _, _ in told] == [12, 16, 20, 24]
    assert [count for _, count, _ in told] == [6] * 4
    np.testing.assert_allclose([copied for _, _, copied in told], [0, 1, 1, 3], atol=1e-6)


def test_ddpg_acts_at_random_and_does_not_learn_before_it_is_warm():
    own = DdpgSettings(hidden=(4,), warm_up=10, train_every=2, updates=3, batch=5)
    agent, told, acted = Ddpg(own, LINE, LINE), [], []
    agent.begin(4)
    act = agent.act
    lesson = lesson_of(np.zeros(4, np.float32), line(False, False, False, False))
    agent._update = lambda drawn, number, lesson: told.append((lesson.done, number, drawn.now.shape))
    agent.act = lambda now, random: acted.append(lesson.done) or act(now, random)
    agent.learn(lesson)
    assert told == [(done, number, (6, 5, 1)) for done in (12, 16) for number in range(6)]
    assert acted == [12]


@pytest.mark.parametrize(
    "agent",
    [Dqn(DqnSettings(hidden=(4,), warm_up=100), LINE, Discrete(2)), Ddpg(DdpgSettings(hidden=(4,)), LINE, LINE)],
)
def test_what_the_next_lesson_begins_with_does_not_follow_from_this_one(agent):
    agent.begin(4)
    agent.learn(lesson_of(np.zeros(4, np.float32), line(False, True, False)))
    assert agent.replay.ended[:3].tolist() == [[False] * 4, [True] * 4, [True] * 4]
    assert not agent.replay.terminated.any()


def actor_critic(actions=LINE, **own):
    agent = ActorCritic(ActorCriticSettings(hidden=(4,), passes=1, **own), LINE, actions)
    agent.begin(2)
    return agent


def falling(count):
    return [step(np.zeros(2, np.float32), np.ones(2)) for _ in range(count)]


@pytest.mark.parametrize(("annealed", "shares"), [(True, [1, 0.8, 0.6]), (False, [1, 1, 1])])
def test_the_rate_of_a_rollout_falls_with_what_is_done_of_the_training(annealed, shares):
    agent, rates = actor_critic(annealed=annealed, rollout=2), []
    agent._improve = lambda *arguments: rates.append(arguments[-1])
    agent.learn(lesson_of(np.zeros(2, np.float32), falling(6), total=20))
    np.testing.assert_allclose(rates, RATE * np.array(shares))


def test_rewards_are_told_in_spreads_of_what_they_add_up_to():
    agent, told = actor_critic(gamma=0.5, rollout=3), []
    agent._improve = lambda now, actions, steps, lesson, rate: told.extend(one.rewards for one in steps)
    after = np.zeros(2, np.float32)
    steps = [step(after, [3.0, 3.0]), step(after, [3.0, 4.0], cut=[True, False]), step(after, [5.0, 6.0])]
    agent.learn(lesson_of(np.zeros(2, np.float32), steps))
    # Of the first place the second step ends an episode, and what follows adds up anew.
    sums = np.array([3, 3, 3 + 1.5, 4 + 1.5, 5, 6 + 2.75])
    np.testing.assert_allclose(agent.earned.moments[:, 0], [sums.mean(), sums.var()])
    # At first there is no spread at all, and a reward is at most ten.
    assert told[0].tolist() == [10, 10]
    np.testing.assert_allclose(told[2], np.array([5, 6]) / sums.std(), rtol=1e-5)
    agent.learn(lesson_of(np.zeros(2, np.float32), [step(after, [1.0, 1.0])]))
    assert agent.earned.moments[0, 0] == pytest.approx((sums.sum() + 2) / 8)


def test_an_actor_critic_learns_of_every_step_but_those_that_only_began_an_episode():
    agent, given = actor_critic(gamma=0.5, gae_lambda=0.0, rollout=3, normalised=False, batch=4), []
    agent._toward_worth = lambda inputs, aims, rate: given.append([inputs[:, 0], aims])
    agent._toward_gain = lambda inputs, actions, gained, before: given[-1].extend([inputs[:, 0], gained])
    agent._by_free = np.zeros(1, np.float32)
    now, after = np.linspace(-1, 0.5, 6, dtype=np.float32), np.linspace(1, 2, 6, dtype=np.float32)
    rewards, over = np.arange(6.0), np.array([False, True, False, False, False, False])
    steps = [step(after[:2], rewards[:2], over[:2]), step(after[2:4], rewards[2:4], cut=True, idle=[False, True]),
             step(after[4:], rewards[4:])]  # fmt: skip
    agent.learn(lesson_of(now[:2], steps, seen=[now[2:4, None], now[4:, None], None]))
    worth, following = (agent.critic(values[:, None])[:, 0] for values in (now, after))
    aims, kept = rewards + 0.5 * following * ~over, [0, 1, 2, 4, 5]
    assert [len(one[0]) for one in given] == [4, 1]
    for found, known in zip(zip(*given, strict=True), (now, aims, now, aims - worth), strict=True):
        np.testing.assert_allclose(np.concatenate(found), known[kept], atol=1e-6)


@pytest.mark.parametrize(("slope", "end"), [(-1.0, 2.0), (1.0, -5.0)])
def test_a_spread_is_learnt_no_farther_than_it_has_a_meaning(slope, end):
    agent = actor_critic(rollout=1, normalised=False)
    agent._toward_gain = lambda *arguments: setattr(agent, "_by_free", np.array([slope], np.float32))
    agent.learn(lesson_of(np.zeros(2, np.float32), falling(30)))
    assert agent.free.tolist() == [end]


@pytest.mark.parametrize("actions", [LINE, Discrete(3)])
def test_an_untaught_actor_does_the_same_whatever_it_sees(actions):
    agent = actor_critic(actions)
    assert np.ptp(agent.actor(np.linspace(-3, 3, 20, dtype=np.float32)[:, None]), axis=0).max() < 0.05


def test_a_step_that_only_begins_an_episode_is_none_of_its_length():
    worlds = Worlds(World("counting", {"mode": "NextStep"}, odd.Countings, longest=5), 2, [0])
    for _ in range(11):
        worlds.step(np.zeros((2, 1), np.int64))
    assert sorted(worlds.finished) == [(3, 3), (3, 3), (3, 3), (5, 5), (5, 5)]
