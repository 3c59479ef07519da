"""Episodes of an agent as a table of transitions, which another agent can learn from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from headwater.control.episodes import Policy
from headwater.control.observing import COLUMN
from headwater.control.spaces import Parts, Space
from headwater.control.world import World
from headwater.control.worlds import Worlds
from headwater.control.written import written
from headwater.errors import DataError


def record(world: World, policy: Policy, seeds: Sequence[int], file: Path, column: str = COLUMN) -> int:
    """Writes what was observed, done and given in whole episodes, a row a step, and tells how many rows there are.

    Args:
        world: to play in.
        policy: who acts.
        seeds: one for each episode.
        file: a .parquet file.
        column: of the observations.

    Raises:
        DataError: the file is of another kind, or the environment breaks down.
        NotFoundError, ResourceError: the file cannot be written.
    """
    if file.suffix.lower() != ".parquet":
        raise DataError("Transitions are written as a table of Parquet", where="--transitions", got=file.name,
                        accepted="a name that ends in .parquet")  # fmt: skip
    with written(file) as place:
        rows = _rows(world, policy, seeds, column)
        pq.write_table(pa.Table.from_pylist(rows), place)
    return len(rows)


def _rows(world: World, policy: Policy, seeds: Sequence[int], column: str) -> list[dict[str, Any]]:
    worlds, rows = Worlds(world, 1, [0]), list[dict[str, Any]]()
    for episode, seed in enumerate(seeds):
        now, ended = worlds.reset(0, seed), False
        while not ended:
            action = policy(now[None])[0]
            after, reward, terminated, ended = worlds.move(0, action)
            rows.append({
                "episode": episode, column: _cell(now, world.observations),
                "action": _cell(action, world.actions), "reward": reward, "terminated": terminated,
                "truncated": ended and not terminated, "next_observation": _cell(after, world.observations),
            })  # fmt: skip
            now = after
    worlds.close()
    return rows


def _cell(raw: np.ndarray, space: Space) -> Any:
    found = space.plain(raw)
    return found if not isinstance(space, Parts) else json.dumps(found)
