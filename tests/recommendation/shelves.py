"""Interactions with something in them to find, for the tests of this room."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from headwater.recommendation.ids import Ids
from headwater.recommendation.interactions import Interactions
from headwater.run import Run
from headwater.settings import Settings


def interactions(
    pairs: list[tuple[int, int]], *, users: int = 0, items: int = 0, ratings: Any = None, times: Any = None
) -> Interactions:
    """Interactions of numbered users and items."""
    of = np.array(pairs, dtype=np.int32).reshape(-1, 2)
    n_users, n_items = max(users, int(of[:, 0].max(initial=-1)) + 1), max(items, int(of[:, 1].max(initial=-1)) + 1)
    values = np.ones(len(of), np.float32) if ratings is None else np.array(ratings, np.float32)
    moments = None if times is None else np.array(times, np.float64)
    names = Ids([f"u{user}" for user in range(n_users)]), Ids([f"i{item}" for item in range(n_items)])
    return Interactions(of[:, 0], of[:, 1], values, moments, *names, rated=ratings is not None)


def random_pairs(users: int, items: int, share: float, seed: int = 0) -> list[tuple[int, int]]:
    """Each pair with this chance."""
    mask = np.random.default_rng(seed).random((users, items)) < share
    return [(int(user), int(item)) for user, item in np.argwhere(mask)]


def run_in(folder: Path, **settings: Any) -> Run:
    """A run that writes into a folder."""
    return Run(Settings(**settings), folder)
