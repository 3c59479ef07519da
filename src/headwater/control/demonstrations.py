"""What somebody observed and did, row by row, out of a table: to imitate, and where rewards are told to relive."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from headwater.control.observing import COLUMN
from headwater.control.replay import Lived
from headwater.control.spaces import Space
from headwater.control.world import World
from headwater.data import reading
from headwater.data.quarantine import Quarantine
from headwater.data.records import Problem, Records
from headwater.errors import DataError, unknown
from headwater.options import counted
from headwater.settings import Settings

ACTION, NEXT, REWARD, EPISODE = "action", "next_observation", "reward", "episode"
ENDS: Final = ("terminated", "truncated", "done")
LEAST: Final = 5
_YES_NO: Final = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}


@dataclass(frozen=True)
class Demonstrations:
    """Rows of observations with the actions that somebody did there.

    Attributes:
        now: raw observations, shape (rows, size).
        actions: raw actions, shape (rows, size of an action).
        episodes: for each row the number of its episode; of a table that knows none, of the row itself.
        lived: the transitions among them; None where the table has no rewards, or nothing that parts its episodes.
        problems: why rows were set aside.
    """

    now: np.ndarray
    actions: np.ndarray
    episodes: np.ndarray
    lived: Lived | None
    problems: list[Problem]

    def __len__(self) -> int:
        return len(self.now)


def demonstrations_of(source: Any, world: World, settings: Settings) -> Demonstrations:
    """Reads a table of demonstrations for a world.

    Args:
        source: what `reading.read` takes, with the columns observation and action, and where they are known reward,
            terminated, truncated (or done), episode and next_observation.
        world: whose observations and actions they have to be.
        settings: name the column of observations, say how files are read and how many rows may be bad.

    Raises:
        NotFoundError: there is no such file, or no column of observations or actions.
        DataError: too many rows cannot be used, or hardly any is left.
    """
    records = reading.read(source, settings, offline=settings.offline)
    seen = settings.observation or COLUMN
    for name in (seen, ACTION):
        if name not in records.columns:
            raise unknown("column", name, records.columns, where=records.name)
    kinds = {seen: world.observations.read, ACTION: world.actions.read_done, NEXT: world.observations.read,
             REWARD: _number, **dict.fromkeys(ENDS, _flag)}  # fmt: skip
    cells, reasons = dict[str, list[Any]](), dict[int, str]()
    for name, read in kinds.items():
        if name in records.columns:
            cells[name] = _column(records, name, read, reasons)
    records = records.with_problems(reasons)
    aside = Quarantine()
    aside.add(records)
    aside.refuse_over(settings.quarantine_share)
    rows = records.usable
    if len(rows) < LEAST:
        raise DataError(
            "There are too few demonstrations to imitate", where=records.name, got=counted(len(rows), "usable row"),
            accepted=f"{LEAST} or more", fix="Give more rows.",
        )  # fmt: skip
    now, actions = _stacked(cells[seen], rows, world.observations), _stacked(cells[ACTION], rows, world.actions)
    episodes = _episodes(records, cells)
    known = REWARD in cells and episodes is not None
    lived = _lived(cells, rows, episodes, now, actions) if known and episodes is not None else None
    numbers = np.arange(len(rows)) if episodes is None else episodes[rows]
    return Demonstrations(now, actions, numbers, lived, [records.problems[row] for row in sorted(records.problems)])


def _column(records: Records, name: str, read: Callable[[Any], Any], reasons: dict[int, str]) -> list[Any]:
    """The read cells of a column, None where one is not what it has to be; `reasons` then says why."""
    found: list[Any] = []
    for row, cell in enumerate(records.column(name)):
        found.append(None)
        # What follows the end of an episode need not be told.
        if row in records.problems or (name == NEXT and cell is None):
            continue
        try:
            if cell is None:
                raise ValueError("missing")
            found[-1] = read(cell)
        except ValueError as wrong:
            reasons.setdefault(row, f"the {name.replace('_', ' ')} is {wrong}")
    return found


def _number(cell: Any) -> float:
    try:
        found = float(cell)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise ValueError("no finite number")
    return found


def _flag(cell: Any) -> bool:
    found = _YES_NO.get(str(cell).strip().lower())
    if found is None:
        raise ValueError("neither true nor false")
    return found


def _stacked(cells: list[Any], rows: np.ndarray, space: Space) -> np.ndarray:
    return np.stack([cells[row] for row in rows.tolist()]).astype(space.dtype)


def _ended(cells: dict[str, list[Any]], names: tuple[str, ...]) -> np.ndarray | None:
    known = [np.array([bool(one) for one in cells[name]]) for name in names if name in cells]
    return np.any(known, axis=0) if known else None


def _terminated(cells: dict[str, list[Any]]) -> np.ndarray | None:
    """Which rows came to an end, and were not cut."""
    if "terminated" in cells:
        return _ended(cells, ("terminated",))
    # `done` alone does not tell an end from a cut; as everywhere in old data it is taken for an end.
    over, cut = _ended(cells, ("done",)), _ended(cells, ("truncated",))
    return over if over is None or cut is None else over & ~cut


def _episodes(records: Records, cells: dict[str, list[Any]]) -> np.ndarray | None:
    """The number of the episode of every row: as the table says, else by its ends; None where it tells neither."""
    if EPISODE in records.columns:
        numbers: dict[str, int] = {}
        return np.array([numbers.setdefault(str(one), len(numbers)) for one in records.column(EPISODE)])
    ended = _ended(cells, ENDS)
    return None if ended is None else np.concatenate([[0], np.cumsum(ended)[:-1]]).astype(np.int64)


def _lived(
    cells: dict[str, list[Any]], rows: np.ndarray, episodes: np.ndarray, now: np.ndarray, actions: np.ndarray
) -> Lived | None:  # fmt: skip
    """The usable rows of which it is known what followed, in their order."""
    place = {row: number for number, row in enumerate(rows.tolist())}
    over = _terminated(cells)
    ended = _ended(cells, ENDS)
    told = cells.get(NEXT)
    kept, after = list[int](), list[np.ndarray]()
    for row, number in place.items():
        follows = row + 1 in place and episodes[row + 1] == episodes[row] and not (ended is not None and ended[row])
        if told is not None and told[row] is not None:
            after.append(told[row])
        elif over is not None and over[row]:
            after.append(now[number])
        elif follows:
            after.append(now[place[row + 1]])
        else:
            continue
        kept.append(row)
    if not kept:
        return None
    picked = np.array([place[row] for row in kept])
    numbers = np.array(kept)
    # Two rows that do not follow one another must not be summed over as if they did.
    apart = np.append((np.diff(numbers) != 1) | (np.diff(episodes[numbers]) != 0), True)
    terminated = np.zeros(len(kept), bool) if over is None else over[numbers]
    rewards = np.array([cells[REWARD][row] for row in kept], np.float32)
    ends = apart | terminated if ended is None else apart | terminated | ended[numbers]
    return Lived(now[picked], np.stack(after).astype(now.dtype), actions[picked], rewards, terminated, ends)
