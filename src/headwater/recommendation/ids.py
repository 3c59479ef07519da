"""The names of users or items, as the user's data has them, and their positions in arrays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headwater.data.naming import text_of

UNKNOWN = -1
_WHOLE: Final = re.compile(r"-?\d+(\.0+)?")
"""A whole number, also as tables write it that had a gap in its column: 7.0."""
_PLAIN: Final = re.compile(r"0|-?[1-9]\d{0,17}")
"""A whole number that has one text only, and 64 bits."""


class Ids:
    """Distinct names in order; the position of a name is its row in every array of a model.

    Names keep the type they came with, but are matched by their text: 7 of a table is "7" of a file, and so is "7.0"
    where nothing is called that.

    Example:
        >>> ids = Ids([10, 20])
        >>> ids.positions(["20", 30]).tolist(), ids[1], len(ids)
        ([1, -1], 20, 2)
    """

    def __init__(self, names: Sequence[Any]) -> None:
        self.names = tuple(names)

    @classmethod
    def of(cls, cells: Iterable[Any]) -> Self:
        """The distinct names of some cells, in the order in which they come, all numbers or all texts."""
        found = {text_of(cell): cell for cell in reversed(list(cells))}
        kinds = set(map(type, found.values()))
        if len(kinds) > 1:  # a column of numbers and a file of texts
            plain = all(map(_PLAIN.fullmatch, found))
            found = {text: int(text) if plain else text for text in found}
        return cls(list(found.values())[::-1])

    def positions(self, cells: Iterable[Any]) -> np.ndarray:
        """The position of each name, int32 of shape (cells,); `UNKNOWN` for a name that is none of these."""
        return np.fromiter(map(self._place, map(text_of, cells)), dtype=np.int32)

    def encoded(self, column: pa.DictionaryArray) -> np.ndarray:
        """The same of a dictionary of names, each of which is looked up once however many rows have it."""
        places = np.append(self.positions(column.dictionary.to_pylist()), np.int32(UNKNOWN))
        return places[pc.fill_null(column.indices, len(column.dictionary)).to_numpy(zero_copy_only=False)]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, position: int) -> Any:
        return self.names[position]

    def _place(self, name: str) -> int:
        found = self._places.get(name, UNKNOWN)
        if found == UNKNOWN and name.endswith(".0"):
            return self._places.get(name[:-2], UNKNOWN)
        return found

    @cached_property
    def _places(self) -> dict[str, int]:
        return {text_of(name): position for position, name in enumerate(self.names)}


def whole(names: Sequence[Any]) -> Sequence[Any]:
    """Names without the `.0` that pandas writes where a column of whole numbers has a gap.

    Example:
        >>> whole(["7.0", None, "12.0"]), whole(["1.0", "1.1"])
        (['7', None, '12'], ['1.0', '1.1'])
    """
    if not all(name is None or _WHOLE.fullmatch(str(name)) for name in names):
        return names
    return [name.partition(".")[0] if isinstance(name, str) else name for name in names]
