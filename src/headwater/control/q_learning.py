"""Q-learning: a table of what every action is worth in every state (Watkins 1989; Watkins and Dayan 1992)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

import numpy as np

from headwater.control.agent import Agent, refuse_actions
from headwater.control.exploring import Greedy
from headwater.control.lesson import Lesson
from headwater.control.spaces import Box, Choices, Discrete
from headwater.errors import DataError, ResourceError
from headwater.options import Between
from headwater.ranges import Search

_MOST_CELLS: Final = 50_000_000
_LEAST_NEAR: Final = 1e-3
"""Without discount every entry would keep its first rate for ever, and never come to rest."""
_LIFT: Final = 1e-6
"""More than what tells untried entries apart, and less than any reward."""


@dataclass(frozen=True, kw_only=True)
class QLearningSettings:
    """What tabular Q-learning may be told."""

    section: ClassVar[str] = "Q-learning"

    gamma: Annotated[float, Between(0, 1), "What a reward a step later is worth."] = 0.99
    bins: Annotated[
        int, Between(0, 1000), "Cells into which each number of a box is divided; 0 refuses boxes, which have no table."
    ] = 0
    decay: Annotated[
        float, Between(0, 1), Search(0.5, 1.0),
        "How fast the learning rate of an entry falls: it is 1 + (1 - gamma, or 0.001 where that is less) times its "
        "visits, to this negative power. 0 keeps it as it is.",
    ] = 1.0  # fmt: skip
    exploring: Annotated[float, Between(0, 1), "The share of the steps in which exploration falls to its end."] = 0.5
    exploration_end: Annotated[float, Between(0, 1), "The share of random actions from then on."] = 0.05
    persistence: Annotated[
        int, Between(1, 10_000), "For how many steps at most a random action is kept up; 1 draws every step anew."
    ] = 1
    initial: Annotated[float, "What an action that was never done is held for: high, so that everything is tried."] = (
        0.0
    )


class QLearning(Agent):
    """Names the action that its table holds for the most valuable in a state.

    After each step the entry of the action done moves toward the reward and what the table holds for the best that can
    follow, the less the oftener it has been moved. Several environments fill one table.

    Example:
        >>> agent = QLearning(None, Discrete(16), Discrete(4))
        >>> agent.act(np.array([[3]])).shape, agent.table.shape
        ((1, 1), (16, 4))
    """

    Settings = QLearningSettings
    steps = 500_000
    envs = 64
    learning_rate = 1.0

    def check(self) -> None:
        if not isinstance(self.actions, Discrete):
            refuse_actions("q-learning", self.actions, "a closed list of actions (Discrete)", "actor-critic")
        space = self.observations
        most = self._most_bins()
        if not isinstance(space, Discrete | Choices | Box) or (isinstance(space, Box) and not self.settings.bins):
            raise DataError(
                "A table has no row for observations like these", got=str(space), accepted="Discrete or MultiDiscrete",
                fix=f"Take --model dqn{', or divide each number into cells, such as with --set bins=' * bool(most)}"
                    f"{most or ''}.",
            )  # fmt: skip

    def build(self, random: np.random.Generator) -> None:
        # The cells of a picture are more than any number of the machine can count, but for their digits.
        digits = sum(map(math.log10, (*self._counts(), self.actions.width)))
        if digits > math.log10(_MOST_CELLS):
            most, where = self._most_bins(), "--set bins" if isinstance(self.observations, Box) else None
            raise ResourceError(
                "The table would be too large", where=where, got=f"about 10^{digits:.0f} entries",
                accepted=f"at most {_MOST_CELLS:,}",
                fix=f"Give {most} bins or fewer, or take --model dqn." if most else "Take --model dqn.",
            )  # fmt: skip
        # Of entries that are equal none may be the one that is always taken.
        shape = math.prod(self._counts()), self.actions.width
        self.table = self.settings.initial + 1e-9 * random.random(shape)

    def begin(self, envs: int) -> None:
        self.visits = np.zeros(self.table.shape, dtype=np.int64)

    def act(self, raw: np.ndarray, random: np.random.Generator | None = None) -> np.ndarray:
        return self.table[self.states(raw)].argmax(axis=1)[:, None]

    def learn(self, lesson: Lesson) -> None:
        own = self.settings
        greedy = Greedy(self.actions, lesson, own.exploration_end, own.exploring, own.persistence)
        near = max(1 - own.gamma, _LEAST_NEAR)
        while lesson.left:
            states, actions = self.states(lesson.now), greedy.choose(self.act)
            step = lesson.step(actions)
            greedy.over(step.ended)
            worth = np.where(step.terminated, 0.0, self.table[self.states(step.after)].max(axis=1))
            aims = step.rewards + own.gamma * worth
            rows = slice(None) if step.idle is None else ~step.idle
            for state, action, aim in zip(
                *(part[rows].tolist() for part in (states, actions[:, 0], aims)), strict=True
            ):
                # An entry hears of what follows it only through others, a horizon of 1 / (1 - gamma) steps away, so
                # its rate stays up for as many visits (the rescaled rates of Wainwright 2019).
                rate = lesson.rate * (1 + near * float(self.visits[state, action])) ** -own.decay
                self.visits[state, action] += 1
                self.table[state, action] += rate * (aim - self.table[state, action])

    def imitate(self, raw: np.ndarray, actions: np.ndarray, rate: float) -> None:
        """Lifts what was done oftenest in a state just above all else there, so that it is what is tried first."""
        states = self.states(raw)
        np.add.at(self.visits, (states, actions[:, 0]), 1)
        seen = np.unique(states)
        oftenest = self.visits[seen].argmax(axis=1)
        lacks = self.table[seen].argmax(axis=1) != oftenest
        self.table[seen[lacks], oftenest[lacks]] = self.table[seen[lacks]].max(axis=1) + _LIFT

    def states(self, raw: np.ndarray) -> np.ndarray:
        """The row of the table for each observation, shape (rows,)."""
        space = self.observations
        if isinstance(space, Discrete):
            return raw[:, 0]
        return np.ravel_multi_index(tuple(self._cells(raw).T), self._counts())

    def _counts(self) -> tuple[int, ...]:
        """How many values each number of an observation can have in the table."""
        space = self.observations
        if isinstance(space, Discrete):
            return (space.n,)
        return space.counts if isinstance(space, Choices) else (self.settings.bins,) * space.size

    def _most_bins(self) -> int:
        """The most cells for each number of a box that make no more than 10, nor too large a table; 0 without any."""
        space, rows = self.observations, _MOST_CELLS / self.actions.width
        fits = [
            bins for bins in range(2, 11) if isinstance(space, Box) and space.size * math.log(bins) <= math.log(rows)
        ]
        return max(fits, default=0)

    def _cells(self, raw: np.ndarray) -> np.ndarray:
        space, bins = self.observations, self.settings.bins
        if not isinstance(space, Box):
            return raw
        low, high = space.ends
        # A side without an end is divided where most values of a standard normal lie.
        low, high = np.where(np.abs(low) < 1e6, low, -3.0), np.where(np.abs(high) < 1e6, high, 3.0)
        return np.clip((raw - low) / (high - low) * bins, 0, bins - 1).astype(np.int64)

    def policy(self) -> dict[str, np.ndarray]:
        return {"table": self.table}

    def memory(self) -> dict[str, np.ndarray]:
        return {"visits": self.visits}

    def remember(self, memory: dict[str, np.ndarray]) -> None:
        self.visits[:] = memory["visits"]
