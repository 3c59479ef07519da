"""What a model must do to recommend: learn from interactions, and score every item for a history."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from safetensors.numpy import load_file, save_file

from headwater.application import Trace
from headwater.data.records import Records
from headwater.options import build, plain
from headwater.recommendation.interactions import Histories, Interactions
from headwater.run import Run, write_whole
from headwater.settings import NoSettings
from headwater.settings import Settings as RunSettings

NEW = -1
"""The position of a user whom a model has not learnt from, or whose history has changed since."""


@dataclass(frozen=True)
class Known:
    """All that a model learns from.

    Attributes:
        interactions: of users with items.
        items: a row for each item of `interactions.item_ids`, in their order, its cells null where an item is not
            described; None where the data describes none.
        users: the same of users.
    """

    interactions: Interactions
    items: Records | None = None
    users: Records | None = None


@dataclass(frozen=True)
class Asked:
    """For whom scores are wanted, a row each.

    Attributes:
        histories: what each has had to do with, so far.
        users: the position among the users learnt from, int32 of shape (rows,); `NEW` where the history alone tells.
    """

    histories: Histories
    users: np.ndarray

    @classmethod
    def new(cls, histories: Histories) -> Self:
        """The same question about people nobody knows but by these histories."""
        return cls(histories, np.full(len(histories), NEW, dtype=np.int32))

    def __len__(self) -> int:
        return len(self.histories)

    def take(self, rows: np.ndarray) -> Asked:
        return Asked(self.histories.take(rows), self.users[rows])


class Recommender(ABC):
    """Interactions in, a score for every item out. Settings of its own are fields of its `Settings` dataclass.

    Attributes:
        trace: what it can tell of its fit.
        n_items: how many items it scores.
    """

    Settings: ClassVar[type] = NoSettings
    """A frozen dataclass in the style of `headwater.settings`; empty when the model has none of its own."""
    reads: ClassVar[tuple[str, ...]] = ()
    """The settings of every run that decide how well this model learns; `tune` searches those and its own."""
    needs: ClassVar[tuple[str, ...]] = ()
    """What it cannot do without, of `ratings`, `times`, `item text`, `item image`."""
    cold: ClassVar[bool] = False
    """Whether it can recommend an item that nobody has had to do with, from how it is described."""
    chooses: ClassVar[bool] = False
    """Whether its fit chooses something, such as when to stop, by interactions held out. If not, it gets none of them
    unless trials are compared on them: it learns from them as well."""
    rates: ClassVar[bool] = False
    """Whether its scores are ratings, on the scale of those it learnt from."""

    def __init__(self, settings: Any = None, *, foundation: str | None = None) -> None:
        self.settings = settings if settings is not None else self.Settings()
        self.foundation = foundation
        self.trace = Trace()
        self.n_items = 0

    @classmethod
    def completed(cls, settings: RunSettings, rows: int) -> RunSettings:
        """The settings of a run with this model's own choice where they leave it one, for so many interactions.

        `tune` asks for it. A model that `reads` the epochs or the learning rate says here what it takes.
        """
        return settings

    @abstractmethod
    def fit(self, known: Known, held_out: Interactions | None, run: Run) -> Self:
        """Learns from `known`; sets `n_items`. Resumes what `run.folder` holds.

        Args:
            known: what is learnt from.
            held_out: later or other interactions of the same users, by which epochs and settings may be chosen.
            run: seed, budget, folder.
        """

    def forget(self) -> None:
        """Drops what was worked out of an earlier fit; a `fit` of a model with cached properties begins with it."""
        for kind in type(self).__mro__:
            for name, member in vars(kind).items():
                if isinstance(member, cached_property):
                    vars(self).pop(name, None)

    @abstractmethod
    def scores(self, asked: Asked) -> np.ndarray:
        """How much each row wants each item, the more the larger, float32 of shape (rows, n_items).

        Items of the row's own history are scored like all others.
        """

    def ratings(self, asked: Asked, items: np.ndarray) -> np.ndarray:
        """What each row would give one item, float32 of shape (rows,), of a model that `rates`."""
        return self.scores(asked)[np.arange(len(asked)), items]

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays that a fitted model consists of, by name."""
        return {}

    def facts(self) -> dict[str, Any]:
        """What else it consists of, as JSON values."""
        return {}

    @abstractmethod
    def restore(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        """Takes back what `arrays` and `facts` gave."""

    def save(self, folder: Path) -> None:
        """Writes the model as safetensors and JSON."""
        kept = {name: np.ascontiguousarray(values) for name, values in self.arrays().items()}
        save_file(kept, folder / "model.safetensors")
        state = {
            "settings": plain(self.settings), "foundation": self.foundation, "n_items": self.n_items,
            "facts": self.facts(),
        }  # fmt: skip
        write_whole(folder / "model.json", json.dumps(state, ensure_ascii=False, indent=1).encode())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads what `save` wrote."""
        state = json.loads((folder / "model.json").read_text("utf-8"))
        model = cls(build(cls.Settings, state["settings"]), foundation=state["foundation"])
        model.n_items = state["n_items"]
        model.restore(load_file(folder / "model.safetensors"), state["facts"])
        return model
