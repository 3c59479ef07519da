"""A small world of films: half of the users like warm ones, half grim ones, and titles tell which is which."""

import numpy as np
import pyarrow as pa

from headwater.data.records import Records
from headwater.options import build
from headwater.recommendation.ids import Ids
from headwater.recommendation.interactions import Interactions
from headwater.recommendation.recommender import Known
from headwater.run import Run
from headwater.settings import Settings

USERS, ITEMS, COLD = 24, 20, (4, 5)
"""Even items are warm, odd ones grim; nobody had to do with the cold ones."""


def made(users, items, times=None, n_users=None, n_items=None):
    """Interactions of positions."""
    users, items = np.array(users, np.int32), np.array(items, np.int32)
    people = Ids([f"u{n}" for n in range(n_users or users.max() + 1)])
    things = Ids([f"i{n}" for n in range(n_items or items.max() + 1)])
    times = None if times is None else np.array(times, np.float64)
    return Interactions(users, items, np.ones(len(users), np.float32), times, people, things)


def films(**columns):
    """The table of items, with further columns."""
    mood = [("warm lovely", "cold grim")[item % 2] for item in range(ITEMS)]
    table = {
        "item": [f"i{item}" for item in range(ITEMS)],
        "title": [f"{mood[item]} film {'good' if item % 3 else 'fine'}" for item in range(ITEMS)],
        "year": [str(1990 + item % 2) for item in range(ITEMS)],
    }
    return Records(pa.table({**table, **columns}), name="films")


def people():
    """The table of users."""
    return Records(pa.table({"user": [f"u{n}" for n in range(USERS)], "town": [f"town {n % 2}" for n in range(USERS)]}))


def known(items=None, *, seed=0):
    """Users of even number with even items, others with odd ones, each in the order of their numbers, in a ring."""
    draw = np.random.default_rng(seed)
    users, had, times = [], [], []
    for user in range(USERS):
        own = [item for item in range(ITEMS) if item % 2 == user % 2 and item not in COLD]
        first = draw.integers(len(own))
        for place in range(6):
            users.append(user)
            had.append(own[(first + place) % len(own)])
            times.append(place)
    return Known(made(users, had, times, USERS, ITEMS), films() if items is None else items, people())


def run_in(folder, **settings):
    folder.mkdir(parents=True, exist_ok=True)
    quick = {"device": "cpu", "feature_cache": False, "offline": True}
    return Run(build(Settings, {**quick, **settings}), folder)
