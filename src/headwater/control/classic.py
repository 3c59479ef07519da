"""Gymnasium's classic control, every environment of a kind in one operation: the same numbers, many times faster.

Each motion is that of one class of `gymnasium.envs.classic_control`, with the same order of operations; tests hold them
beside one another, step by step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Final

import numpy as np

_TURN: Final = 2 * np.pi
Moved = tuple[np.ndarray, np.ndarray, np.ndarray]
"""New states, rewards, and whether the episode terminated."""


class Motion(ABC):
    """How the states of many environments of one kind change, shape (envs, numbers of a state)."""

    @abstractmethod
    def start(self, random: np.random.Generator) -> np.ndarray:
        """The first state of an episode."""

    @abstractmethod
    def move(self, states: np.ndarray, actions: np.ndarray, draws: np.ndarray) -> Moved:
        """What follows from states and raw actions, shape (envs, size of an action).

        Args:
            states: where they are.
            actions: what is done.
            draws: a number from 0 to 1 for each environment, where `random` says that chance has a part.
        """

    random = False
    """Whether a step depends on chance."""

    def seen(self, states: np.ndarray) -> np.ndarray:
        """The raw observations of states."""
        return states.astype(np.float32)


class CartPole(Motion):
    """A pole on a cart (Barto, Sutton and Anderson 1983).

    Example:
        >>> pole = CartPole()
        >>> states, rewards, over = pole.move(np.zeros((2, 4)), np.array([[0], [1]]), np.zeros(2))
        >>> states[:, 1].round(3).tolist(), rewards.tolist(), over.tolist()
        ([-0.195, 0.195], [1.0, 1.0], [False, False])
    """

    def start(self, random: np.random.Generator) -> np.ndarray:
        return random.uniform(low=-0.05, high=0.05, size=(4,))

    def move(self, states: np.ndarray, actions: np.ndarray, draws: np.ndarray) -> Moved:
        place, speed, angle, turning = states.T
        cosine, sine = np.cos(angle), np.sin(angle)
        push = (np.where(actions[:, 0] == 1, 10.0, -10.0) + 0.05 * np.square(turning) * sine) / 1.1
        turned = (9.8 * sine - cosine * push) / (0.5 * (4.0 / 3.0 - 0.1 * np.square(cosine) / 1.1))
        pushed = push - 0.05 * turned * cosine / 1.1
        place, angle = place + 0.02 * speed, angle + 0.02 * turning
        after = _beside(place, speed + 0.02 * pushed, angle, turning + 0.02 * turned)
        over = (np.abs(place) > 2.4) | (np.abs(angle) > 12 * _TURN / 360)
        return after, np.ones(len(after), np.float32), over


class MountainCar(Motion):
    """A car too weak for its hill, that has to swing (Moore 1990)."""

    def start(self, random: np.random.Generator) -> np.ndarray:
        return np.array([random.uniform(low=-0.6, high=-0.4), 0])

    def move(self, states: np.ndarray, actions: np.ndarray, draws: np.ndarray) -> Moved:
        place, speed = states.T
        speed = np.clip(speed + ((actions[:, 0] - 1) * 0.001 + np.cos(3 * place) * -0.0025), -0.07, 0.07)
        place = np.clip(place + speed, -1.2, 0.6)
        speed = np.where((place == -1.2) & (speed < 0), 0, speed)
        return _beside(place, speed), np.full(len(place), -1, np.float32), (place >= 0.5) & (speed >= 0)


class Pendulum(Motion):
    """A pendulum that has to be swung up with too little force."""

    def start(self, random: np.random.Generator) -> np.ndarray:
        return random.uniform(low=[-np.pi, -1.0], high=[np.pi, 1.0])

    def move(self, states: np.ndarray, actions: np.ndarray, draws: np.ndarray) -> Moved:
        angle, speed = states.T
        force = np.clip(actions[:, 0], -2.0, 2.0)
        upright = ((angle + np.pi) % _TURN) - np.pi
        costs = upright**2 + 0.1 * speed**2 + 0.001 * force**2
        speed = np.clip(speed + (15.0 * np.sin(angle) + 3.0 * force) * 0.05, -8, 8)
        after = _beside(angle + speed * 0.05, speed)
        return after, (-costs).astype(np.float32), np.zeros(len(after), bool)

    def seen(self, states: np.ndarray) -> np.ndarray:
        angle, speed = states.T
        return _beside(np.cos(angle), np.sin(angle), speed).astype(np.float32)


class Acrobot(Motion):
    """Two links that have to swing up with a force at the joint between them (Sutton 1996)."""

    def start(self, random: np.random.Generator) -> np.ndarray:
        return random.uniform(low=-0.1, high=0.1, size=(4,)).astype(np.float32)

    def move(self, states: np.ndarray, actions: np.ndarray, draws: np.ndarray) -> Moved:
        force, now = actions[:, 0] - 1.0, states.T.astype(np.float64)
        first = _swing(now, force)
        second = _swing(now + 0.1 * first, force)
        third = _swing(now + 0.1 * second, force)
        fourth = _swing(now + 0.2 * third, force)
        after = now + 0.2 / 6.0 * (first + 2 * second + 2 * third + fourth)
        angles = after[:2]
        while (np.abs(angles) > np.pi).any():
            angles[:] = np.where(angles > np.pi, angles - _TURN, np.where(angles < -np.pi, angles + _TURN, angles))
        after[2] = np.clip(after[2], -4 * np.pi, 4 * np.pi)
        after[3] = np.clip(after[3], -9 * np.pi, 9 * np.pi)
        over = -np.cos(after[0]) - np.cos(after[1] + after[0]) > 1.0
        return after.T, np.where(over, 0, -1).astype(np.float32), over

    def seen(self, states: np.ndarray) -> np.ndarray:
        angles, speeds = states[:, :2], states[:, 2:]
        cosines, sines = np.cos(angles), np.sin(angles)
        parts = (cosines[:, 0], sines[:, 0], cosines[:, 1], sines[:, 1], *speeds.T)
        return _beside(*parts).astype(np.float32)


def _swing(now: np.ndarray, force: np.ndarray) -> np.ndarray:
    """The derivatives of both angles and both speeds of an acrobot, shape (4, envs)."""
    upper, lower, faster, bending = now
    cosine, sine = np.cos(lower), np.sin(lower)
    whole = 0.25 + (1.25 + cosine) + 1.0 + 1.0
    joint = 0.25 + 0.5 * cosine + 1.0
    pull = 0.5 * 9.8 * np.cos(upper + lower - np.pi / 2.0)
    weight = (
        -0.5 * bending**2 * sine - bending * faster * sine + 1.5 * 9.8 * np.cos(upper - np.pi / 2) + pull
    )  # fmt: skip
    bent = (force + joint / whole * weight - 0.5 * faster**2 * sine - pull) / (0.25 + 1.0 - joint**2 / whole)
    return np.array((faster, bending, -(joint * bent + weight) / whole, bent))


def _beside(*columns: np.ndarray) -> np.ndarray:
    """Columns as a table: of few rows `np.stack` takes three times as long, and this is done in every step."""
    return np.array(columns).T.copy()


_PLACE: Final = "gymnasium.envs.classic_control"
MOTIONS: Final[Mapping[str, type[Motion]]] = {
    f"{_PLACE}.cartpole:CartPoleEnv": CartPole,
    f"{_PLACE}.mountain_car:MountainCarEnv": MountainCar,
    f"{_PLACE}.pendulum:PendulumEnv": Pendulum,
    f"{_PLACE}.acrobot:AcrobotEnv": Acrobot,
}
"""By the class that Gymnasium makes."""
