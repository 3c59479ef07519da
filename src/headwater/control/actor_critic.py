"""Advantage actor-critic: a policy moves toward what turned out better than expected (Mnih et al. 2016)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Final

import numpy as np

from headwater.control.agent import Agent
from headwater.control.lesson import Lesson
from headwater.control.networks import looked_at
from headwater.control.normalising import Running
from headwater.control.perceptron import Adam
from headwater.control.policies import chances_of
from headwater.control.replay import Lived
from headwater.control.returns import advantages, returns
from headwater.control.worlds import Step
from headwater.errors import SettingError
from headwater.options import Between
from headwater.ranges import Search

_APPRAISALS: Final = 20
"""Passes over what somebody else lived through, by which the critic learns what it was worth."""
_APPRAISED: Final = 64
"""Rows in one of their updates."""
_AT_ONCE: Final = 1024


@dataclass(frozen=True, kw_only=True)
class ActorCriticSettings:
    """What an actor-critic may be told."""

    section: ClassVar[str] = "Actor-critic"

    hidden: Annotated[tuple[int, ...], Between(1, 4096), "Units of each hidden layer of actor and critic."] = (64, 64)
    gamma: Annotated[float, Between(0, 1), Search(0.9, 0.999), "What a reward a step later is worth."] = 0.99
    gae_lambda: Annotated[
        float, Between(0, 1), Search(0.8, 1.0), "How far rewards are trusted before the critic is: 0 one step, 1 all."
    ] = 0.95
    rollout: Annotated[
        int, Between(1, 100_000), Search(5, 256, log=True), "Steps of each environment between two rounds of updates."
    ] = 64
    passes: Annotated[
        int, Between(1, 1000), "How often a rollout is learnt from; more than once needs `clip_range`."
    ] = 4
    batch: Annotated[int, Between(1, 10_000_000), "Steps in one update; a rollout of fewer is one."] = 128
    clip_range: Annotated[
        float, Between(0, 10),
        "By what share the probability of an action may change in a round (the clipped surrogate of PPO; Schulman et "
        "al. 2017); 0 lets it be.",
    ] = 0.2  # fmt: skip
    entropy: Annotated[float, Between(0, 10), Search(1e-5, 0.05, log=True), "What staying undecided is worth."] = 0.01
    annealed: Annotated[bool, "Let the learning rate fall to 0 over the training."] = True
    normalised: Annotated[bool, "Bring observations and rewards near one by their running means and spreads."] = True


class ActorCritic(Agent):
    """Draws its actions from a policy that a critic improves.

    The actor tells the chances of actions, the critic what a state is worth. After a few steps in several environments,
    actions that turned out better than the critic expected become more probable, by how much better they were
    (generalised advantages), and by no more than `clip_range` in a round of several `passes` (PPO). Without it, and
    with one pass, it is A2C.

    Example:
        >>> from headwater.control.spaces import Box, Discrete
        >>> agent = ActorCritic(None, Box((4,), (-1.0,), (1.0,)), Discrete(2))
        >>> agent.act(np.zeros((3, 4), np.float32)).shape
        (3, 1)
    """

    Settings = ActorCriticSettings
    draws = True
    envs = 16
    steps = 500_000
    learning_rate = 5e-4

    def check(self) -> None:
        own = self.settings
        if own.passes > 1 and not own.clip_range:
            raise SettingError(
                "A rollout is learnt from more than once only where `clip_range` holds the policy near it",
                where="--set passes", got=own.passes, accepted="1 with clip_range=0",
                fix="Give a clip_range, such as 0.2.",
            )  # fmt: skip

    def build(self, random: np.random.Generator) -> None:
        self.chances = chances_of(self.actions)
        outputs = self.chances.width - self.chances.free
        self.actor = self.network_of((*self.settings.hidden, outputs), random, tanh=True)
        self.critic = self.network_of((*self.settings.hidden, 1), random, tanh=True)
        # At first all actions are about as probable, whatever is seen.
        self.actor.last[:] *= 0.01
        self.free = np.zeros(self.chances.free, np.float32)
        self.seen = Running(self.observations.width, leave=looked_at(self.observations))

    def begin(self, envs: int) -> None:
        self.adams = {"actor": Adam(len(self.actor.parameters)), "critic": Adam(len(self.critic.parameters)),
                      "free": Adam(len(self.free))}  # fmt: skip
        self.earned, self.running = Running(1), np.zeros(envs)

    def act(self, raw: np.ndarray, random: np.random.Generator | None = None) -> np.ndarray:
        outputs = self._outputs(self.actor(self._encoded(raw)))
        return self.chances.raw(self.chances.best(outputs) if random is None else self.chances.draw(outputs, random))

    def learn(self, lesson: Lesson) -> None:
        self.running[:] = 0
        while lesson.left:
            now, actions, steps = [], [], []
            # As it was when the rollout began: at the end of the last one nothing would be left to learn by.
            rate = lesson.rate * (1 - lesson.progress if self.settings.annealed else 1.0)
            while len(steps) < self.settings.rollout and lesson.left:
                now.append(lesson.now)
                outputs = self._outputs(self.actor(self._encoded(lesson.now)))
                actions.append(self.chances.draw(outputs, lesson.random))
                steps.append(self._scaled(lesson.step(self.chances.raw(actions[-1]))))
            self._improve(np.stack(now), np.concatenate(actions), steps, lesson, rate)

    def _scaled(self, step: Step) -> Step:
        """The step with its rewards in units of the spread of what they add up to."""
        if not self.settings.normalised:
            return step
        self.running = self.settings.gamma * self.running + step.rewards
        self.earned.see(self.running[:, None])
        self.running[step.ended] = 0
        return replace(step, rewards=self._in_spreads(step.rewards))

    def _in_spreads(self, rewards: np.ndarray) -> np.ndarray:
        if not self.settings.normalised:
            return rewards
        return np.clip(rewards / self.earned.spread[0], -10, 10).astype(np.float32)

    def _improve(
        self, now: np.ndarray, actions: np.ndarray, steps: list[Step], lesson: Lesson, rate: float
    ) -> None:  # fmt: skip
        own, shape = self.settings, (len(steps), now.shape[1])
        inputs = self._encoded(now.reshape(-1, now.shape[-1]))
        after = self._encoded(np.concatenate([step.after for step in steps]))
        worth, following = (self.critic(rows)[:, 0].reshape(shape) for rows in (inputs, after))
        gained = advantages(steps, worth, following, gamma=own.gamma, gae_lambda=own.gae_lambda)
        aims = (gained + worth).reshape(-1)
        before = self.chances.log(self._outputs(self.actor(inputs)), actions)
        lived = _lived(steps, len(inputs))
        for _ in range(own.passes):
            order = lesson.random.permutation(lived) if own.passes > 1 else lived
            for first in range(0, len(order), own.batch):
                rows = order[first : first + own.batch]
                self._toward_worth(inputs[rows], aims[rows], rate)
                self._toward_gain(inputs[rows], actions[rows], gained.reshape(-1)[rows], before[rows])
                if self.rehearsal is not None:
                    self.rehearsal.join(self.actor, self._pull, lesson.random, lesson.progress)
                self.adams["actor"].step(self.actor.parameters, self.actor.gradient, rate, clip=0.5)
                if self.chances.free:
                    self.adams["free"].step(self.free, self._by_free, rate)
                    np.clip(self.free, *self.chances.reach, out=self.free)
        if own.normalised:
            self.seen.see(self.observations.encode(now.reshape(-1, now.shape[-1])))
        lesson.notes["critic error"] = float(np.abs(aims - worth.reshape(-1)).mean())

    def _toward_worth(self, inputs: np.ndarray, aims: np.ndarray, rate: float) -> None:
        """One step of the critic toward what the states turned out to be worth."""
        trace = self.critic.forward(inputs)
        slope = (trace[-1] - aims[:, None]) * np.float32(2 / len(aims))
        self.critic.backward(trace, slope.astype(np.float32))
        self.adams["critic"].step(self.critic.parameters, self.critic.gradient, rate, clip=0.5)

    def _toward_gain(self, inputs: np.ndarray, actions: np.ndarray, gained: np.ndarray, before: np.ndarray) -> None:
        """The gradients of the actor toward actions that gained, and from those that lost."""
        own = self.settings
        trace = self.actor.forward(inputs)
        outputs = self._outputs(trace[-1])
        gained = (gained - gained.mean()) / (gained.std() + 1e-8) if len(gained) > 1 else gained
        ratio = np.exp(np.clip(self.chances.log(outputs, actions) - before, -20, 20))
        if own.clip_range:
            # Where the probability has changed as far as it may in the direction that gains, nothing pulls on.
            ratio = ratio * ~np.where(gained > 0, ratio > 1 + own.clip_range, ratio < 1 - own.clip_range)
        by_log, by_entropy = self.chances.slopes(outputs, actions)
        slope = -((gained * ratio)[:, None] * by_log + own.entropy * by_entropy).astype(np.float32) / len(inputs)
        told = trace[-1].shape[1]
        self.actor.backward(trace, slope[:, :told])
        self._by_free = slope[:, told:].sum(axis=0)

    def _outputs(self, told: np.ndarray) -> np.ndarray:
        """The outputs of the actor's network, and beside them the parameters that no observation moves."""
        if not self.chances.free:
            return told
        return np.hstack([told, np.broadcast_to(self.free, (len(told), len(self.free)))])

    def _encoded(self, raw: np.ndarray) -> np.ndarray:
        encoded = self.observations.encode(raw)
        return self.seen.of(encoded) if self.settings.normalised and self.seen.count[0] else encoded

    def look(self, raw: np.ndarray) -> bool:
        if self.settings.normalised:
            self.seen.see(self.observations.encode(raw))
        return self.settings.normalised

    def imitate(self, raw: np.ndarray, actions: np.ndarray, rate: float) -> None:
        """One step of the actor along the cross entropy; of numbers, along the squared error of their means."""
        self._pull(raw, actions)
        self.adams["actor"].step(self.actor.parameters, self.actor.gradient, rate, clip=0.5)

    def _pull(self, raw: np.ndarray, actions: np.ndarray) -> None:
        """The gradient of the actor away from these actions."""
        trace = self.actor.forward(self._encoded(raw))
        slope = self.chances.away(self._outputs(trace[-1]), self.chances.own(actions))[:, : trace[-1].shape[1]]
        self.actor.backward(trace, (slope / len(raw)).astype(np.float32))

    def appraise(self, lived: Lived, rate: float, random: np.random.Generator) -> int:
        """Fits the critic to the returns of what was lived through; what a cut left out it tells itself."""
        self.earned.see(returns(lived.rewards, lived.ended, self.settings.gamma)[:, None])
        rewards = self._in_spreads(lived.rewards)
        steps = [Step(*one) for one in zip(lived.after[:, None], rewards[:, None], lived.terminated[:, None],
                                           lived.ended[:, None], strict=True)]  # fmt: skip
        updates = 0
        for _ in range(_APPRAISALS):
            worth, following = self._worth(lived.now), self._worth(lived.after)
            aims = (advantages(steps, worth, following, gamma=self.settings.gamma, gae_lambda=1.0) + worth)[:, 0]
            order = random.permutation(len(aims))
            for first in range(0, len(order), _APPRAISED):
                rows = order[first : first + _APPRAISED]
                self._toward_worth(self._encoded(lived.now[rows]), aims[rows], rate)
                updates += 1
        return updates

    def _worth(self, raw: np.ndarray) -> np.ndarray:
        """What the critic holds many observations for, shape (rows, 1); images are large, so some at a time."""
        parts = (raw[first : first + _AT_ONCE] for first in range(0, len(raw), _AT_ONCE))
        return np.concatenate([self.critic(self._encoded(part)) for part in parts])

    def policy(self) -> dict[str, np.ndarray]:
        return {
            "actor": self.actor.parameters, "critic": self.critic.parameters, "free": self.free,
            "seen": self.seen.moments, "seen-count": self.seen.count,
        }  # fmt: skip

    def memory(self) -> dict[str, np.ndarray]:
        adams = {
            f"{name}-{part}": values for name, adam in self.adams.items() for part, values in adam.arrays().items()
        }
        return {**adams, "earned": self.earned.moments, "earned-count": self.earned.count}

    def remember(self, memory: dict[str, np.ndarray]) -> None:
        for name, values in self.memory().items():
            values[...] = memory[name]


def _lived(steps: list[Step], count: int) -> np.ndarray:
    """The rows of a rollout that there is something to learn from."""
    if all(step.idle is None for step in steps):
        return np.arange(count)
    return np.flatnonzero(~np.stack([np.zeros(len(step.ended), bool) if step.idle is None else step.idle
                                     for step in steps]))  # fmt: skip
