"""What a network's outputs mean as a chance of actions: one choice, several choices, or numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Final

import numpy as np

from headwater.control.spaces import Box, Choices, Space

_LOG_TURN: Final = float(np.log(2 * np.pi))


class Chances(ABC):
    """A distribution over actions, told by rows of outputs.

    Attributes:
        width: how many outputs tell it.
        free: how many of them, the last ones, are parameters of their own that no observation moves.
    """

    width: int
    free: int = 0
    reach: ClassVar[tuple[float, float]] = (-np.inf, np.inf)
    """Between what these parameters have a meaning."""

    @abstractmethod
    def draw(self, outputs: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Actions by these chances, shape (rows, size)."""

    @abstractmethod
    def best(self, outputs: np.ndarray) -> np.ndarray:
        """The most probable actions, shape (rows, size)."""

    @abstractmethod
    def log(self, outputs: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """The logarithm of the probability of each action, shape (rows,)."""

    @abstractmethod
    def slopes(self, outputs: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The gradients by the outputs of `log`, and of the entropy, shape (rows, width) each."""

    @abstractmethod
    def raw(self, actions: np.ndarray) -> np.ndarray:
        """The raw actions that an environment takes."""

    @abstractmethod
    def own(self, raw: np.ndarray) -> np.ndarray:
        """The actions of raw ones: what `raw` is undone by."""

    @abstractmethod
    def away(self, outputs: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """The gradient by the outputs of how far they are from actions that are to be imitated, shape (rows, width)."""


class Categories(Chances):
    """One choice, or several that do not depend on one another."""

    def __init__(self, counts: tuple[int, ...]) -> None:
        self.counts, self.width = counts, sum(counts)
        self._ends = np.cumsum(counts)
        self._first = self._ends - np.array(counts)

    def draw(self, outputs: np.ndarray, random: np.random.Generator) -> np.ndarray:
        # The largest of the outputs, each with Gumbel's noise, is drawn by their softmax.
        return self.best(outputs - np.log(random.exponential(size=outputs.shape)))

    def best(self, outputs: np.ndarray) -> np.ndarray:
        return np.stack([part.argmax(axis=1) for part in self._parts(outputs)], axis=1)

    def log(self, outputs: np.ndarray, actions: np.ndarray) -> np.ndarray:
        return np.take_along_axis(self._logs(outputs), actions + self._first, axis=1).sum(axis=1)

    def slopes(self, outputs: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logs = self._logs(outputs)
        shares = np.exp(logs)
        by_log = -shares
        np.put_along_axis(
            by_log, actions + self._first, 1 + np.take_along_axis(by_log, actions + self._first, axis=1), axis=1
        )
        entropies = [np.repeat(part.sum(axis=1, keepdims=True), part.shape[1], axis=1)
                     for part in self._parts(-shares * logs)]  # fmt: skip
        return by_log, -shares * (logs + np.hstack(entropies))

    def raw(self, actions: np.ndarray) -> np.ndarray:
        return actions

    def own(self, raw: np.ndarray) -> np.ndarray:
        return raw

    def away(self, outputs: np.ndarray, actions: np.ndarray) -> np.ndarray:
        return -self.slopes(outputs, actions)[0]

    def _logs(self, outputs: np.ndarray) -> np.ndarray:
        found = []
        for part in self._parts(outputs):
            away = part - part.max(axis=1, keepdims=True)
            found.append(away - np.log(np.exp(away).sum(axis=1, keepdims=True)))
        return np.hstack(found)

    def _parts(self, outputs: np.ndarray) -> list[np.ndarray]:
        return [outputs[:, first:end] for first, end in zip(self._first, self._ends, strict=True)]


class Gaussian(Chances):
    """Numbers, each with a mean that depends on the observation and a spread that does not.

    They are told between -1 and 1, from end to end of what the environment takes; what lies outside is cut off there.
    """

    reach = (-5.0, 2.0)

    def __init__(self, box: Box) -> None:
        low, high = box.ends
        bounded = np.isfinite(low) & np.isfinite(high)
        # Where an end is infinite there is no middle, and nothing to reckon it from.
        least, most = np.where(bounded, low, -1), np.where(bounded, high, 1)
        self._middle = ((least + most) / 2).astype(np.float32)
        self._reach = ((most - least) / 2).astype(np.float32)
        self._low, self._high, self.width, self.free = low, high, 2 * box.size, box.size

    def draw(self, outputs: np.ndarray, random: np.random.Generator) -> np.ndarray:
        mean, spread = self._told(outputs)
        return mean + spread * random.standard_normal(mean.shape).astype(np.float32)

    def best(self, outputs: np.ndarray) -> np.ndarray:
        return self._told(outputs)[0]

    def log(self, outputs: np.ndarray, actions: np.ndarray) -> np.ndarray:
        mean, spread = self._told(outputs)
        return -(0.5 * ((actions - mean) / spread) ** 2 + np.log(spread) + 0.5 * _LOG_TURN).sum(axis=1)

    def slopes(self, outputs: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, spread = self._told(outputs)
        away = (actions - mean) / spread
        return np.hstack([away / spread, away * away - 1]), np.hstack([np.zeros_like(mean), np.ones_like(mean)])

    def raw(self, actions: np.ndarray) -> np.ndarray:
        return np.clip(self._middle + self._reach * actions, self._low, self._high)

    def own(self, raw: np.ndarray) -> np.ndarray:
        return (raw - self._middle) / self._reach

    def away(self, outputs: np.ndarray, actions: np.ndarray) -> np.ndarray:
        # The spread is left as it is: one that fits the demonstrations would try nothing else any more.
        mean, spread = self._told(outputs)
        return np.hstack([2 * (mean - actions), np.zeros_like(spread)])

    def _told(self, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return outputs[:, : self.free], np.exp(np.clip(outputs[:, self.free :], *self.reach))


def chances_of(actions: Space) -> Chances:
    """The distribution that fits some actions.

    Example:
        >>> chances_of(Choices((2, 3))).width, chances_of(Box((2,), (0.0,), (1.0,))).width
        (5, 4)
    """
    if isinstance(actions, Box):
        return Gaussian(actions)
    return Categories(actions.counts if isinstance(actions, Choices) else (actions.width,))
