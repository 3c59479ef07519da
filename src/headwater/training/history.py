"""What a training can tell of itself afterwards."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Epoch:
    """One pass over the training rows.

    Attributes:
        epoch: counted from 1.
        step: optimiser steps since the training began.
        loss: the mean loss of the epoch's rows, while they were learned.
        score: the validation score after it; higher is better.
        learning_rate: the learning rate of its last step.
        seconds: its duration, scoring included.
    """

    epoch: int
    step: int
    loss: float
    score: float
    learning_rate: float
    seconds: float


@dataclass
class History:
    """The epochs of a training, the best of them, and why no more followed.

    Example:
        >>> history = History()
        >>> history.add(Epoch(epoch=1, step=9, loss=0.7, score=0.5, learning_rate=1e-3, seconds=2.0))
        True
        >>> history.best_epoch, history.best_score
        (1, 0.5)
    """

    epochs: list[Epoch] = field(default_factory=list)
    best_epoch: int = 0
    best_score: float = -math.inf
    stopped: str = ""

    def add(self, epoch: Epoch) -> bool:
        """Appends an epoch and says whether it is the best so far; the first is, whatever its score."""
        self.epochs.append(epoch)
        best = not self.best_epoch or epoch.score > self.best_score
        if best:
            self.best_epoch, self.best_score = epoch.epoch, epoch.score
        return best


@dataclass
class Position:
    """Where a training stands between two steps.

    Attributes:
        token_budget: the tokens of a pass; smaller than the setting once memory ran out.
        epoch: epochs that are complete.
        step: steps of the running epoch that are done.
        rows: the rows of those steps.
        loss: the loss of those rows, summed.
        seconds: the time spent on the running epoch.
        skipped: steps just before this one whose gradient was not finite.
        history: the complete epochs.
    """

    token_budget: int
    epoch: int = 0
    step: int = 0
    rows: int = 0
    loss: float = 0.0
    seconds: float = 0.0
    skipped: int = 0
    history: History = field(default_factory=History)

    def advance(self, loss: float, rows: int) -> None:
        """Counts a step whose rows had this mean loss."""
        self.step, self.rows = self.step + 1, self.rows + rows
        self.loss += loss * rows

    def next_epoch(self) -> None:
        """Counts an epoch and stands at the first step of the next."""
        self.epoch += 1
        self.step, self.rows, self.loss, self.seconds = 0, 0, 0.0, 0.0

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Position:
        """What `dataclasses.asdict` made of a position."""
        past = values["history"]
        epochs = [Epoch(**epoch) for epoch in past["epochs"]]
        position = cls(**values)
        position.history = History(epochs, past["best_epoch"], past["best_score"], past["stopped"])
        return position
