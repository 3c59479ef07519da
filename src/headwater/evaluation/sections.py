"""What is measured, as sections of plain data: JSON for machines, one page for people."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self

from headwater.errors import ArtifactError
from headwater.evaluation.intervals import Estimate
from headwater.run import write_whole


@dataclass
class Sections(ABC):
    """A dataclass whose fields are sections, the last of them `other`: sections that a later version wrote.

    Attributes:
        kind: what the whole is called, in a sentence and as the name of its files.
    """

    kind: ClassVar[str]

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

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Takes back what `to_json` gave, with sections of later versions in `other`."""
        return cls(**cls.known(json.loads(text)))

    def save(self, folder: str | Path) -> None:
        """Writes the JSON file and the page into a folder, each whole or not at all."""
        for suffix, content in (("json", self.to_json()), ("html", self.to_html())):
            write_whole(Path(folder) / f"{self.kind}.{suffix}", content.encode("utf-8", "replace"))

    @classmethod
    def found(cls, folder: str | Path) -> Self | None:
        """The same, None where the folder has none."""
        return cls.load(folder) if (Path(folder) / f"{cls.kind}.json").exists() else None

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Reads the JSON file of a folder.

        Raises:
            ArtifactError: there is none, or it cannot be read.
        """
        file = Path(folder) / f"{cls.kind}.json"
        try:
            return cls.from_json(file.read_text("utf-8"))
        except FileNotFoundError as missing:
            raise ArtifactError(
                f"There is no {cls.kind} here", where=str(file), fix=f"Give a folder with a {cls.kind}.json in it."
            ) from missing
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as damage:
            raise ArtifactError(
                f"The {cls.kind} cannot be read", where=str(file), got=str(damage), fix="Have it written again."
            ) from damage

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
