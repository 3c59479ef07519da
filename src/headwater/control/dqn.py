"""Deep Q-learning: a network learns what every action is worth (Mnih et al. 2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from headwater.control.agent import Agent, refuse_actions
from headwater.control.lesson import Lesson
from headwater.control.perceptron import Adam, Perceptron
from headwater.control.replay import Batch, Lived, Replay
from headwater.control.spaces import Discrete
from headwater.options import Between
from headwater.ranges import Search


@dataclass(frozen=True, kw_only=True)
class DqnSettings:
    """What deep Q-learning may be told."""

    section: ClassVar[str] = "Deep Q-learning"

    hidden: Annotated[tuple[int, ...], Between(1, 4096), "Units of each hidden layer, such as 256,256."] = (256, 256)
    gamma: Annotated[float, Between(0, 1), Search(0.95, 0.999), "What a reward a step later is worth."] = 0.99
    batch: Annotated[int, Between(1, 65_536), Search(32, 256, log=True), "Transitions in one update."] = 64
    buffer: Annotated[int, Between(1, 100_000_000), "Transitions that are kept to learn from again."] = 100_000
    warm_up: Annotated[int, Between(0, 100_000_000), "Steps before the first update."] = 1000
    train_every: Annotated[int, Between(1, 1_000_000), "Steps between two rounds of updates."] = 4
    updates: Annotated[int, Between(1, 1_000_000), "Updates in a round."] = 1
    target_every: Annotated[
        int, Between(1, 100_000_000), "Steps after which the target network becomes a copy of the network."
    ] = 1000
    exploring: Annotated[
        float, Between(0, 1), Search(0.05, 0.5), "The share of the steps in which exploration falls to its end."
    ] = 0.2
    exploration_end: Annotated[
        float, Between(0, 1), Search(0.01, 0.2, log=True), "The share of random actions from then on."
    ] = 0.05
    double: Annotated[bool, "Let the network choose the action whose worth the target network tells."] = False
    dueling: Annotated[bool, "Tell the worth of a state and of each action in it apart."] = False
    n_step: Annotated[int, Between(1, 100), "Steps whose rewards are summed before the rest is estimated."] = 1


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
    learning_rate = 5e-4

    def check(self) -> None:
        if not isinstance(self.actions, Discrete):
            refuse_actions("dqn", self.actions, "a closed list of actions (Discrete)", "actor-critic")

    def build(self, random: np.random.Generator) -> None:
        outputs = self.actions.width + self.settings.dueling
        self.network = Perceptron((self.observations.width, *self.settings.hidden, outputs), random)

    def begin(self, envs: int) -> None:
        self.target = Perceptron(self.network.sizes, np.random.default_rng(0))
        self.target.parameters[:] = self.network.parameters
        self.adam = Adam(len(self.network.parameters))
        self.replay = Replay(
            self.settings.buffer, envs, self.observations.size, self.observations.dtype, (1, self.actions.dtype)
        )

    def act(self, raw: np.ndarray, random: np.random.Generator | None = None) -> np.ndarray:
        return self._worth(self.network(self.observations.encode(raw))).argmax(axis=1)[:, None]

    def learn(self, lesson: Lesson) -> None:
        own = self.settings
        while lesson.left:
            now, before = lesson.now, lesson.done
            actions = self._explore(lesson)
            self.replay.add(now, actions, lesson.step(actions))
            if lesson.done // own.target_every > before // own.target_every:
                self.target.parameters[:] = self.network.parameters
            rounds = lesson.done // own.train_every - before // own.train_every
            if rounds and lesson.done > own.warm_up:
                self._update(lesson, rounds * own.updates)
        self.replay.cut()

    def _explore(self, lesson: Lesson) -> np.ndarray:
        """The best known action of each environment, or with a falling probability any."""
        own = self.settings
        share = min(1.0, lesson.progress / own.exploring) if own.exploring else 1.0
        epsilon = 1.0 + share * (own.exploration_end - 1.0)
        chance = lesson.random.random(lesson.worlds.count) < epsilon
        actions = self.actions.sample(lesson.random, lesson.worlds.count)
        if not chance.all():
            actions[~chance] = self.act(lesson.now[~chance])
        return actions

    def _update(self, lesson: Lesson, count: int) -> None:
        """Draws all transitions of a round at once, asks the target network once, then updates one by one."""
        own = self.settings
        drawn = self.replay.sample(lesson.random, (count, own.batch), discount=own.gamma, steps=own.n_step)
        now, after = (self._encoded(raw) for raw in (drawn.now, drawn.after))
        # The target stands still for the whole round: one large product takes half the time of many small ones.
        following = self._worth(self.target(after.reshape(-1, after.shape[-1]))).reshape(count, own.batch, -1)
        loss = 0.0
        for number in range(count):
            best = self._worth(self.network(after[number])) if own.double else following[number]
            follows = np.take_along_axis(following[number], best.argmax(axis=1)[:, None], axis=1)[:, 0]
            aims = drawn.rewards[number] + drawn.discounts[number] * follows
            loss = self._toward(aims, now[number], drawn, number, lesson.rate)
        lesson.notes["loss"] = loss

    def _toward(self, aims: np.ndarray, now: np.ndarray, drawn: Batch, number: int, rate: float) -> float:
        """One step of the network toward what the actions done turned out to be worth, by the Huber loss."""
        trace = self.network.forward(now)
        rows, done = np.arange(len(now)), drawn.actions[number, :, 0]
        error = self._worth(trace[-1])[rows, done] - aims
        slope = np.zeros((len(now), self.actions.width), dtype=np.float32)
        slope[rows, done] = np.clip(error, -1, 1) / len(now)
        self.network.backward(trace, self._parted(slope))
        self.adam.step(self.network.parameters, self.network.gradient, rate, clip=10.0)
        size = np.abs(error)
        return float(np.where(size < 1, 0.5 * size * size, size - 0.5).mean())

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

    def policy(self) -> dict[str, np.ndarray]:
        return {"network": self.network.parameters}

    def memory(self) -> dict[str, np.ndarray]:
        replay = {f"replay-{name}": values for name, values in self.replay.arrays().items()}
        return {"target": self.target.parameters, **self.adam.arrays(), **replay}

    def remember(self, memory: dict[str, np.ndarray]) -> None:
        self.target.parameters[:] = memory["target"]
        self.adam.moments[:], self.adam.count[:] = memory["moments"], memory["count"]
        self.replay.restore(
            {name.removeprefix("replay-"): values for name, values in memory.items() if name.startswith("replay-")}
        )
