"""Deep Q-learning: a network learns what every action is worth (Mnih et al. 2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

import numpy as np

from headwater.control.agent import Agent, refuse_actions
from headwater.control.exploring import Greedy
from headwater.control.lesson import Lesson
from headwater.control.networks import Network
from headwater.control.perceptron import Adam
from headwater.control.replay import Lived, Replay
from headwater.control.spaces import Discrete
from headwater.options import Between
from headwater.ranges import Search

_MARGIN: Final = 0.8
"""By how much an action shown is to be worth more than any other."""


@dataclass(frozen=True, kw_only=True)
class DqnSettings:
    """What deep Q-learning may be told."""

    section: ClassVar[str] = "Deep Q-learning"

    hidden: Annotated[tuple[int, ...], Between(1, 4096), "Units of each hidden layer, such as 256,256."] = (128, 128)
    gamma: Annotated[float, Between(0, 1), Search(0.95, 0.999), "What a reward a step later is worth."] = 0.99
    batch: Annotated[int, Between(1, 65_536), Search(32, 256, log=True), "Transitions in one update."] = 64
    buffer: Annotated[int, Between(1, 100_000_000), "Transitions that are kept to learn from again."] = 100_000
    warm_up: Annotated[int, Between(0, 100_000_000), "Steps before the first update."] = 1000
    train_every: Annotated[int, Between(1, 1_000_000), "Steps between two rounds of updates."] = 4
    updates: Annotated[int, Between(1, 1_000_000), "Updates in a round."] = 2
    target_every: Annotated[
        int,
        Between(1, 100_000_000),
        "Steps after which the target network becomes a copy of the network, without `tau`.",
    ] = 1000
    exploring: Annotated[
        float, Between(0, 1), Search(0.05, 0.5), "The share of the steps in which exploration falls to its end."
    ] = 0.2
    exploration_end: Annotated[
        float, Between(0, 1), Search(0.01, 0.2, log=True), "The share of random actions from then on."
    ] = 0.05
    persistence: Annotated[
        int, Between(1, 10_000), Search(1, 100, log=True),
        "For how many steps at most a random action is kept up; how many is drawn by the inverse of their square "
        "(temporally extended exploration; Dabney et al. 2021). 1 draws every step anew.",
    ] = 1  # fmt: skip
    tau: Annotated[
        float, Between(0, 1),
        "By what share the target network follows in every update, which then is the one that acts at last, as it is "
        "steadier; 0 makes it a copy every `target_every` steps.",
    ] = 0.005  # fmt: skip
    double: Annotated[bool, "Let the network choose the action whose worth the target network tells."] = True
    dueling: Annotated[bool, "Tell the worth of a state and of each action in it apart."] = False
    n_step: Annotated[int, Between(1, 100), "Steps whose rewards are summed before the rest is estimated."] = 3


class Dqn(Agent):
    """Names the action that its network holds for the most valuable.

    The worth of an action is learnt from transitions drawn out of a replay memory: the reward, and what a target
    network, an older copy, says is the best that can follow. Double (van Hasselt et al. 2016), dueling (Wang et al.
    2016) and n-step returns (Sutton 1988) are switches.

    Example:
        >>> from headwater.control.spaces import Box
        >>> agent = Dqn(DqnSettings(hidden=(8,)), Box((4,), (-1.0,), (1.0,)), Discrete(2))
        >>> agent.act(np.zeros((3, 4), np.float32)).shape
        (3, 1)
    """

    Settings = DqnSettings
    learning_rate = 1e-3

    def check(self) -> None:
        if not isinstance(self.actions, Discrete):
            refuse_actions("dqn", self.actions, "a closed list of actions (Discrete)", "actor-critic")

    def build(self, random: np.random.Generator) -> None:
        outputs = self.actions.width + self.settings.dueling
        self.network = self.network_of((*self.settings.hidden, outputs), random)

    def begin(self, envs: int) -> None:
        other = self.network.copy()
        # One network learns; the target is an older copy of it, or follows it and is the one that acts at last.
        self.learner, self.target = (other, self.network) if self.settings.tau else (self.network, other)
        self.adam = Adam(len(self.network.parameters))
        self.replay = Replay(
            self.settings.buffer, envs, self.observations.size, self.observations.dtype, (1, self.actions.dtype)
        )

    def act(self, raw: np.ndarray, random: np.random.Generator | None = None) -> np.ndarray:
        return self._best(self.network, raw)

    def _best(self, network: Network, raw: np.ndarray) -> np.ndarray:
        return self._worth(network(self.observations.encode(raw))).argmax(axis=1)[:, None]

    def learn(self, lesson: Lesson) -> None:
        own = self.settings
        # Who was shown what to do has no need to try anything at all first.
        until = own.exploring if self.rehearsal is None else 0.0
        greedy = Greedy(self.actions, lesson, own.exploration_end, until, own.persistence)
        while lesson.left:
            now, before = lesson.now, lesson.done
            actions = greedy.choose(lambda raw: self._best(self.learner, raw))
            step = lesson.step(actions)
            greedy.over(step.ended)
            self.replay.add(now, actions, step)
            if not own.tau and lesson.done // own.target_every > before // own.target_every:
                self.target.parameters[:] = self.learner.parameters
            rounds = lesson.done // own.train_every - before // own.train_every
            if rounds and lesson.done > own.warm_up:
                self._update(lesson, rounds * own.updates)
        self.replay.cut()

    def _update(self, lesson: Lesson, count: int) -> None:
        """Draws all transitions of a round at once, asks the target network once, then updates one by one."""
        own = self.settings
        drawn = self.replay.sample(lesson.random, (count, own.batch), discount=own.gamma, steps=own.n_step)
        # A target that stands still for the whole round is asked once: one large product takes half the time of many.
        still = None if own.tau else self._worths(self.target, self._encoded(drawn.after))
        loss = 0.0
        for number in range(count):
            # Images are large as float32: those of one update at a time.
            now, after = (self._encoded(raw[number]) for raw in (drawn.now, drawn.after))
            following = self._worths(self.target, after) if still is None else still[number]
            best = self._worths(self.learner, after) if own.double else following
            follows = np.take_along_axis(following, best.argmax(axis=1)[:, None], axis=1)[:, 0]
            aims = drawn.rewards[number] + drawn.discounts[number] * follows
            loss = self._toward(aims, now, drawn.actions[number, :, 0])
            if self.rehearsal is not None:
                self.rehearsal.join(self.learner, self._pull, lesson.random, lesson.progress)
            self.adam.step(self.learner.parameters, self.learner.gradient, lesson.rate, clip=10.0)
            if own.tau:
                self.target.parameters += np.float32(own.tau) * (self.learner.parameters - self.target.parameters)
        lesson.notes["loss"] = loss

    def _toward(self, aims: np.ndarray, now: np.ndarray, done: np.ndarray) -> float:
        """The gradient of the Huber loss of what the actions done turned out to be worth, and that loss."""
        trace = self.learner.forward(now)
        rows = np.arange(len(now))
        error = self._worth(trace[-1])[rows, done] - aims
        slope = np.zeros((len(now), self.actions.width), dtype=np.float32)
        slope[rows, done] = np.clip(error, -1, 1) / len(now)
        self.learner.backward(trace, self._parted(slope))
        size = np.abs(error)
        return float(np.where(size < 1, 0.5 * size * size, size - 0.5).mean())

    def _worths(self, network: Network, inputs: np.ndarray) -> np.ndarray:
        """What a network holds each action for, of inputs of shape (..., width): shape (..., actions)."""
        flat = self._worth(network(inputs.reshape(-1, inputs.shape[-1])))
        return flat.reshape(*inputs.shape[:-1], -1)

    def _worth(self, outputs: np.ndarray) -> np.ndarray:
        """What each action is worth, of the outputs of the network, shape (rows, actions)."""
        if not self.settings.dueling:
            return outputs
        advantages = outputs[:, 1:]
        return outputs[:, :1] + advantages - advantages.mean(axis=1, keepdims=True)

    def _parted(self, slope: np.ndarray) -> np.ndarray:
        """The gradient by the outputs of the network, of that by what `_worth` made of them."""
        if not self.settings.dueling:
            return slope
        whole = slope.sum(axis=1, keepdims=True)
        return np.hstack([whole, slope - whole / slope.shape[1]])

    def _encoded(self, raw: np.ndarray) -> np.ndarray:
        flat = self.observations.encode(raw.reshape(-1, raw.shape[-1]))
        return flat.reshape(*raw.shape[:-1], -1)

    def imitate(self, raw: np.ndarray, actions: np.ndarray, rate: float) -> None:
        """One step along the cross entropy, where the worth of actions stands for the logarithm of their chances."""
        trace = self.network.forward(self._encoded(raw))
        worth = self._worth(trace[-1])
        slope = np.exp(worth - worth.max(axis=1, keepdims=True))
        slope /= slope.sum(axis=1, keepdims=True)
        slope[np.arange(len(raw)), actions[:, 0]] -= 1
        self.network.backward(trace, self._parted(slope / np.float32(len(raw))))
        self.adam.step(self.network.parameters, self.network.gradient, rate, clip=10.0)

    def relive(self, lived: Lived) -> int:
        return self.replay.fill(lived)

    def _pull(self, raw: np.ndarray, actions: np.ndarray) -> None:
        """The gradient by which actions shown come to be worth more than any other, by a margin (Hester et al. 2018).

        It moves the worths no further than that: cross entropy would make them ever larger.
        """
        trace = self.learner.forward(self._encoded(raw))
        worth, rows, done = self._worth(trace[-1]), np.arange(len(raw)), actions[:, 0]
        raised = worth + np.float32(_MARGIN)
        raised[rows, done] -= np.float32(_MARGIN)
        slope = np.zeros_like(worth)
        slope[rows, raised.argmax(axis=1)] += np.float32(1 / len(raw))
        slope[rows, done] -= np.float32(1 / len(raw))
        self.learner.backward(trace, self._parted(slope))

    def policy(self) -> dict[str, np.ndarray]:
        return {"network": self.network.parameters}

    def memory(self) -> dict[str, np.ndarray]:
        replay = {f"replay-{name}": values for name, values in self.replay.arrays().items()}
        other = self.learner if self.settings.tau else self.target
        return {"other": other.parameters, **self.adam.arrays(), **replay}

    def remember(self, memory: dict[str, np.ndarray]) -> None:
        (self.learner if self.settings.tau else self.target).parameters[:] = memory["other"]
        self.adam.moments[:], self.adam.count[:] = memory["moments"], memory["count"]
        self.replay.restore(
            {name.removeprefix("replay-"): values for name, values in memory.items() if name.startswith("replay-")}
        )
