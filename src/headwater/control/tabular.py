"""Environments that are a table of what may follow from what (Gymnasium's toy text), all in one operation."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from headwater.control.classic import Motion, Moved

_PLACE: Final = "gymnasium.envs.toy_text"
TABULAR: Final = (
    f"{_PLACE}.frozen_lake:FrozenLakeEnv", f"{_PLACE}.cliffwalking:CliffWalkingEnv", f"{_PLACE}.taxi:TaxiEnv",
)  # fmt: skip
"""Classes of Gymnasium that do what their table says, and nothing else."""


class Tabular(Motion):
    """States and actions that are numbered, each with what may follow and how probable that is.

    Args:
        table: by state and action a list of probability, next state, reward, and whether the episode terminates.
        first: the probability of each state to be the first.

    Example:
        >>> table = Tabular({0: {0: [(1.0, 1, 5.0, True)]}, 1: {0: [(1.0, 1, 0.0, True)]}}, np.array([1.0, 0.0]))
        >>> states, rewards, over = table.move(np.array([[0]]), np.array([[0]]), np.array([0.5]))
        >>> states.tolist(), rewards.tolist(), over.tolist()
        ([[1]], [5.0], [True])
    """

    random = True

    def __init__(self, table: dict[int, dict[int, list[tuple[float, int, float, bool]]]], first: np.ndarray) -> None:
        rows = [table[state][action] for state in range(len(table)) for action in range(len(table[state]))]
        shape = len(table), len(table[0]), max(map(len, rows))
        # What does not exist has a sum that no draw is below.
        self._sums, self._rewards = np.full(shape, -1.0), np.zeros(shape, np.float32)
        self._after, self._over = np.zeros(shape, np.int64), np.zeros(shape, bool)
        flat = [array.reshape(len(rows), -1) for array in (self._sums, self._after, self._rewards, self._over)]
        for place, row in enumerate(rows):
            chances, *rest = zip(*row, strict=True)
            for array, values in zip(flat, (np.cumsum(chances), *rest), strict=True):
                array[place, : len(row)] = values
        self._first = np.cumsum(first)

    def start(self, random: np.random.Generator) -> np.ndarray:
        return np.array([np.argmax(self._first > random.random())])

    def move(self, states: np.ndarray, actions: np.ndarray, draws: np.ndarray) -> Moved:
        state, action = states[:, 0], actions[:, 0]
        drawn = (self._sums[state, action] > draws[:, None]).argmax(axis=1)
        after, rewards, over = (part[state, action, drawn] for part in (self._after, self._rewards, self._over))
        return after[:, None], rewards, over

    def seen(self, states: np.ndarray) -> np.ndarray:
        return states


def tabular_of(env: Any) -> Tabular | None:
    """The table of an environment of one of the classes in `TABULAR`; None where it does more than its table says."""
    if getattr(env, "fickle_passenger", False):
        return None
    return Tabular(env.P, env.initial_state_distrib)
