"""Doing the best known action, or with a falling probability any: epsilon-greedy exploration."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from headwater.control.lesson import Lesson
from headwater.control.spaces import Space


class Greedy:
    """Chooses actions for one lesson, so that nothing of it is carried over a stop.

    Args:
        actions: what can be done.
        lesson: in which.
        end: the probability of any action once it has fallen; it falls from 1.
        until: the share of the training in which it falls.
        persistence: for how many steps at most such an action is kept up (Dabney et al. 2021).
    """

    def __init__(self, actions: Space, lesson: Lesson, end: float, until: float, persistence: int = 1) -> None:
        self._actions, self._lesson, self._end, self._until = actions, lesson, end, until
        self._persistence, count = persistence, lesson.worlds.count
        self._kept, self._left = np.zeros((count, 1), actions.dtype), np.zeros(count, np.int64)

    @property
    def chance(self) -> float:
        """The probability of any action now."""
        share = min(1.0, self._lesson.progress / self._until) if self._until else 1.0
        return 1.0 + share * (self._end - 1.0)

    def choose(self, best: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """The raw actions for what is observed now, shape (envs, 1); `best` is asked where the best one is done."""
        random, now = self._lesson.random, self._lesson.now
        anyhow = random.random(len(now)) < self.chance
        actions = self._actions.sample(random, len(now))
        if self._persistence > 1:
            anyhow = self._persist(anyhow, actions)
        if not anyhow.all():
            actions[~anyhow] = best(now[~anyhow])
        return actions

    def over(self, ended: np.ndarray) -> None:
        """Keeps up nothing beyond the end of an episode."""
        self._left[ended] = 0

    def _persist(self, anyhow: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Puts what is kept up among the actions drawn, and tells where one of the two is to be done."""
        going = self._left > 0
        actions[going] = self._kept[going]
        fresh = anyhow & ~going
        self._kept[fresh] = actions[fresh]
        self._left[fresh] = np.minimum(self._lesson.random.zipf(2.0, int(fresh.sum())), self._persistence)
        self._left[self._left > 0] -= 1
        return going | fresh
