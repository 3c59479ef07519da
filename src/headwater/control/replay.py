"""What was lived through, to learn from more than once: experience replay (Lin 1992; Mnih et al. 2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from headwater.control.worlds import Step
from headwater.errors import ResourceError

MOST_BYTES: Final = 8 << 30
_LIVED: Final = ("now", "after", "actions", "rewards", "terminated", "ended")
_ARRAYS: Final = (*_LIVED, "twice")


@dataclass(frozen=True)
class Batch:
    """Some transitions, possibly over several steps.

    Attributes:
        now, after: raw observations before and behind it, shape (..., size).
        actions: raw actions, shape (..., size of an action).
        rewards: the discounted sum of the rewards of its steps.
        discounts: what is left of the worth of `after`: the discount to the power of its steps, 0 where the episode
            terminated. One that was cut off keeps its worth.
    """

    now: np.ndarray
    after: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    discounts: np.ndarray


@dataclass(frozen=True)
class Lived:
    """Transitions that somebody else lived through, in their order.

    Attributes:
        now, after: raw observations before and behind each, shape (rows, size).
        actions: raw actions, shape (rows, size of an action).
        rewards, terminated: of each, shape (rows,).
        ended: whether the next row does not follow from it.
    """

    now: np.ndarray
    after: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    ended: np.ndarray


class Replay:
    """A ring of the latest steps of several environments.

    Args:
        capacity: how many transitions are kept, of all environments together.
        count: how many environments.
        size, dtype: of a raw observation.
        action: size and type of a raw action.

    Raises:
        ResourceError: so many of so large observations do not fit into memory.
    """

    def __init__(
        self, capacity: int, count: int, size: int, dtype: np.dtype[Any], action: tuple[int, np.dtype[Any]]
    ) -> None:
        rows = max(1, capacity // count)
        needed = 2 * rows * count * size * dtype.itemsize
        if needed > MOST_BYTES:
            raise ResourceError(
                "The memory of what was lived through would be too large", where="--set buffer", got=capacity,
                accepted=f"at most {MOST_BYTES // (2 * size * dtype.itemsize):,} of observations of {size:,} numbers",
                fix="Give a smaller buffer, or smaller observations.",
            )  # fmt: skip
        self.rows, self.count = rows, count
        self.now = np.zeros((rows, count, size), dtype)
        # Not `zeros_like`, which would write the zeros: memory is taken as the ring is filled.
        self.after = np.zeros(self.now.shape, dtype)
        self.actions = np.zeros((rows, count, action[0]), action[1])
        self.rewards = np.zeros((rows, count), np.float32)
        self.terminated, self.ended = np.zeros((rows, count), bool), np.zeros((rows, count), bool)
        self.twice = np.zeros((rows, count), bool)
        self.place = np.zeros(2, dtype=np.int64)
        """Where the next row goes, and how many rows are filled."""

    def __len__(self) -> int:
        return int(self.place[1]) * self.count

    def add(self, now: np.ndarray, actions: np.ndarray, step: Step) -> None:
        """Keeps a step of all environments, in the place of the oldest where the ring is full."""
        row = int(self.place[0])
        self.now[row], self.after[row], self.actions[row] = now, step.after, actions
        self.rewards[row], self.terminated[row], self.ended[row] = step.rewards, step.terminated, step.ended
        self.twice[row] = False if step.idle is None else step.idle
        if step.idle is not None and step.idle.any():
            # There is nothing to learn from where an episode only began: in its place stands the one before it, which
            # has ended and leads no further, and is drawn from its own place alone.
            for name in _LIVED:
                getattr(self, name)[row, step.idle] = getattr(self, name)[row - 1, step.idle]
        self.place[:] = (row + 1) % self.rows, min(self.place[1] + 1, self.rows)

    def cut(self) -> None:
        """Ends the running episodes here: what comes next does not follow from them."""
        self.ended[int(self.place[0]) - 1] = True

    def fill(self, lived: Lived) -> int:
        """Keeps transitions of somebody else, in equal parts as if each environment had given one, and tells how many.

        Of more than there is room for the last are kept.
        """
        each = min(len(lived.rewards) // self.count, self.rows)
        first = len(lived.rewards) - each * self.count
        parts = {name: getattr(lived, name)[first:].reshape(self.count, each, *getattr(lived, name).shape[1:])
                 for name in _LIVED}  # fmt: skip
        for row in range(each):
            one = {name: values[:, row] for name, values in parts.items()}
            self.add(one["now"], one["actions"],
                     Step(one["after"], one["rewards"], one["terminated"], one["ended"]))  # fmt: skip
        if each:
            self.cut()
        return each * self.count

    def sample(
        self, random: np.random.Generator, shape: tuple[int, ...], *, discount: float, steps: int = 1
    ) -> Batch:  # fmt: skip
        """Transitions drawn with replacement, each over `steps` steps or up to the end of its episode.

        Args:
            random: draws them.
            shape: how many, such as (updates, batch).
            discount: what a step later is worth.
            steps: over how many steps rewards are summed before what follows is estimated.
        """
        first = int(self.place[0]) if self.place[1] == self.rows else 0
        age = random.integers(0, int(self.place[1]), shape)
        env = random.integers(0, self.count, shape)
        again = self.twice[(first + age) % self.rows, env]
        while again.any():
            age[again] = random.integers(0, int(self.place[1]), int(again.sum()))
            again = self.twice[(first + age) % self.rows, env]
        row = last = (first + age) % self.rows
        rewards, worth = self.rewards[row, env].copy(), np.full(shape, discount, dtype=np.float32)
        for _ in range(steps - 1):
            # A row that is the newest has nothing behind it, and what follows is estimated from there.
            age = age + 1
            goes_on = ~self.ended[last, env] & (age < self.place[1])
            last = np.where(goes_on, (first + age) % self.rows, last)
            age = np.where(goes_on, age, self.place[1])
            rewards += np.where(goes_on, worth * self.rewards[last, env], 0)
            worth = np.where(goes_on, worth * np.float32(discount), worth)
        discounts = worth * ~self.terminated[last, env]
        return Batch(self.now[row, env], self.after[last, env], self.actions[row, env], rewards, discounts)

    def arrays(self) -> dict[str, np.ndarray]:
        """All that is filled, by name."""
        rows = int(self.place[1])
        return {"place": self.place, **{name: getattr(self, name)[:rows] for name in _ARRAYS}}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Takes back what `arrays` gave."""
        self.place[:] = arrays["place"]
        for name in _ARRAYS:
            getattr(self, name)[: int(self.place[1])] = arrays[name]
