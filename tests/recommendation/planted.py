"""Two groups of people who each take their own half of the items, for tests of models that should find them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from tests.recommendation.shelves import interactions, run_in

from headwater.data.records import Records
from headwater.recommendation.interactions import Histories, Interactions
from headwater.recommendation.recommender import Asked, Known, Recommender

USERS, ITEMS, COLD_USER, COLD_ITEM = 40, 24, 40, 24


def planted(seed: int = 0, *, rated: bool = False) -> Interactions:
    """Even users take even items, odd users odd ones; one more user and one more item have no interaction.

    Rated, each takes items of both kinds, and gives its own kind 4 or 5, the other 1 or 2.
    """
    random = np.random.default_rng(seed)
    alike = (np.arange(USERS)[:, None] + np.arange(ITEMS)) % 2 == 0
    pairs = np.argwhere(random.random((USERS, ITEMS)) < (0.5 if rated else np.where(alike, 0.6, 0.03)))
    ratings = np.where(alike[tuple(pairs.T)], 4, 1) + random.integers(0, 2, len(pairs)) if rated else None
    return interactions(pairs.tolist(), users=USERS + 1, items=ITEMS + 1, ratings=ratings)


def columns() -> tuple[Records, Records]:
    """What tells the groups, of items and of users; the user and the item without an interaction are even ones."""
    kinds = [["red", "blue"][place % 2] for place in range(USERS + 1)]
    return Records(pa.table({"shade": kinds[: ITEMS + 1]})), Records(pa.table({"team": kinds}))


def fitted(make: Callable[[], Recommender], folder: Path, known: Interactions | None = None, **settings: Any) -> Any:
    """A model that has learnt from the two groups, or from other interactions."""
    items, users = columns() if known is None else (None, None)
    return make().fit(Known(planted() if known is None else known, items, users), None, run_in(folder, **settings))


def everyone(known: Interactions) -> Asked:
    """Each user the model has learnt from."""
    return Asked(Histories.of_users(known), np.arange(len(known.user_ids), dtype=np.int32))


def found_share(scores: np.ndarray) -> float:
    """How often an item of a user's own kind scores above one of the other kind."""
    alike = (np.arange(USERS)[:, None] + np.arange(ITEMS)) % 2 == 0
    own = scores[:USERS, :ITEMS][alike].reshape(USERS, -1)
    other = scores[:USERS, :ITEMS][~alike].reshape(USERS, -1)
    return float((own[:, :, None] > other[:, None, :]).mean())
