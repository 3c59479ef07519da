"""What is measured, as sections of plain data: JSON for machines, one page for people."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from headwater.evaluation.intervals import Estimate


@dataclass
class Sections(ABC):
    """A dataclass whose fields are sections, the last of them `other`: sections that a later version wrote."""

    def sections(self) -> dict[str, Any]:
        """All sections by name as values that JSON has: no not-a-number, no tuples."""
        sections = {part.name: getattr(self, part.name) for part in fields(self)}
        other = sections.pop("other")
        return plain(sections | other)

    def to_json(self) -> str:
        """The sections as JSON text."""
        return json.dumps(self.sections(), ensure_ascii=False, indent=1, allow_nan=False)

    @classmethod
    def known(cls, sections: Mapping[str, Any]) -> dict[str, Any]:
        """Sections under the names of the fields, those of later versions in `other`."""
        names = {part.name for part in fields(cls)} - {"other"}
        own = {name: value for name, value in sections.items() if name in names}
        return own | {"other": {name: value for name, value in sections.items() if name not in names}}

    @abstractmethod
    def to_html(self) -> str:
        """One self-contained page: no script, no file and no address that it needs."""

    def _repr_html_(self) -> str:
        import html

        return f'<iframe srcdoc="{html.escape(self.to_html())}" width="100%" height="720" style="border:0"></iframe>'


def plain(value: Any) -> Any:
    """The same value out of what JSON has: numpy numbers and arrays, tuples, estimates and not-a-number give way.

    Example:
        >>> plain({"low": float("nan"), 3: (1, 2)})
        {'low': None, '3': [1, 2]}
    """
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    if isinstance(value, Estimate):
        return value.to_json()
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | None) else str(value)


def aligned(columns: Mapping[str, list[str]]) -> list[str]:
    """A table as lines of text, each column under its heading.

    Example:
        >>> aligned({"": ["accuracy"], "minilm": ["0.91"]})
        ['          minilm', 'accuracy  0.91']
    """
    widths = {head: max(len(head), *map(len, cells)) for head, cells in columns.items()}
    rows = [list(columns), *zip(*columns.values(), strict=True)]
    return ["  ".join(map(str.ljust, row, widths.values())).rstrip() for row in rows]
