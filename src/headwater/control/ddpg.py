"""Deep deterministic policy gradients: Q-learning where actions are numbers (Lillicrap et al. 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

import numpy as np

from headwater.control.agent import Agent, refuse_actions
from headwater.control.lesson import Lesson
from headwater.control.perceptron import Adam
from headwater.control.replay import Batch, Lived, Replay
from headwater.control.spaces import Box
from headwater.options import Between
from headwater.ranges import Search

_APPRAISALS: Final = 2000
"""Updates of the critics by what others lived through, before the actor may move; with more they hold what nobody did
for the best."""
_CLIMB: Final = 2.5
"""What the critic's slope weighs beside the pull to demonstrations, in units of the mean size of worths."""


@dataclass(frozen=True, kw_only=True)
class DdpgSettings:
    """What deep deterministic policy gradients may be told."""

    section: ClassVar[str] = "DDPG"

    hidden: Annotated[tuple[int, ...], Between(1, 4096), "Units of each hidden layer of actor and critic."] = (128, 128)
    gamma: Annotated[float, Between(0, 1), Search(0.95, 0.999), "What a reward a step later is worth."] = 0.99
    batch: Annotated[int, Between(1, 65_536), Search(64, 512, log=True), "Transitions in one update."] = 256
    buffer: Annotated[int, Between(1, 100_000_000), "Transitions that are kept to learn from again."] = 200_000
    warm_up: Annotated[int, Between(0, 100_000_000), "Steps of random actions before the first update."] = 1000
    train_every: Annotated[int, Between(1, 1_000_000), "Steps between two rounds of updates."] = 1
    updates: Annotated[int, Between(1, 1_000_000), "Updates in a round."] = 1
    tau: Annotated[float, Between(0, 1), "By what share the target networks follow in an update."] = 0.005
    noise: Annotated[
        float,
        Between(0, 10),
        Search(0.02, 0.5, log=True),
        "The spread of the noise on actions, of the way from the middle to an end.",
    ] = 0.1
    n_step: Annotated[int, Between(1, 100), "Steps whose rewards are summed before the rest is estimated."] = 1
    inverting: Annotated[
        bool,
        "Let the actor move the less the nearer it is to an end, in the place of a hyperbolic tangent that it may not "
        "come back from (inverted gradients; Hausknecht and Stone 2016).",
    ] = False
    twin: Annotated[
        bool, "Believe the lower of two critics, blur the target's action and move the actor every second time (TD3)."
    ] = False


