"""What a model must do to serve a task that names classes, whatever its inputs are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from headwater.application import Stage, Trace
from headwater.data.traits import Traits
from headwater.foundation.origin import Origin
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
        parent: the number of the user's row that each is, or was altered from, shape (rows,): rows of one number never
            stand on both sides of a division. None where each is a row of its own.
        altered: which rows are altered copies, or have a target that nobody has seen: they are learnt from, never
            measured on. None where none is.
        group: for each row a number, shape (rows,): rows of one number are copies of one another, or belong to one
            group of the user's. None where nobody has looked.
        of_source: which rows come from a source, not from the target. None where none does.
        unlabelled: inputs without targets from where the model will be used, for models that can learn from such.
    """

    inputs: Sequence[Any]
    targets: np.ndarray
    n_classes: int
    weights: np.ndarray | None = None
    parent: np.ndarray | None = None
    altered: np.ndarray | None = None
    group: np.ndarray | None = None
    of_source: np.ndarray | None = None
    unlabelled: Sequence[Any] = ()

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def several(self) -> bool:
        """Whether a row may have several labels."""
        return self.targets.ndim == 2

    @property
    def parents(self) -> np.ndarray:
        """The number of the user's row that each is, or was altered from, shape (rows,)."""
        return np.arange(len(self)) if self.parent is None else self.parent

    @property
    def groups(self) -> np.ndarray:
        """For each row a number, of shape (rows,); rows of one number never lie on both sides of a division."""
        if self.group is not None:
            return self.group
        first: dict[Any, int] = {}
        parents = self.parents.tolist()
        input_of = dict(reversed(list(zip(parents, self.inputs, strict=True))))
        return np.array([first.setdefault(input_of[parent], row) for row, parent in enumerate(parents)], np.intp)

    @property
    def drawn(self) -> np.ndarray:
        """The positions of the rows that came from the data, altered copies left out."""
        return np.arange(len(self)) if self.altered is None else np.flatnonzero(~self.altered)

    @property
    def copies(self) -> np.ndarray:
        """The positions of the altered copies of those rows."""
        if self.altered is None:
            return np.arange(0)
        return np.flatnonzero(self.altered & np.isin(self.parents, self.parents[self.drawn]))

    @property
    def elsewhere(self) -> np.ndarray:
        """Which rows are from another place than `unlabelled`: those of a source, or without one all; shape (rows,)."""
        return np.ones(len(self), dtype=bool) if self.of_source is None else self.of_source

    @property
    def of_target(self) -> list[Any]:
        """The inputs that come from no source."""
        return [value for row, value in enumerate(self.inputs) if self.of_source is None or not self.of_source[row]]

    def take(self, rows: np.ndarray) -> Examples:
        """The rows at these positions, in this order."""
        arrays = {name: getattr(self, name) for name in ("weights", "parent", "altered", "group", "of_source")}
        taken = {name: None if array is None else array[rows] for name, array in arrays.items()}
        inputs = [self.inputs[row] for row in rows.tolist()]
        return replace(self, inputs=inputs, targets=self.targets[rows], **taken)

    def followed_by(self, others: Examples) -> Examples:
        """These rows, and behind them others of the same classes, which are copies of none of them.

        Example:
            >>> one = Examples(["a", "b"], np.array([0, 1]), 2)
            >>> both = one.followed_by(Examples(["c"], np.array([1]), 2, weights=np.array([0.5])))
            >>> both.inputs, both.weights.tolist(), both.parents.tolist()
            (['a', 'b', 'c'], [1.0, 1.0, 0.5], [0, 1, 2])
        """
        both = (self, others)
        joined: dict[str, Any] = {}
        for name, value, kind in (("weights", 1, np.float64), ("altered", 0, np.bool_), ("of_source", 0, np.bool_)):
            arrays = [(getattr(part, name), np.full(len(part), value, kind)) for part in both]
            if any(array is not None for array, _ in arrays):
                joined[name] = np.concatenate([usual if array is None else array for array, usual in arrays])
        for name, own, more in (("parent", self.parents, others.parents), ("group", self.groups, others.groups)):
            joined[name] = np.concatenate([own, 1 + own.max(initial=-1) + more])
        targets = np.concatenate([self.targets, others.targets.astype(self.targets.dtype)])
        return replace(self, inputs=[*self.inputs, *others.inputs], targets=targets, **joined)


@dataclass(frozen=True)
class Facts:
    """What a model weighs; None where it cannot be told.

    Attributes:
        parameters: the numbers it has learnt, or was pretrained with.
        megabytes: its weights on disk.
        max_length: how much of an input it reads, in its own units (tokens of a text).
    """

    parameters: int | None = None
    megabytes: float | None = None
    max_length: int | None = None


class Classifier(ABC):
    """Inputs in, one logit a class out. Settings of its own are fields of its `Settings` dataclass.

    Attributes:
        trace: what it can tell of its fit.
        held_out: of a model that was fitted without validation rows, logits of training rows that it had not seen,
            shape (rows, classes), and their targets; None otherwise.
    """

    Settings: ClassVar[type]
    """A frozen dataclass in the style of `headwater.settings`; empty when the model has none of its own."""
    needs_valid: ClassVar[bool] = True
    """Whether `fit` chooses by its validation rows; else it only scores them."""
    reads: ClassVar[tuple[str, ...]] = ()
    """The settings of every run that decide how well this model learns; `tune` searches those and its own."""

    def __init__(self, settings: Any = None, *, foundation: str | None = None) -> None:
        self.settings = settings if settings is not None else self.Settings()
        self.foundation = foundation
        self.trace = Trace()
        self.held_out: tuple[np.ndarray, np.ndarray] | None = None

    @abstractmethod
    def fit(self, train: Examples, valid: Examples, run: Run) -> Self:
        """Learns from `train`; `valid` chooses between settings and epochs. Resumes what `run.folder` holds."""

    def refuse(self, run: Run) -> None:  # noqa: B027 most models refuse nothing
        """Says, before anything is learnt, what of the settings this model cannot do.

        Raises:
            SettingError: what it is, and what it could do instead.
        """

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

    def reading(self, inputs: Sequence[Any], run: Run) -> Traits:
        """How well the model's own way to read fits inputs, row by row; nothing where it has none before it learns."""
        return Traits()

    def origin(self, run: Run) -> Origin | None:
        """What is written down of the data behind the model; None for a basic model, which has seen none yet."""
        return None

    def facts(self, run: Run) -> Facts:
        """What the model weighs: of a foundation before it has learnt, of a basic model afterwards."""
        return Facts()

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Writes the model as safetensors and JSON."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Reads what `save` wrote; needs no network."""


Make = Callable[[], Classifier]
"""Makes a model that has learnt nothing yet."""

__all__ = ["Classifier", "Examples", "Facts", "Make", "Stage", "Trace"]
