"""All items there are, to be searched by what people call them and chosen by their columns."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headwater.recommendation import choosing
from headwater.recommendation.kept import Kept
from headwater.recommendation.tables import titles

_MASKS: Final = 64
_VALUES: Final = 40
_CHOICES: Final = 6
_MARKS: Final = ("|", ";", ",", " ")
"""What divides the values of a cell, as in a filter: `Action|Comedy` of MovieLens, `Action Comedy` of RecBole."""


class Shelf:
    """The items of an application with their titles, the popular ones first where several fit.

    Example:
        >>> from headwater.recommendation.ids import Ids
        >>> from headwater.recommendation.interactions import Histories
        >>> kept = Kept(Ids(["u"]), Ids(["tea", "Green tea"]), Histories.of_lists([[1]], 2), np.array([True]), False)
        >>> [one["item"] for one in Shelf(kept, None).search("TEA", 5)]
        ['tea', 'Green tea']
    """

    def __init__(self, kept: Kept, items: Any) -> None:
        self.kept, self.items = kept, items
        self.titles = titles(items, kept.item_ids)
        self._order = np.argsort(-np.bincount(kept.histories.items, minlength=len(kept.item_ids)), kind="stable")
        names = [str(kept.item_ids[item]) for item in self._order]
        # Names that differ from an item's title are searched as well: people type either.
        shown = [self.titles[item] or "" for item in self._order]
        self._names = pc.call_function("utf8_lower", [pa.array(names, pa.string())])
        self._shown = pc.call_function("utf8_lower", [pa.array(shown, pa.string())])
        self._masks: OrderedDict[Any, np.ndarray | None] = OrderedDict()

    def search(self, sought: str, most: int) -> list[dict[str, Any]]:
        """Items whose name or title has a text in it; those that begin with it come first."""
        text = sought.strip().lower()
        first, others = self._with(text, "starts_with"), self._with(text, "match_substring")
        places = np.concatenate([np.flatnonzero(first)[:most], np.flatnonzero(others & ~first)[:most]])[:most]
        return [self.told(int(self._order[place])) for place in places]

    def _with(self, text: str, how: str) -> np.ndarray:
        """Of which items the name or the title has a text in it, in the order of their popularity."""
        options = pc.MatchSubstringOptions(text)
        name, title = (
            np.asarray(pc.call_function(how, [column], options)) for column in (self._names, self._shown)
        )  # fmt: skip
        return name | title

    def told(self, item: int) -> dict[str, Any]:
        """An item by its position: its name, and its title where it has one."""
        title = self.titles[item]
        return {"item": self.kept.item_ids[item], **({} if title is None else {"title": title})}

    def called(self, name: Any) -> dict[str, Any]:
        """The same by its name."""
        return self.told(int(self.kept.item_ids.positions([name])[0]))

    def mask(self, where: Mapping[str, Any] | None) -> np.ndarray | None:
        """The items whose columns hold what is asked, as `choosing.allowed`; the last masks are kept."""
        key = tuple(sorted((name, str(value)) for name, value in (where or {}).items()))
        if key not in self._masks:
            self._masks[key] = choosing.allowed(self.items, where, len(self.kept.item_ids))
            if len(self._masks) > _MASKS:
                self._masks.popitem(last=False)
        return self._masks[key]

    def choices(self) -> list[dict[str, Any]]:
        """Columns by which a person can choose items: those that hold few different values, and these."""
        if self.items is None:
            return []
        cut = {name: _values(self.items.column(name)) for name in self.items.columns}
        return [{"column": name, "values": values} for name, values in cut.items() if values][:_CHOICES]


def _values(cells: Sequence[Any]) -> list[str]:
    """The few values that cells hold, divided by what divides them into the fewest; empty where they are many."""
    found = [values for mark in _MARKS if (values := _divided(cells, mark))]
    return min(found, key=len, default=[])


def _divided(cells: Sequence[Any], mark: str) -> list[str]:
    """The values between marks, where people can choose by them."""
    counts: Counter[str] = Counter()
    for cell in cells:
        counts.update(_parts(cell, mark))
        if len(counts) > _VALUES:
            return []
    # What stands at one item alone, such as a title or its words, chooses nothing.
    once = sum(count == 1 for count in counts.values())
    return sorted(counts) if 1 < len(counts) <= counts.total() / 2 and 2 * once <= len(counts) else []


def _parts(cell: Any, mark: str) -> list[str]:
    if cell is None:
        return []
    if isinstance(cell, list | tuple):
        return [str(one) for one in cell]
    return [part.strip() for part in str(cell).split(mark) if part.strip()]
