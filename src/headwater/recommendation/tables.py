"""What is told of items and of users beside their interactions, a row each in the order of their ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from headwater.data.cells import read_cells
from headwater.data.quarantine import quarantine
from headwater.data.records import Problem, Records
from headwater.errors import DataError
from headwater.recommendation.cleaning import ids_of
from headwater.recommendation.ids import Ids
from headwater.recommendation.roles import id_column
from headwater.settings import Settings

_TITLES = ("title", "name", "movie_title", "product_title", "item_name", "label", "description")


@dataclass(frozen=True)
class Table:
    """A table of items or users as it was read.

    Attributes:
        records: its rows, one for each of `ids`.
        ids: of which item or user each is.
        column: the column of the ids.
        guessed: whether it is the first one, for want of a usual name.
        problems: the rows that cannot be used, and why.
    """

    records: Records
    ids: Ids
    column: str
    problems: list[Problem]
    guessed: bool = False

    def aligned(self, ids: Ids) -> Records:
        """A row for each of these ids, null where the table has none."""
        places = self.ids.positions(ids.names)
        table = self.records.table.take(pa.array(places, mask=places < 0))
        # Paths in cells count from the file that they stand in.
        return Records(table, name=self.records.name, files=self.records.files[:1])


def read_table(source: Any, role: str, settings: Settings) -> Table:
    """The table of items or users that a source holds.

    A row without an id is set aside, and of several rows of one id all but the first; too many of them are refused.

    Args:
        source: what `read_cells` takes.
        role: `item` or `user`.
        settings: `item` and `user` name the column of the ids; without a usual name, the first column is it.

    Raises:
        NotFoundError, DataError: the table cannot be read, is empty, or has too many rows that cannot be used.
    """
    records = read_cells(source, settings, offline=settings.offline)
    if not len(records) or not records.columns:
        raise DataError(f"The table of {role}s has no rows", where=records.name, fix=f"Check --{role}s.")
    named = getattr(settings, role)
    found = id_column(records, role, named if named in records.columns else None)
    column = found or records.columns[0]
    encoded, missing = ids_of(records.table.column(column))
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    first = np.zeros(len(records), dtype=bool)
    first[np.unique(codes, return_index=True)[1]] = True
    first &= codes >= 0
    twice = {int(row): f"the {role} {encoded[int(row)]} came before" for row in np.flatnonzero(~first & (codes >= 0))}
    told = records.with_problems(dict.fromkeys(missing, f"the {role} is missing") | twice)
    names = encoded.dictionary.to_pylist()
    good, problems = quarantine(told, settings.quarantine_share)
    return Table(good, Ids([names[code] for code in codes[told.usable].tolist()]), column, problems, found is None)


def titles(table: Records | None, ids: Ids, column: str | None = None) -> list[str | None]:
    """What people call each item, where the table says so: a title, or a name."""
    known = [] if table is None else [name for name in table.columns if name.lower() in _TITLES and name != column]
    ranked = sorted(known, key=lambda name: _TITLES.index(name.lower()))
    return [None] * len(ids) if table is None or not ranked else list(map(_text, table.column(ranked[0])))


def _text(cell: Any) -> str | None:
    return None if cell is None else str(cell)
