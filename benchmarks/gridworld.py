"""A gridworld that is seen as pixels: walls, an agent and a goal, drawn anew in 64 by 64 pixels after every step."""

from __future__ import annotations

from collections import deque
from functools import cache
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium import spaces

PLAN: Final = (
    "....",
    ".#..",
    "..#.",
    "....",
)  # fmt: skip
"""Where walls are."""
CELL, EDGE, MARGIN = 15, 64, 2
LONGEST: Final = 30
STEP: Final = 0.02
"""What a step costs; to reach the goal is worth 1."""
MOVES: Final = ((-1, 0), (0, 1), (1, 0), (0, -1))
_FLOOR, _WALL, _AGENT, _GOAL = (24, 24, 32), (120, 110, 100), (230, 90, 60), (70, 200, 110)


class Gridworld(gymnasium.Env[Any, Any]):
    """An agent that is to go to a goal, both at random places; walls stand where they always stand.

    What it observes is a picture, and what it does one of four moves.
    """

    observation_space: Any = spaces.Box(0, 255, (EDGE, EDGE, 3), np.uint8)
    action_space: Any = spaces.Discrete(len(MOVES))

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.count = 0
        free = cells()
        self.place, self.goal = (free[one] for one in self.np_random.choice(len(free), 2, replace=False))
        return self.seen(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.count += 1
        self.place = moved(self.place, int(action))
        over = self.place == self.goal
        return self.seen(), float(over) - STEP, over, self.count == LONGEST, {}

    def seen(self) -> np.ndarray:
        """The picture, uint8 of shape (64, 64, 3)."""
        found = background().copy()
        cell(found, self.goal)[3:-3, 3:-3] = _GOAL
        cell(found, self.place)[DISC] = _AGENT
        return found


DISC: Final = np.hypot(*np.mgrid[-7:8, -7:8]) < 5.5


def cell(picture: np.ndarray, place: tuple[int, int]) -> np.ndarray:
    """The part of a picture that shows a place, to be changed in it."""
    row, column = (MARGIN + CELL * one for one in place)
    return picture[row : row + CELL, column : column + CELL]


@cache
def background() -> np.ndarray:
    """The picture of the walls alone."""
    found = np.full((EDGE, EDGE, 3), _WALL, np.uint8)
    for place in cells():
        cell(found, place)[:] = _FLOOR
    return found


@cache
def cells() -> list[tuple[int, int]]:
    """All places that are no wall."""
    return [(row, column) for row, line in enumerate(PLAN) for column, cell in enumerate(line) if cell != "#"]


def moved(place: tuple[int, int], action: int) -> tuple[int, int]:
    """Where a move leads: nowhere, if a wall or an edge is in the way."""
    there = place[0] + MOVES[action][0], place[1] + MOVES[action][1]
    return there if there in cells() else place


def distances(goal: tuple[int, int]) -> dict[tuple[int, int], int]:
    """The fewest moves from every place to a goal, by breadth-first search."""
    found, waiting = {goal: 0}, deque([goal])
    while waiting:
        place = waiting.popleft()
        for action in range(len(MOVES)):
            before = moved(place, action)
            if before not in found:
                found[before] = found[place] + 1
                waiting.append(before)
    return found


def optimum() -> float:
    """The mean return of the shortest ways, over all pairs of places."""
    returns = [1 - STEP * moves for goal in cells() for place, moves in distances(goal).items() if place != goal]
    return float(np.mean(returns))
