"""What a model must do to say where things are in pictures: by boxes, or by the class of every pixel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from headwater.application import Trace
from headwater.data.pictures import Picture
from headwater.run import Run
from headwater.settings import Settings as RunSettings


@dataclass(frozen=True)
class Scenes:
    """Pictures with what is known of them.

    Attributes:
        inputs: readable pictures.
        answers: of each picture its `Boxes`, or its class map, int16 of shape (height, width), -1 where the class is
            not known.
        n_classes: how many classes there are.
        classes: their names, where they are known.
    """

    inputs: Sequence[Picture]
    answers: Sequence[Any]
    n_classes: int
    classes: tuple[Any, ...] = ()

    def __len__(self) -> int:
        return len(self.inputs)


class Locator(ABC):
    """Pictures in, what is where in each out. Settings of its own are fields of its `Settings` dataclass.

    Attributes:
        trace: what it can tell of its fit.
    """

    Settings: ClassVar[type]
    """A frozen dataclass in the style of `headwater.settings`; empty when the model has none of its own."""
    reads: ClassVar[tuple[str, ...]] = ()
    """The settings of every run that decide how well this model learns; `tune` searches those and its own."""

    def __init__(self, settings: Any = None, *, foundation: str | None = None) -> None:
        self.settings = settings if settings is not None else self.Settings()
        self.foundation = foundation
        self.trace = Trace()

    @abstractmethod
    def fit(self, train: Scenes, valid: Scenes, run: Run) -> Self:
        """Learns from `train`; `valid` chooses between settings and epochs. Resumes what `run.folder` holds."""

    @classmethod
    def completed(cls, settings: RunSettings, rows: int) -> RunSettings:
        """The settings of a run with what the model takes by itself, for so many rows, where they are open."""
        return settings

    @abstractmethod
    def answers(self, inputs: Sequence[Picture]) -> list[Any]:
        """For each picture its `Boxes` with scores, the surest first; or its class map of its own height and width."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Writes the model as safetensors and JSON."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Reads what `save` wrote."""
