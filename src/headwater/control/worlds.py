"""Several environments side by side in one process, whose episodes end and begin without a step of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from headwater.control.stepping import Places, Stepping, stepping_of
from headwater.control.vectors import Vectors
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
        idle: where the action counted for nothing and there is nothing to learn from, as a vector environment spent the
            step on beginning an episode; None where there is no such place.
    """

    after: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    ended: np.ndarray
    idle: np.ndarray | None = None


class Worlds:
    """So many environments, each in its own episode.

    Where an episode ends, the next one begins within the same step: `now` is its first observation, and the `Step`
    still has the last of the old one. Gymnasium's vector environments leave it to their autoreset mode which of the
    two is given, and some spend a step in which the action counts for nothing; here an algorithm meets that only as
    `idle`.

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
        self._limit, self._all = world.limit, np.arange(count)
        self._stepping: Stepping = (
            Vectors(world, count, render_mode) if world.vector else stepping_of(world, count, render_mode)
        )
        self._returns, self._lengths = np.zeros(count), np.zeros(count, dtype=np.int64)
        self.finished: list[tuple[float, int]] = []
        chance = np.random.default_rng(seeds).integers(0, _SEEDS, count).tolist()
        self.now = self.begin(self._all, chance)

    def begin(self, places: Places, seeds: Sequence[int | None] | None = None) -> np.ndarray:
        """Begins a new episode in some environments: their first raw observations, shape (places, size)."""
        found = self._stepping.begin(places, seeds or [None] * len(places))
        self._returns[places], self._lengths[places] = 0.0, 0
        return found

    def reset(self, place: int, seed: int | None = None) -> np.ndarray:
        """Begins a new episode in one environment: its first raw observation, shape (size,)."""
        return self.begin([place], [seed])[0]

    def step(self, actions: np.ndarray) -> Step:
        """Does one raw action in each environment, shape (envs, size of an action).

        Raises:
            DataError: an environment breaks down, or gives what it must not.
        """
        found = self.moves(self._all, actions)
        self.now = found.after
        if found.ended.any():
            places = np.flatnonzero(found.ended)
            self.now = found.after.copy()
            self.now[places] = self.begin(places)
        return found

    def moves(self, places: Places, actions: np.ndarray) -> Step:
        """Does an action in some environments, and leaves their episodes ended where they end."""
        after, rewards, terminated, truncated = self._stepping.step(places, actions)
        idle = self._stepping.idle
        self._returns[places] += rewards
        self._lengths[places] += 1 if idle is None else ~idle
        ended = terminated | truncated | (self._lengths[places] >= self._limit)
        if ended.any():
            for place in np.asarray(places)[ended].tolist():
                self.finished.append((float(self._returns[place]), int(self._lengths[place])))
        return Step(after, rewards, terminated, ended, idle)

    def move(self, place: int, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool]:
        """Does an action in one environment, and leaves its episode ended where it ends.

        Returns:
            The raw observation that followed, the reward, whether the episode terminated, and whether it ended.
        """
        found = self.moves([place], action[None])
        return found.after[0], float(found.rewards[0]), bool(found.terminated[0]), bool(found.ended[0])

    def frame(self, place: int = 0) -> np.ndarray | None:
        """What one environment shows of itself, uint8 of shape (height, width, 3); None where it shows nothing."""
        found = self._stepping.frame(place)
        return np.asarray(found, dtype=np.uint8) if found is not None and np.ndim(found) == 3 else None

    def close(self) -> None:
        """Lets the environments go."""
        self._stepping.close()
