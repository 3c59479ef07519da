"""The names of users or items, as the user's data has them, and their positions in arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headwater.data.naming import text_of

UNKNOWN = -1


class Ids:
    """Distinct names in order; the position of a name is its row in every array of a model.

    Names keep the type they came with, but are matched by their text: 7 of a table is "7" of a file.

    Example:
        >>> ids = Ids([10, 20])
        >>> ids.positions(["20", 30]).tolist(), ids[1], len(ids)
        ([1, -1], 20, 2)
    """

    def __init__(self, names: Sequence[Any]) -> None:
        self.names = tuple(names)

    @classmethod
    def of(cls, cells: Iterable[Any]) -> Self:
        """The distinct names of some cells, in the order in which they come."""
        return cls(list({text_of(cell): cell for cell in reversed(list(cells))}.values())[::-1])

    def positions(self, cells: Iterable[Any]) -> np.ndarray:
        """The position of each name, int32 of shape (cells,); `UNKNOWN` for a name that is none of these."""
        places = self._places
        return np.fromiter((places.get(text_of(cell), UNKNOWN) for cell in cells), dtype=np.int32)

    def encoded(self, column: pa.DictionaryArray) -> np.ndarray:
        """The same of a dictionary of names, each of which is looked up once however many rows have it."""
        places = np.append(self.positions(column.dictionary.to_pylist()), np.int32(UNKNOWN))
        return places[pc.fill_null(column.indices, len(column.dictionary)).to_numpy(zero_copy_only=False)]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, position: int) -> Any:
        return self.names[position]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {text_of(name): position for position, name in enumerate(self.names)}
