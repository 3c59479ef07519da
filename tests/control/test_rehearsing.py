"""What demonstrations teach beside the actions: what these are worth, and not to forget them at once."""

from __future__ import annotations

import numpy as np
import pytest
from tests.contract.worlds import LONGEST, Corridor, Slope

import headwater
from headwater.control import course
from headwater.control.actor_critic import ActorCritic, ActorCriticSettings
from headwater.control.ddpg import Ddpg, DdpgSettings
from headwater.control.demonstrations import Demonstrations, demonstrations_of
from headwater.control.dqn import Dqn, DqnSettings
from headwater.control.perceptron import Perceptron
from headwater.control.rehearsing import FADED, Rehearsal
from headwater.control.world import World
from headwater.settings import Settings

GAMMA = 0.5


def rows(of=Corridor, episodes=60):
    """Whole episodes of somebody who goes to the goal, by which every worth is known."""
    env, found = of(), []
    for episode in range(episodes):
        now, _ = env.reset(seed=episode)
        for _ in range(LONGEST):
            goal = float(now[1])
            action = [goal] if of is Slope else int(goal > 0)
            after, reward, over, cut, _ = env.step(action)
            found.append({
                "episode": episode, "observation": now.tolist(), "action": action, "reward": reward,
                "terminated": over, "truncated": cut, "next_observation": after.tolist(),
            })  # fmt: skip
            now = after
            if over or cut:
                break
    return found


def shown(of=Corridor, episodes=60):
    return demonstrations_of(rows(of, episodes), World("corridor", {}, of), Settings())


def worth(lived):
    """What every row of these episodes is worth: the goal's reward, halved for each step that is still to do."""
    found = np.zeros(len(lived.rewards))
    for row in range(len(found) - 1, -1, -1):
        follows = 0.0 if lived.ended[row] else found[row + 1]
        found[row] = lived.rewards[row] + GAMMA * follows
    return found


def test_the_critic_of_an_actor_learns_what_the_episodes_shown_were_worth():
    lived = shown(episodes=200).lived
    agent = ActorCritic(ActorCriticSettings(gamma=GAMMA, hidden=(32,)), *_spaces(Corridor))
    agent.look(lived.now)
    agent.begin(4)
    actor = agent.actor.parameters.copy()
    assert agent.appraise(lived, 0.01, np.random.default_rng(0)) == 20 * -(-len(lived.rewards) // 64)
    told = agent.critic(agent._encoded(lived.now))[:, 0] * agent.earned.spread[0]
    assert np.abs(told - worth(lived)).mean() < 0.1
    np.testing.assert_array_equal(agent.actor.parameters, actor)


def test_the_critics_of_ddpg_learn_while_its_actor_stands_still():
    found = shown(Slope)
    agent = Ddpg(DdpgSettings(gamma=GAMMA, hidden=(32,), tau=0.05, twin=True), *_spaces(Slope))
    agent.begin(1)
    for _ in range(200):
        agent.imitate(found.now, found.actions, 0.01)
    actor = agent.actor.parameters.copy()
    agent.relive(found.lived)
    agent.appraise(found.lived, 0.01, np.random.default_rng(0))
    lived = found.lived
    both = np.hstack([lived.now, lived.actions]).astype(np.float32)
    for critic in agent.critics:
        assert np.abs(critic(both)[:, 0] - worth(lived)).mean() < 0.1
    np.testing.assert_array_equal(agent.actor.parameters, actor)


def test_nothing_but_the_action_shown_is_tried_first():
    """Demonstrations that are right, and rewards that never come: what was shown is all that there is to learn from."""
    table = [{"observation": row["observation"], "action": row["action"]} for row in rows()]
    asked = {"model": "dqn", "steps": 200, "episodes": 12, "evaluations": 2, "hidden": (16,), "warm_up": 32,
             "learning_rate": 0.003}  # fmt: skip
    taught = headwater.adapt("control", Corridor, demonstrations=table, **asked)
    alone = headwater.adapt("control", Corridor, **asked)
    assert taught.standing.curve[0]["length"] < alone.standing.curve[0]["length"]
    assert min(row["score"] for row in taught.standing.curve) > 0.9


def test_the_pull_is_added_to_a_gradient_until_it_has_faded():
    seen = np.ones((3, 1), np.float32)
    rehearsal = Rehearsal(Demonstrations(seen, seen, np.arange(3), None, []))
    net = Perceptron((1, 1), np.random.default_rng(0))

    def pull(now, actions):
        assert now.shape == actions.shape == (64, 1)
        net.gradient[:] = 8

    def joined(progress):
        net.gradient[:] = 1
        rehearsal.join(net, pull, np.random.default_rng(0), progress)
        return net.gradient.tolist()

    assert joined(0.0) == [9, 9]
    assert joined(FADED / 2) == [5, 5]
    assert joined(FADED) == joined(1.0) == [1, 1]


def test_the_margin_moves_no_worth_that_is_far_enough_above():
    agent = Dqn(DqnSettings(hidden=(4,)), *_spaces(Corridor))
    agent.begin(1)
    weights, biases = agent.learner._layers[-1]
    weights[:], biases[:] = 0, (0.0, 0.9)
    agent._pull(np.zeros((2, 2), np.float32), np.array([[1], [1]]))
    assert not agent.learner.gradient.any()
    agent._pull(np.zeros((2, 2), np.float32), np.array([[0], [0]]))
    assert agent.learner._slopes[-1][1].tolist() == [-1, 1]


@pytest.mark.parametrize(
    ("model", "world", "own"),
    [
        ("dqn", "Corridor", {"warm_up": 32, "tau": 0.01}),
        ("actor-critic", "Corridor", {"rollout": 8}),
        ("ddpg", "Slope", {"warm_up": 32, "batch": 16}),
    ],
)
def test_a_stopped_training_goes_on_with_what_was_shown(model, world, own, tmp_path, monkeypatch):
    table = rows({"Corridor": Corridor, "Slope": Slope}[world], episodes=20)
    asked = {"model": model, "steps": 200, "episodes": 12, "evaluations": 4, "hidden": (8,), "demonstrations": table,
             "checkpoint_seconds": 0.0, **own}  # fmt: skip
    name, lesson = f"tests.contract.worlds:{world}", course.Course._lesson
    whole = headwater.adapt("control", name, **asked)
    assert (whole.standing.imitated["appraised"] > 0) == (model != "dqn")
    seen = list[float]()

    def stopping(self, *given):
        if self.standing.lesson == 2 and not seen:
            seen.append(1.0)
            raise KeyboardInterrupt
        lesson(self, *given)

    monkeypatch.setattr(course.Course, "_lesson", stopping)
    with pytest.raises(KeyboardInterrupt):
        headwater.adapt("control", name, to=tmp_path / "run", **asked)
    resumed = headwater.flow.resume(tmp_path / "run", demonstrations=table)
    assert resumed.standing.curve == whole.standing.curve
    for key, values in whole.agent.policy().items():
        np.testing.assert_array_equal(resumed.agent.policy()[key], values)


def _spaces(of):
    world = World("corridor", {}, of)
    return world.observations, world.actions
