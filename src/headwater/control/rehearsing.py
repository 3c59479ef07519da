"""Demonstrations that are still imitated while an agent learns for itself, the less the further it has come.

An agent that only begins by imitation soon does other things: what it learns from first is wrong about everything that
nobody showed. Its gradient therefore keeps a part that pulls it to what was shown (Hester et al. 2018; Rajeswaran et
al. 2018), which has faded halfway through the training, so that it may become better than its teacher.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from headwater.control.demonstrations import Demonstrations
from headwater.control.networks import Network

FADED: Final = 0.5
"""The share of a training after which nothing pulls to the demonstrations any more."""
_BATCH: Final = 64


class Rehearsal:
    """Draws rows that were shown, and adds the gradient of imitating them.

    Args:
        shown: what somebody did.
        see: what an agent makes of raw observations that it does not learn from as they are.

    Example:
        >>> rows = np.zeros((5, 1), np.float32)
        >>> rehearsal = Rehearsal(Demonstrations(rows, rows, np.arange(5), None, []))
        >>> rehearsal.weight(0.0), rehearsal.weight(0.25), rehearsal.weight(0.9)
        (1.0, 0.5, 0.0)
    """

    def __init__(self, shown: Demonstrations, see: Callable[[np.ndarray], np.ndarray] | None = None) -> None:
        self._now, self._actions, self._see, self._shown = shown.now, shown.actions, see, shown

    def through(self, see: Callable[[np.ndarray], np.ndarray]) -> Rehearsal:
        """The same for an agent that observes what `see` gives."""
        return Rehearsal(self._shown, see)

    def weight(self, progress: float) -> float:
        """What the gradient of imitation is multiplied by where such a share of the training is done."""
        return max(0.0, 1 - progress / FADED)

    def draw(self, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Raw observations and raw actions of some rows."""
        rows = random.integers(0, len(self._now), _BATCH)
        now = self._now[rows]
        return now if self._see is None else self._see(now), self._actions[rows]

    def join(
        self, network: Network, pull: Callable[[np.ndarray, np.ndarray], None], random: np.random.Generator,
        progress: float,
    ) -> None:  # fmt: skip
        """Adds to the gradient of a network.

        Args:
            network: that has one of its own.
            pull: puts the gradient of imitating raw observations and raw actions in its place.
            random: draws the rows.
            progress: the share of the training that is done.
        """
        weight = self.weight(progress)
        if weight:
            own = network.gradient.copy()
            pull(*self.draw(random))
            network.gradient *= np.float32(weight)
            network.gradient += own
