"""What columns say of users or items, as sparse features: words, categories, and bins of numbers."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Self

import numpy as np

from headwater.data.naming import text_of
from headwater.data.records import Records
from headwater.recommendation.ids import Ids

_BETWEEN = re.compile(r"[\s|,;/]+")
_FEW_NUMBERS, _BINS = 32, 16
_LEAST_ROWS = 2


@dataclass(frozen=True)
class Features:
    """The features of each row, one after the other: the row itself first, then what its columns say.

    Row r has `features[starts[r]:starts[r + 1]]` with the same of `values`; feature r is row r itself.

    Attributes:
        starts: int64 of shape (rows + 1,).
        features: int32 of shape (entries,).
        values: float32 of shape (entries,): of the several words of a cell, each counts as much less.
        fields: the field of each feature, int32 of shape (features,): 0 the row itself, then one for each column.

    Example:
        >>> import pyarrow as pa
        >>> genres = Records(pa.table({"genre": ["war", "war|drama", "drama"]}))
        >>> found = Features.of(genres, Ids(["a", "b", "c"]))
        >>> found.features.tolist(), found.fields.tolist()
        ([0, 3, 1, 4, 3, 2, 4], [0, 0, 0, 1, 1])
    """

    starts: np.ndarray
    features: np.ndarray
    values: np.ndarray
    fields: np.ndarray

    @classmethod
    def of(cls, table: Records | None, ids: Ids) -> Self:
        """The features of a table that has a row for each of `ids`; of the rows alone where there is no table."""
        found = [list(map(_alone, range(len(ids))))]
        columns = [] if table is None else [table.column(name) for name in table.columns]
        for cells in columns:
            if not _is_naming(cells, ids) and any(words := _words_of(cells)):
                found.append(words)
        return cls._joined(found)

    @classmethod
    def _joined(cls, columns: Sequence[list[list[str]]]) -> Self:
        known: dict[tuple[int, str], int] = {}
        rows: list[list[tuple[int, float]]] = [[] for _ in columns[0]]
        for field, cells in enumerate(columns):
            for row, words in enumerate(cells):
                rows[row] += [(known.setdefault((field, word), len(known)), len(words) ** -0.5) for word in words]
        flat = [entry for row in rows for entry in row]
        starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
        features, values = (
            np.array([entry[0] for entry in flat], np.int32),
            np.array([entry[1] for entry in flat], np.float32),
        )
        return cls(starts, features, values, np.array([field for field, _ in known], dtype=np.int32))

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def n_fields(self) -> int:
        return int(self.fields.max(initial=0)) + 1


def _alone(row: int) -> list[str]:
    return [str(row)]


def _is_naming(cells: Sequence[Any], ids: Ids) -> bool:
    """Whether a column only repeats the names of the rows."""
    return all(cell is None or text_of(cell) == text_of(name) for cell, name in zip(cells, ids.names, strict=True))


def _words_of(cells: Sequence[Any]) -> list[list[str]]:
    """The words of each cell that tell some rows from others: those of two rows or more, and not of all."""
    cells = [None if isinstance(cell, float) and math.isnan(cell) else cell for cell in cells]
    numbers = [cell for cell in cells if isinstance(cell, Real) and not isinstance(cell, bool)]
    if len(set(numbers)) > _FEW_NUMBERS:
        edges = np.unique(np.quantile(np.array(numbers, dtype=float), np.linspace(0, 1, _BINS + 1)[1:-1]))
        found = [[] if cell is None else [str(np.searchsorted(edges, cell, side="right"))] for cell in cells]
    else:
        found = [_cut(cell) for cell in cells]
    rows = Counter(word for words in found for word in set(words))
    told = sum(map(bool, found))
    return [
        sorted(word for word in set(words) if _LEAST_ROWS <= rows[word] < max(told, _LEAST_ROWS + 1)) for words in found
    ]


def _cut(cell: Any) -> list[str]:
    """The words of one cell; bytes have none."""
    if cell is None or isinstance(cell, bytes):
        return []
    if isinstance(cell, list | tuple):
        return [word for part in cell for word in _cut(part)]
    return [word for word in _BETWEEN.split(text_of(cell).lower()) if word]
