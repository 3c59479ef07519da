"""Several environments side by side in one process, whose episodes end and begin without a step of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from headwater.control.guard import Guard, observed, rewarded, stepped
from headwater.control.world import World

_SEEDS: Final = 2**31 - 1


@dataclass(frozen=True)
class Step:
    """What followed from one action in each environment.

    Attributes:
        after: the raw observation that followed, shape (envs, size); at the end of an episode its last, never the
            first of the next one.
        rewards: float32 of shape (envs,).
        terminated: whether the episode has come to its end, so that nothing follows that is worth anything.
        ended: the same, or it was cut off (truncated), when what would have followed is still worth something.
    """

    after: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    ended: np.ndarray


class Worlds:
    """So many environments, each in its own episode.

    Where an episode ends, the next one begins within the same step: `now` is its first observation, and the `Step`
    still has the last of the old one. Gymnasium's vector environments leave it to their autoreset mode which of the
    two is given, and some spend a step in which the action counts for nothing; here an algorithm never meets that.

    Attributes:
        now: the raw observations on which to act, shape (envs, size).
        finished: return and length of every episode that ended since the list was emptied.

    Args:
        world: what to make.
        count: how many.
        seeds: decides what chance does in them.
        render_mode: how they show themselves.
    """

    def __init__(
        self, world: World, count: int, seeds: Sequence[int], *, render_mode: str | None = None
    ) -> None:  # fmt: skip
        self.world, self.count = world, count
        self._limit = world.limit
        self._envs: list[Any] = [world.make(render_mode) for _ in range(count)]
        self._stepping, self._resetting = Guard(world.name, "step"), Guard(world.name, "reset")
        self._returns, self._lengths = np.zeros(count), np.zeros(count, dtype=np.int64)
        self.finished: list[tuple[float, int]] = []
        chance = np.random.default_rng(seeds).integers(0, _SEEDS, count).tolist()
        self.now = np.stack([self.reset(place, seed) for place, seed in enumerate(chance)])

    def reset(self, place: int, seed: int | None = None) -> np.ndarray:
        """Begins a new episode in one environment: its first raw observation, shape (size,)."""
        with self._resetting:
            given = self._envs[place].reset(seed=seed)
            value = given[0]
        self._returns[place], self._lengths[place] = 0.0, 0
        return observed(value, self.world.observations, self.world.name)

    def step(self, actions: np.ndarray) -> Step:
        """Does one raw action in each environment, shape (envs, size of an action).

        Raises:
            DataError: an environment breaks down, or gives what it must not.
        """
        now = np.empty_like(self.now)
        after, rewards = np.empty_like(self.now), np.empty(self.count, dtype=np.float32)
        terminated, ended = np.zeros(self.count, dtype=bool), np.zeros(self.count, dtype=bool)
        for place in range(self.count):
            after[place], rewards[place], terminated[place], ended[place] = self.move(place, actions[place])
            now[place] = self.reset(place) if ended[place] else after[place]
        self.now = now
        return Step(after, rewards, terminated, ended)

    def move(self, place: int, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool]:
        """Does an action in one environment, and leaves its episode ended where it ends.

        Returns:
            The raw observation that followed, the reward, whether the episode terminated, and whether it ended.
        """
        name = self.world.name
        with self._stepping:
            answer = self._envs[place].step(self.world.actions.value(action))
        value, reward, terminated, truncated = stepped(answer, name)
        found = rewarded(reward, name)
        self._returns[place] += found
        self._lengths[place] += 1
        ended = terminated or truncated or bool(self._lengths[place] >= self._limit)
        if ended:
            self.finished.append((float(self._returns[place]), int(self._lengths[place])))
        return observed(value, self.world.observations, name), found, terminated, ended

    def frame(self, place: int = 0) -> np.ndarray | None:
        """What one environment shows of itself, uint8 of shape (height, width, 3); None where it shows nothing."""
        with Guard(self.world.name, "render"):
            found = self._envs[place].render()
        return np.asarray(found, dtype=np.uint8) if found is not None and np.ndim(found) == 3 else None

    def close(self) -> None:
        """Lets the environments go."""
        for env in self._envs:
            with Guard(self.world.name, "close"):
                env.close()
