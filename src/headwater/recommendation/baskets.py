"""Histories as a person can look at them before anything is learnt: which items, and how many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from sklearn.feature_extraction import FeatureHasher

from headwater.data.gathering import Gathered
from headwater.data.quarantine import Quarantine
from headwater.data.records import Records
from headwater.data.traits import Traits
from headwater.recommendation import preparing
from headwater.recommendation.cleaning import ids_of
from headwater.recommendation.ids import Ids
from headwater.recommendation.interactions import Histories
from headwater.recommendation.roles import Columns

BETWEEN: Final = ", "
_WIDTH: Final = 256


def gathered(records: Records, columns: Columns, aside: Quarantine) -> Gathered:
    """One row for each user of canonical records, whose value is the names of the items of the history."""
    usable = records.take(records.usable)
    users, items = (Ids(ids_of(usable.table.column(name))[0].dictionary.to_pylist()) for name in ("user", "item"))
    known = preparing.of_records(usable, users, items)
    histories = Histories.of_users(known)
    values = [BETWEEN.join(str(items[item]) for item in histories.of(row).tolist()) for row in range(len(histories))]
    first = np.unique(known.users, return_index=True)[1]
    named = {"input": [columns.user, columns.item], "label": []}
    return Gathered(usable.take(first), values, None, named, aside)


def view(values: Sequence[Any]) -> np.ndarray:
    """Histories as hashed bags of items: float32 of shape (rows, 256), each of length one."""
    bags: Any = FeatureHasher(_WIDTH, input_type="string").transform(map(_items, values))
    hashed = bags.toarray()
    norms = np.linalg.norm(hashed, axis=1, keepdims=True)
    return (hashed / np.maximum(norms, 1e-9)).astype(np.float32)


def traits(values: Sequence[Any]) -> Traits:
    """How long histories are, and which items they hold."""
    items = [frozenset(_items(value)) for value in values]
    return Traits(numbers={"items": np.array([len(row) for row in items], dtype=np.float64)}, words=items)


def _items(value: Any) -> list[str]:
    return [name for name in str(value).split(BETWEEN) if name]
