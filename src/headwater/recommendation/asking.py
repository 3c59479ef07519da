"""Who is asked about: users by name, or people nobody knows by the items they had to do with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

import numpy as np
import pyarrow as pa

from headwater.data import reading
from headwater.data.cells import untyped
from headwater.data.memory import column as column_of
from headwater.data.naming import text_of, tidy
from headwater.data.records import Records
from headwater.errors import NotFoundError, SettingError
from headwater.recommendation.ids import UNKNOWN
from headwater.recommendation.kept import Kept
from headwater.recommendation.recommender import Asked
from headwater.recommendation.roles import USUAL, id_column
from headwater.settings import Settings

HISTORY: Final = ("history", "items", "item_id_list", "liked", "basket")
"""The names of a column that holds a list of items a row."""
NOTHING_LEFT: Final = "no item is left to recommend"
"""Why a row has no list whose user had everything."""
_BETWEEN: Final = re.compile(r"\s*[|,;]\s*")


@dataclass(frozen=True)
class Wish:
    """One row of a request: a user, a history, or both.

    Attributes:
        user: by name.
        history: items by name, the latest last.
        ratings: of the items at the beginning of the history; None where one has none.
    """

    user: Any = None
    history: Sequence[Any] = ()
    ratings: Sequence[float | None] = ()


@dataclass(frozen=True)
class Answerable:
    """A request as far as it can be answered.

    Attributes:
        rows: the positions of the rows that can be.
        asked: these.
        reasons: why the others cannot, by their position.
    """

    rows: np.ndarray
    asked: Asked
    reasons: Mapping[int, str]


def parts_of(source: Any, settings: Settings, rows: int) -> Iterator[Records]:
    """The rows of a request, in parts: of a list, texts and numbers are users, and lists are histories.

    Raises:
        NotFoundError, DataError: as `reading.read_parts` does.
    """
    if isinstance(source, np.ndarray):
        source = source.tolist()
    if isinstance(source, list | tuple) and not any(isinstance(one, Mapping) for one in source):
        yield from reading.read_parts(_table_of(source), settings, rows=rows)
        return
    for part in reading.read_parts(source, settings, rows=rows, offline=settings.offline):
        yield untyped(part)


def wishes_of(records: Records, settings: Settings) -> list[Wish]:
    """What each row asks.

    Raises:
        NotFoundError: there is neither a column of users nor one of histories.
    """
    user = id_column(records, "user", settings.user if settings.user in records.columns else None)
    history = next((name for name in records.columns if name.lower() in HISTORY), None)
    if user is None and history is None:
        raise NotFoundError(
            "There is no column of this name for users, nor one for histories", where=records.name, got=records.columns,
            accepted=f"{settings.user or USUAL['user'][0]} or {HISTORY[0]}, or both", fix="Name one of them so.",
        )  # fmt: skip
    users = [None] * len(records) if user is None else list(map(tidy, records.column(user)))
    histories = [()] * len(records) if history is None or history == user else map(_listed, records.column(history))
    return [Wish(*pair) for pair in zip(users, histories, strict=True)]


def refuse_bare(users: Any, histories: Any) -> None:
    """Refuses one name where a list is wanted: a text would be taken for a list of its letters.

    Raises:
        SettingError: shows the list.
    """
    if users is not None and not _is_list(users):
        raise SettingError("The users are no list of names", where="recommend", got=users, fix=f"Give [{users!r}].")
    if histories is not None and not (_is_list(histories) and all(map(_is_list, histories))):
        raise SettingError(
            "The histories are no list of lists of items", where="recommend", got=histories,
            accepted="a list for each person", fix='Give histories=[["ITEM", "ITEM"]].',
        )  # fmt: skip


def _is_list(value: Any) -> bool:
    return hasattr(value, "__len__") and hasattr(value, "__iter__") and not isinstance(value, str | bytes | Mapping)


def answerable(wishes: Sequence[Wish], kept: Kept, given: Mapping[int, str] | None = None) -> Answerable:
    """Which rows can be answered, and why others cannot.

    A row of a known user with a history adds that to what is known of the user. Items that are not known are left out.

    Args:
        wishes: the rows.
        kept: who and what is known.
        given: reasons that rows have already.
    """
    users = kept.user_ids.positions(["" if one.user is None else one.user for one in wishes])
    lengths = kept.histories.lengths
    extra = [_extra(one, kept) for one in wishes]
    reasons = dict(given or {})
    for row, wish in enumerate(wishes):
        knows = users[row] >= 0 and lengths[users[row]] > 0
        if row not in reasons and not knows and not extra[row]:
            reasons[row] = _lack(wish)
    rows = np.array([row for row in range(len(wishes)) if row not in reasons], dtype=np.int64)
    return Answerable(rows, kept.asked(users[rows], [extra[row] for row in rows.tolist()]), reasons)


def _extra(wish: Wish, kept: Kept) -> dict[int, float | None]:
    """The known items of a history by their positions, with their ratings."""
    pairs = zip_longest(kept.item_ids.positions(wish.history).tolist(), wish.ratings if kept.rated else ())
    return {item: rating for item, rating in pairs if item != UNKNOWN}


def _lack(wish: Wish) -> str:
    if wish.history:
        return "none of these items is known"
    if wish.user is None:
        return "there is neither a user nor a history"
    return f"the user {text_of(wish.user)} is not known, and no history was given"


def _table_of(rows: Sequence[Any]) -> Records:
    """A request in a list as a table of users and histories."""
    listed = [isinstance(one, list | tuple | set | np.ndarray) for one in rows]
    users = [None if of else one for of, one in zip(listed, rows, strict=True)]
    histories = [list(map(text_of, one)) if of else None for of, one in zip(listed, rows, strict=True)]
    cells, reasons = column_of(users)
    if pa.types.is_null(cells.type):
        cells = cells.cast(pa.string())
    table = pa.table({"user": cells, "history": pa.array(histories, pa.list_(pa.string()))})
    return Records(table, lines=np.arange(1, len(rows) + 1)).with_problems(reasons)


def _listed(cell: Any) -> Sequence[Any]:
    """A history out of a cell: a list, JSON text of one, or names with commas, bars or semicolons between them."""
    if cell is None:
        return ()
    if isinstance(cell, list | tuple):
        return [one for one in map(tidy, cell) if one is not None]
    text = str(cell).strip()
    if text.startswith("["):
        try:
            read = json.loads(text)
        except ValueError:
            read = None
        if isinstance(read, list):
            return _listed(read)
    return [name for name in _BETWEEN.split(text) if name]
