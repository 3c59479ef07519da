"""What can be seen of a world before anything is learnt: the observations of somebody who does anything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from headwater.control.episodes import at_random
from headwater.control.world import World
from headwater.control.worlds import Worlds
from headwater.data.gathering import Gathered
from headwater.data.quarantine import Quarantine
from headwater.data.records import Records
from headwater.data.traits import Traits
from headwater.errors import DataError

_ENVS, _STEPS, _SHOWN = 16, 32, 24
_KEEP: Final = 8
"""Of so many steps one is kept: those that follow one another are too much alike to count as several."""


def gathered(world: World, seed: int) -> Gathered:
    """Encoded observations of random play, a row each, as the text of their numbers."""
    worlds = Worlds(world, _ENVS, [seed])
    policy, rows = at_random(world, seed), []
    for number in range(_STEPS * _KEEP):
        if number % _KEEP == 0:
            rows.append(worlds.now)
        worlds.step(policy(worlds.now))
    worlds.close()
    values = [json.dumps(row) for row in world.observations.encode(np.concatenate(rows)).round(6).tolist()]
    records = Records(pa.table({"observation": values}), name=world.name)
    return Gathered(records, values, None, {"input": ["observation"], "label": []}, Quarantine())


def view(values: Sequence[Any]) -> np.ndarray:
    """Observations as they are: float32 of shape (rows, width).

    Raises:
        DataError: some have more numbers than others.
    """
    rows = list(map(json.loads, values))
    sizes = list(dict.fromkeys(map(len, rows)))
    if len(sizes) > 1:
        raise DataError(
            "These environments have other observations than one another, and cannot be compared",
            got=f"{' and '.join(map(str, sizes))} numbers", accepted="environments that are observed alike",
            fix="Give another environment, or change its observations with a wrapper.",
        )  # fmt: skip
    return np.asarray(rows, dtype=np.float32).reshape(len(values), -1)


def traits(values: Sequence[Any]) -> Traits:
    """The first numbers of observations, one by one."""
    seen = view(values).astype(np.float64)
    return Traits(numbers={f"number {place + 1}": seen[:, place] for place in range(min(seen.shape[1], _SHOWN))})
