"""Worlds in which an episode takes a few steps, and what is right can be seen."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

STEP, LONGEST = 0.5, 20


class Corridor(gymnasium.Env[Any, Any]):
    """A place between -1 and 1, and the end that is wanted: reaching it is worth 1, and the other end nothing.

    The goal is told beside the place. Of two actions, 0 goes down and 1 goes up.
    """

    observation_space = spaces.Box(-2.0, 2.0, (2,), np.float32)
    action_space: Any = spaces.Discrete(2)
    shift = 0.0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.count = 0
        self.place, self.goal = float(self.np_random.uniform(-0.9, 0.9)), float(self.np_random.choice((-1.0, 1.0)))
        return self._seen(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.place += STEP * self.direction(action)
        over = abs(self.place) >= 1
        self.count += 1
        return self._seen(), float(over and self.place * self.goal > 0), over, self.count == LONGEST, {}

    def direction(self, action: Any) -> float:
        return 2.0 * int(action) - 1.0

    def _seen(self) -> np.ndarray:
        return np.array([np.clip(self.place, -1, 1) + self.shift, self.goal], np.float32)


class Elsewhere(Corridor):
    """The same, seen from another place."""

    shift = 0.9


class Slope(Corridor):
    """The same, with how far to go as the action."""

    action_space: Any = spaces.Box(-1.0, 1.0, (1,), np.float32)

    def direction(self, action: Any) -> float:
        return float(np.clip(action[0], -1, 1))
