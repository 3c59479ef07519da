"""A part of a training: so many steps in environments that begin anew, which is what lets a stopped run go on exactly.

An environment cannot be written down in the middle of an episode. So a training is cut into lessons, each with
environments and chances of its own, all from the seed and the number of the lesson: whoever begins a lesson with what
the one before left lives through the same, whether or not there was a stop between.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from headwater.control.worlds import Step, Worlds


@dataclass
class Lesson:
    """The steps of one part of a training.

    Attributes:
        worlds: the environments.
        random: every chance that is the agent's own.
        rate: the learning rate.
        done: steps done of the whole training, of all environments together.
        end: when this part is over.
        total: how many steps the whole training has.
        bar: shows progress.
        returns, lengths: of the latest episodes.
        notes: what the agent wants to be seen of its learning, by name; the latest value of each.
    """

    worlds: Worlds
    random: np.random.Generator
    rate: float
    done: int
    end: int
    total: int
    bar: Any
    returns: deque[float] = field(default_factory=lambda: deque(maxlen=100))
    lengths: deque[int] = field(default_factory=lambda: deque(maxlen=100))
    notes: dict[str, float] = field(default_factory=dict)

    @property
    def left(self) -> bool:
        """Whether there is a step to do."""
        return self.done < self.end

    @property
    def progress(self) -> float:
        """The share of the whole training that is done."""
        return self.done / self.total

    @property
    def now(self) -> np.ndarray:
        """The raw observations on which to act."""
        return self.worlds.now

    def step(self, actions: np.ndarray) -> Step:
        """Does one raw action in each environment."""
        found = self.worlds.step(actions)
        self.done += self.worlds.count
        if self.worlds.finished:
            for worth, length in self.worlds.finished:
                self.returns.append(worth)
                self.lengths.append(length)
            self.worlds.finished.clear()
            shown = {"return": float(np.mean(self.returns)), "length": float(np.mean(self.lengths))}
            self.bar.advance(self.done - self.bar.done, **shown)
        return found
