"""Which policy of a training is kept, where what each is worth is known, and by the chances of which episodes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from tests.contract.worlds import Corridor, Slope

from headwater.control import course, trainings
from headwater.control.chance import Chance, seeds_of
from headwater.control.course import Course, Plan
from headwater.control.ddpg import Ddpg, DdpgSettings
from headwater.control.demonstrations import Demonstrations
from headwater.control.dqn import Dqn, DqnSettings
from headwater.control.episodes import Played
from headwater.control.task import Control
from headwater.control.world import world_of
from headwater.run import scratch
from headwater.settings import Settings

SPREAD = 50**0.5
"""Of the returns of episodes; the standard error of the mean of the fifty that choose is then one."""
WORLD = world_of(Corridor)


class Known:
    """An agent whose every policy has returns that are known: in the first ten episodes, all fifty, and later ones."""

    def __init__(self):
        self.worth = np.zeros(3)

    def becomes(self, whole, *, first=None, later=None):
        self.worth[:] = whole if first is None else first, whole, whole if later is None else later

    def policy(self):
        return {"worth": self.worth}

    def follow(self, policy):
        self.worth[:] = policy["worth"]

    def act(self, raw):
        """Is asked by nobody: its episodes are not played."""

    def play(self, world, act, seeds):
        first, whole, later = self.worth
        mean = {10: first, 40: (50 * whole - 10 * first) / 40, 50: later}[len(seeds)]
        returns = mean + SPREAD * (-1.0) ** np.arange(len(seeds))
        return Played(returns, np.ones(len(seeds), int), np.ones(len(seeds), bool))


@pytest.fixture
def course_of(monkeypatch):
    """A course that comes to one policy after the other, and tells which was the best so far at the end."""

    def through(*policies):
        agent = Known()
        monkeypatch.setattr(course, "play", agent.play)
        found = Course(agent, WORLD, Plan(100, 1, len(policies), 0.1, 0), SimpleNamespace())
        for number, policy in enumerate(policies, start=1):
            agent.becomes(**policy)
            found.standing.done = number
            found._score()
        return found

    return through


def whole(*worth):
    return [{"whole": one} for one in worth]


def test_of_policies_that_chance_may_tell_apart_the_later_one_is_kept(course_of):
    assert course_of(*whole(0.0, -0.8)).standing.at == 2
    assert course_of(*whole(0.0, -1.2)).standing.at == 1
    assert course_of(*whole(0.0, 3.0, 1.8)).standing.at == 2


def test_what_is_kept_does_not_fall_step_by_step(course_of):
    found = course_of(*whole(0.0, -0.8, -1.6, -2.4))
    assert found.standing.at == 2
    assert found.standing.score == pytest.approx(-0.8)
    assert found.standing.bar == pytest.approx(-1.0, abs=0.05)
    assert found.best["worth"].tolist() == [-0.8] * 3


def test_a_few_episodes_turn_down_what_is_clearly_worse_and_nothing_else(course_of):
    # As good in the first episodes as the best was in them, though by then it had no luck.
    unlucky = {"whole": 0.0, "first": -6.0}
    assert course_of(unlucky, {"whole": 0.5, "first": -5.0}).standing.at == 2
    assert course_of(unlucky, {"whole": 0.5, "first": -7.0}).standing.at == 1
    # Or good enough by the score of all.
    lucky = {"whole": 0.0, "first": 6.0}
    assert course_of(lucky, {"whole": 0.5, "first": -0.5}).standing.at == 2
    assert course_of(lucky, {"whole": 0.5, "first": -1.5}).standing.at == 1


@pytest.mark.parametrize(("last", "kept"), [(-0.8, 3), (-1.2, 2), (-5.0, 2)])
def test_the_last_policy_is_kept_unless_new_episodes_say_that_it_is_worse(course_of, last, kept):
    found = course_of({"whole": 0.0}, {"whole": 9.0, "later": 0.0}, {"whole": 2.0, "later": last})
    assert found.standing.at == 2
    found._settle()
    assert found.standing.at == kept
    # The episodes that settle it tell what it is worth, not those that it was lucky in.
    standing, worth = found.standing, last if kept == 3 else 0.0
    assert standing.score == pytest.approx(worth)
    assert (standing.low + standing.high) / 2 == pytest.approx(worth)
    assert standing.high - standing.low == pytest.approx(2 * 1.96, rel=0.1)
    assert found.best["worth"][1] == (2.0 if kept == 3 else 9.0)
    assert found.agent.worth[1] == 2.0


def test_a_training_that_was_stopped_has_no_last_policy_to_settle(course_of):
    found = course_of(*whole(0.0, 9.0, 2.0))
    found.standing.stopped = course.SPENT
    found._settle()
    assert (found.standing.at, found.standing.score) == (2, 9.0)


@pytest.mark.parametrize(
    ("kind", "own", "of"),
    [(Dqn, DqnSettings(hidden=(4,), tau=0.0), Corridor), (Dqn, DqnSettings(hidden=(4,)), Corridor),
     (Ddpg, DdpgSettings(hidden=(4,)), Slope)],
)  # fmt: skip
def test_targets_begin_as_copies_of_what_was_imitated(kind, own, of):
    world, random = world_of(of), np.random.default_rng(0)
    now = world.observations.sample(random, 40)
    shown = Demonstrations(now, world.actions.sample(random, 40), np.arange(40), None, [])
    agent = kind(own, world.observations, world.actions)
    agent.begin(1)
    untaught = {name: values.copy() for name, values in agent.policy().items()}
    with scratch(Settings()) as run:
        Course(agent, world, Plan(100, 1, 1, 0.01, 0), run, shown)._imitate(shown)
    name = next(iter(untaught))
    assert (agent.policy()[name] != untaught[name]).any()
    pairs = [(agent.learner, agent.target)] if kind is Dqn else zip(agent._nets, agent.targets, strict=True)
    for net, target in pairs:
        np.testing.assert_array_equal(net.parameters, target.parameters)
    adams = [agent.adam] if kind is Dqn else agent.adams
    assert all(adam.count[0] == 0 and not adam.moments.any() for adam in adams)


class Noted(Corridor):
    """Writes down the seed of every episode that is played; not of one that only began."""

    seeds: list = []  # noqa: RUF012 - of all of them together
    seed = None

    def reset(self, *, seed=None, options=None):
        self.seed = seed
        return super().reset(seed=seed, options=options)

    def step(self, action):
        if self.seed is not None:
            self.seeds.append(self.seed)
        self.seed = None
        return super().step(action)


def test_the_episodes_that_measure_were_neither_learnt_from_nor_chosen_by():
    Noted.seeds.clear()
    app = Control("dqn", Settings(steps=64, envs=2, episodes=30, evaluations=2, trainings=2), hidden=(4,)).fit(Noted)
    before = set(Noted.seeds)
    Noted.seeds.clear()
    app.evaluate()
    assert set(Noted.seeds) == set(seeds_of(0, Chance.TEST, 30))
    assert min(Noted.seeds) >= 2**31 > max(before)


def test_trainings_are_chosen_between_by_episodes_that_chose_in_none_of_them(monkeypatch):
    given, agent = [], Known()

    def play(world, act, seeds):
        given.append(set(seeds))
        return agent.play(world, act, seeds)

    for part in (course, trainings):
        monkeypatch.setattr(part, "play", play)
    found = Course(agent, WORLD, Plan(100, 1, 3, 0.1, 0), SimpleNamespace())
    for number, worth in enumerate((0.0, 9.0, 2.0), start=1):
        agent.becomes(worth)
        found.standing.done = number
        found._score()
    found._settle()
    chosen = len(given)
    policies = [trainings.Training(seed, found.standing, {"worth": np.full(3, worth)})
                for seed, worth in enumerate((1.0, 3.0, 2.0))]  # fmt: skip
    ranked = trainings.chosen(policies, agent, WORLD, 0)
    assert [one.seed for one in ranked] == [1, 2, 0]
    assert agent.worth.tolist() == [3.0] * 3
    assert len(given) == chosen + 3
    assert given[chosen] == given[chosen + 1] == given[chosen + 2]
    assert not given[chosen] & set.union(*given[:chosen])
