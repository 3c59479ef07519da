"""What an application keeps of the interactions it was made from: everyone's history, by name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from safetensors.numpy import load_file, save_file

from headwater.recommendation.ids import Ids
from headwater.recommendation.interactions import Histories, Interactions
from headwater.recommendation.recommender import NEW, Asked
from headwater.run import write_whole

_FILE, _NAMES = "histories.safetensors", "names.json"


@dataclass(frozen=True)
class Kept:
    """The history of every user, and which part of it the model has learnt from.

    Attributes:
        user_ids: every user.
        item_ids: every item.
        histories: the items of each user, the latest last.
        learnt: which of them the model has learnt from, bool of shape (interactions,).
        rated: whether values are ratings.

    Example:
        >>> kept = Kept(Ids(["ann"]), Ids(["a", "b"]), Histories.of_lists([[0]], 2), np.array([True]), rated=False)
        >>> asked = kept.asked(np.array([0, 0]), [{}, {1: None}])
        >>> asked.users.tolist(), [asked.histories.of(row).tolist() for row in range(2)]
        ([0, -1], [[0], [0, 1]])
    """

    user_ids: Ids
    item_ids: Ids
    histories: Histories
    learnt: np.ndarray
    rated: bool

    @classmethod
    def of(cls, known: Interactions, learnt: np.ndarray) -> Self:
        """What is kept of interactions; `learnt` says of each whether the model has learnt from it."""
        return cls(known.user_ids, known.item_ids, Histories.of_users(known), learnt[known.by_user()], known.rated)

    def learnt_from(self) -> Interactions:
        """The interactions that the model has learnt from."""
        users = np.repeat(np.arange(len(self.histories), dtype=np.int32), self.histories.lengths)
        items, values = self.histories.items, self.histories.values
        known = Interactions(users, items, values, None, self.user_ids, self.item_ids, self.rated)
        return known if self.learnt.all() else known.take(self.learnt)

    def asked(self, users: np.ndarray, extra: Sequence[Mapping[int, float | None]] | None = None) -> Asked:
        """The question about users by their positions; `UNKNOWN` ones have no history but what is `extra`.

        An item that is extra and has no rating is worth what the user's others are on average, or all there are.

        Whoever the model has learnt nothing of, and whoever comes with something extra, is new to it.
        """
        there = users >= 0
        found = self.histories.take(np.where(there, users, 0))
        if not there.all():
            found = found.only(np.repeat(there, found.lengths))
        places = np.where(there & self._is_learnt[np.where(there, users, 0)], users, NEW).astype(np.int32)
        if extra is not None and any(map(len, extra)):
            found = _joined(found, extra, self._worth)
            places[[bool(len(items)) for items in extra]] = NEW
        return Asked(found, places)

    def unlearnt(self, users: np.ndarray) -> Histories:
        """What is kept of users by their positions, and the model has not learnt from; nothing of `UNKNOWN` ones."""
        there = users >= 0
        apart = replace(self.histories, values=(~self.learnt).astype(np.float32))
        found = apart.take(np.where(there, users, 0))
        return found.only((found.values > 0) & np.repeat(there, found.lengths))

    @cached_property
    def _worth(self) -> float:
        """The mean of all values: ratings, or 1."""
        return float(self.histories.values.mean()) if len(self.histories.values) else 1.0

    @cached_property
    def _is_learnt(self) -> np.ndarray:
        """Whether the model has learnt from each user; one entry where there is no user."""
        users = np.repeat(np.arange(len(self.histories)), self.histories.lengths)
        return np.bincount(users, weights=self.learnt, minlength=max(1, len(self.histories))) > 0

    def write(self, folder: Path) -> None:
        """Writes names as JSON and histories as safetensors."""
        names = {"users": list(self.user_ids.names), "items": list(self.item_ids.names), "rated": self.rated}
        write_whole(folder / _NAMES, json.dumps(names, ensure_ascii=False).encode())
        arrays = {
            "starts": self.histories.starts, "items": self.histories.items, "values": self.histories.values,
            "learnt": self.learnt.astype(np.uint8),
        }  # fmt: skip
        save_file({name: np.ascontiguousarray(values) for name, values in arrays.items()}, folder / _FILE)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Takes back what `write` wrote."""
        names: dict[str, Any] = json.loads((folder / _NAMES).read_text("utf-8"))
        found = load_file(folder / _FILE)
        histories = Histories(found["starts"], found["items"], found["values"], len(names["items"]))
        return cls(Ids(names["users"]), Ids(names["items"]), histories, found["learnt"] > 0, names["rated"])


def _joined(histories: Histories, extra: Sequence[Mapping[int, float | None]], worth: float) -> Histories:
    """The same with further items behind those of each row; what is there already moves to its end."""
    rows, values = [], []
    for row, more in enumerate(extra):
        start, end = histories.starts[row], histories.starts[row + 1]
        old = dict(zip(histories.items[start:end].tolist(), histories.values[start:end].tolist(), strict=True))
        usual = float(np.mean(list(old.values()))) if old else worth
        new = {item: old.get(item, usual) if rating is None else rating for item, rating in more.items()}
        both = {item: value for item, value in old.items() if item not in new} | new
        rows.append(list(both))
        values.append(list(both.values()))
    return Histories.of_lists(rows, histories.n_items, values)