class Ddpg(Agent):
    """Names the action that its actor gives, which a critic improves.

    The critic learns what an action in a state is worth as DQN does, where the target's own action stands for the best
    one; the actor moves along the critic's slope by the action. The switch `twin` is TD3 (Fujimoto et al. 2018).

    Example:
        >>> agent = Ddpg(None, Box((3,), (-1.0,), (1.0,)), Box((1,), (-2.0,), (2.0,)))
        >>> agent.act(np.zeros((5, 3), np.float32)).shape
        (5, 1)
    """

    Settings = DdpgSettings
    learning_rate = 1e-3

    def check(self) -> None:
        if not isinstance(self.actions, Box) or not np.isfinite(self.actions.ends).all():
            refuse_actions("ddpg", self.actions, "numbers between ends (Box)", "actor-critic")

    def build(self, random: np.random.Generator) -> None:
        actions = self.actions.size
        low, high = self.actions.ends  # type: ignore[attr-defined]
        self.middle, self.reach = (low + high) / 2, (high - low) / 2
        self.actor = self.network_of((*self.settings.hidden, actions), random)
        if self.settings.inverting:
            # It begins in the middle, with room on both sides.
            self.actor.last[:] *= 0.01
        self.critics = [self.network_of((*self.settings.hidden, 1), random, beside=actions)
                        for _ in range(1 + self.settings.twin)]  # fmt: skip

    def begin(self, envs: int) -> None:
        self._nets = [self.actor, *self.critics]
        self.targets = [net.copy() for net in self._nets]
        self.adams = [Adam(len(net.parameters)) for net in self._nets]
        self.count = np.zeros(1, np.int64)
        self.replay = Replay(
            self.settings.buffer, envs, self.observations.size, self.observations.dtype,
            (self.actions.size, self.actions.dtype),
        )  # fmt: skip

    def act(self, raw: np.ndarray, random: np.random.Generator | None = None) -> np.ndarray:
        within = self._within(self.actor(self.observations.encode(raw)))
        if random is not None:
            within = np.clip(within + self.settings.noise * random.standard_normal(within.shape), -1, 1)
        return (self.middle + self.reach * within).astype(np.float32)

    def _within(self, made: np.ndarray) -> np.ndarray:
        """The actions, each from -1 to 1, that outputs of an actor's network stand for."""
        return np.clip(made, -1, 1) if self.settings.inverting else np.tanh(made)

    def learn(self, lesson: Lesson) -> None:
        own = self.settings
        while lesson.left:
            now, before = lesson.now, lesson.done
            # Who was shown what to do has no need to try anything at all first.
            warm = before < own.warm_up and self.rehearsal is None
            actions = self.actions.sample(lesson.random, len(now)) if warm else self.act(now, lesson.random)
            self.replay.add(now, actions, lesson.step(actions))
            rounds = lesson.done // own.train_every - before // own.train_every
            if rounds and lesson.done >= own.warm_up:
                shape = rounds * own.updates, own.batch
                drawn = self.replay.sample(lesson.random, shape, discount=own.gamma, steps=own.n_step)
                for number in range(rounds * own.updates):
                    self._update(drawn, number, lesson)
        self.replay.cut()

    def _update(self, drawn: Batch, number: int, lesson: Lesson) -> None:
        lesson.notes["critic error"] = self._judge(drawn, number, lesson.rate, lesson.random)
        self.count += 1
        if not self.settings.twin or int(self.count[0]) % 2 == 0:
            self._climb(self.observations.encode(drawn.now[number]), lesson)
            self._draw_on()

    def _judge(self, drawn: Batch, number: int, rate: float, random: np.random.Generator) -> float:
        """One step of the critics toward what the actions turned out to be worth, and how far off the last one was."""
        now, after = (self.observations.encode(rows[number]) for rows in (drawn.now, drawn.after))
        done = (drawn.actions[number] - self.middle) / self.reach
        aims = drawn.rewards[number] + drawn.discounts[number] * self._following(after, random)
        both, off = np.hstack([now, done]).astype(np.float32), 0.0
        for critic, adam in zip(self.critics, self.adams[1:], strict=True):
            trace = critic.forward(both)
            error = trace[-1] - aims[:, None].astype(np.float32)
            critic.backward(trace, error * np.float32(2 / len(now)))
            adam.step(critic.parameters, critic.gradient, rate)
            off = float(np.abs(error).mean())
        return off

    def _draw_on(self) -> None:
        """Draws the target networks some way after those that learn."""
        for target, net in zip(self.targets, self._nets, strict=True):
            target.parameters += np.float32(self.settings.tau) * (net.parameters - target.parameters)

    def _following(self, after: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """What the targets hold what follows for, shape (rows,)."""
        actor, *critics = self.targets
        best = self._within(actor(after))
        if self.settings.twin:
            blur = np.clip(0.2 * random.standard_normal(best.shape), -0.5, 0.5)
            best = np.clip(best + blur, -1, 1).astype(np.float32)
        both = np.hstack([after, best])
        return np.min([critic(both)[:, 0] for critic in critics], axis=0)

    def _climb(self, now: np.ndarray, lesson: Lesson) -> None:
        """One step of the actor to where its critic holds its actions for more."""
        trace, critic = self.actor.forward(now), self.critics[0]
        made = trace[-1]
        chosen = self._within(made)
        judged = critic.forward(np.hstack([now, chosen]))
        by_inputs = critic.backward(judged, np.full((len(now), 1), -1 / len(now), np.float32), to_inputs=True)
        slope = by_inputs[:, now.shape[1] :]  # type: ignore[index]
        if self.rehearsal is not None:
            # Beside the pull to what was shown, which knows nothing of the size of rewards (Fujimoto and Gu 2021).
            slope = slope * np.float32(_CLIMB / max(float(np.abs(judged[-1]).mean()), 1e-6))
        self.actor.backward(trace, slope * self._room(made, chosen, slope))
        if self.rehearsal is not None:
            self.rehearsal.join(self.actor, self._pull, lesson.random, lesson.progress)
        self.adams[0].step(self.actor.parameters, self.actor.gradient, lesson.rate)

    def _room(self, made: np.ndarray, chosen: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """By how much an output moves where its action should: the slope of `_within`, or what stands in its place."""
        if self.settings.inverting:
            # From beyond an end it moves back, as there the room is less than none.
            return np.where(slope < 0, 1 - made, 1 + made) / 2
        return 1 - chosen * chosen

    def imitate(self, raw: np.ndarray, actions: np.ndarray, rate: float) -> None:
        """One step of the actor along the squared error of its actions, each in units of half its range."""
        self._pull(raw, actions)
        self.adams[0].step(self.actor.parameters, self.actor.gradient, rate)

    def _pull(self, raw: np.ndarray, actions: np.ndarray) -> None:
        """The gradient of the actor away from these actions."""
        trace = self.actor.forward(self.observations.encode(raw))
        chosen = trace[-1] if self.settings.inverting else np.tanh(trace[-1])
        slope = (chosen - (actions - self.middle) / self.reach) * (2 / len(raw))
        slope = slope if self.settings.inverting else slope * (1 - chosen * chosen)
        self.actor.backward(trace, slope.astype(np.float32))

    def relive(self, lived: Lived) -> int:
        return self.replay.fill(lived)

    def appraise(self, lived: Lived, rate: float, random: np.random.Generator) -> int:
        """Updates the critics by what was relived, while the actor stands still."""
        if not len(self.replay):  # fewer than there are environments
            return 0
        own, once = self.settings, (1, self.settings.batch)
        for _ in range(_APPRAISALS):
            self._judge(self.replay.sample(random, once, discount=own.gamma, steps=own.n_step), 0, rate, random)
            self._draw_on()
        return _APPRAISALS

    def policy(self) -> dict[str, np.ndarray]:
        critics = {f"critic-{place}": critic.parameters for place, critic in enumerate(self.critics)}
        return {"actor": self.actor.parameters, **critics}

    def memory(self) -> dict[str, np.ndarray]:
        found: dict[str, np.ndarray] = {"count": self.count}
        for place, (target, adam) in enumerate(zip(self.targets, self.adams, strict=True)):
            found |= {f"target-{place}": target.parameters, f"moments-{place}": adam.moments,
                      f"steps-{place}": adam.count}  # fmt: skip
        return found | {f"replay-{name}": values for name, values in self.replay.arrays().items()}

    def remember(self, memory: dict[str, np.ndarray]) -> None:
        replay = {name.removeprefix("replay-"): values for name, values in memory.items() if name.startswith("replay-")}
        self.replay.restore(replay)
        for name, values in self.memory().items():
            values[...] = memory[name]
