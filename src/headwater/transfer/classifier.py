"""What a model must do to serve a task that names classes, whatever its inputs are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from headwater.application import Stage, Trace
from headwater.run import Run
from headwater.settings import Settings as RunSettings


@dataclass(frozen=True)
class Examples:
    """Inputs with their encoded targets.

    Attributes:
        inputs: what the task's input field gives, one a row.
        targets: class positions of shape (rows,), or zeros and ones of shape (rows, classes) where several labels hold.
        n_classes: how many classes there are.
        weights: the weight of each row in the loss, shape (rows,).
    """

    inputs: Sequence[Any]
    targets: np.ndarray
    n_classes: int
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def several(self) -> bool:
        """Whether a row may have several labels."""
        return self.targets.ndim == 2

    def take(self, rows: np.ndarray) -> Examples:
        return replace(
            self,
            inputs=[self.inputs[row] for row in rows.tolist()],
            targets=self.targets[rows],
            weights=None if self.weights is None else self.weights[rows],
        )


class Classifier(ABC):
    """Inputs in, one logit a class out. Settings of its own are fields of its `Settings` dataclass."""

    Settings: ClassVar[type]
    """A frozen dataclass in the style of `headwater.settings`; empty when the model has none of its own."""
    reads: ClassVar[tuple[str, ...]] = ()
    """The settings of every run that decide how well this model learns; `tune` searches those and its own."""

    def __init__(self, settings: Any = None, *, foundation: str | None = None) -> None:
        self.settings = settings if settings is not None else self.Settings()
        self.foundation = foundation
        self.trace = Trace()

    @abstractmethod
    def fit(self, train: Examples, valid: Examples, run: Run) -> Self:
        """Learns from `train`; `valid` chooses between settings and epochs. Resumes what `run.folder` holds."""

    @classmethod
    def completed(cls, settings: RunSettings, rows: int) -> RunSettings:
        """The settings of a run with what the model takes by itself, for so many rows, where they are open."""
        return settings

    @abstractmethod
    def logits(self, inputs: Sequence[Any]) -> np.ndarray:
        """Unnormalised scores of shape (rows, classes); softmax, or sigmoid where several labels hold, comes after."""

    @abstractmethod
    def view(self, inputs: Sequence[Any], run: Run) -> np.ndarray:
        """What the model sees of inputs before it has learnt from them: features of shape (rows, width), float32.

        A foundation sees its frozen features. A basic model knows nothing yet: it sees what its kind of input tells by
        itself, in axes found on these very inputs, so that inputs that are to be compared must come in one call.
        """

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Writes the model as safetensors and JSON."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Reads what `save` wrote; needs no network."""


__all__ = ["Classifier", "Examples", "Stage", "Trace"]
