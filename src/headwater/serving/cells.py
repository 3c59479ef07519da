"""Rows of a request as the columns that an application reads, each cell checked by itself."""

from __future__ import annotations

import base64
import binascii
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import numpy as np
import pyarrow as pa

from headwater import catalog
from headwater.application import Application
from headwater.data.naming import tidy

_SHOWN: Final = 64
"""The most numbers of an observation that is shown as an example."""


class Cells(ABC):
    """How the cells of one kind of input come as JSON.

    A cell of the wrong kind is a matter of its row alone, whatever the others hold.

    Attributes:
        columns: the columns of a row.
    """

    kind: ClassVar[pa.DataType] = pa.string()

    def __init__(self, application: Application) -> None:
        self.columns = self.named(application)

    @abstractmethod
    def named(self, application: Application) -> tuple[str, ...]:
        """The columns that an application reads."""

    @abstractmethod
    def schemas(self) -> dict[str, dict[str, Any]]:
        """What each cell is, as JSON Schema with an example."""

    @abstractmethod
    def cell(self, column: str, value: Any) -> Any:
        """A cell as it goes into the table; not called with None.

        Raises:
            ValueError: it is none; the text of the error says why.
        """

    def kind_of(self, column: str) -> pa.DataType:
        return self.kind

    def schema(self) -> dict[str, Any]:
        """A row as JSON Schema."""
        cells = self.schemas()
        return {"type": "object", "properties": cells, "required": list(self.columns),
                "example": {name: cell["example"] for name, cell in cells.items()}}  # fmt: skip

    def table(self, rows: Sequence[Any]) -> tuple[pa.Table, dict[int, str]]:
        """The rows as a table, null where a cell cannot be read, and the reasons by row."""
        reasons: dict[int, str] = {}
        read = [self._row(row, place, reasons) for place, row in enumerate(rows)]
        arrays = [
            pa.array([row.get(name) for row in read], self.kind_of(name)) for name in self.columns
        ]  # fmt: skip
        return pa.table(arrays, names=list(self.columns)), reasons

    def _row(self, row: Any, place: int, reasons: dict[int, str]) -> dict[str, Any]:
        if not isinstance(row, Mapping):
            reasons[place] = f"this row is {_called(row)}, not an object with {' and '.join(self.columns)}"
            return {}
        if row and not any(name in row for name in self.columns):
            came = ", ".join(map(str, list(row)[:_SHOWN]))
            reasons[place] = f"this row has none of {' and '.join(self.columns)}, but {came}"
            return {}
        found = {}
        for name in self.columns:
            value = row.get(name)
            try:
                found[name] = None if value is None else self.cell(name, value)
            except ValueError as wrong:
                reasons[place] = str(wrong)
                return {}
        return found


class TextCells(Cells):
    """Texts."""

    def named(self, application: Any) -> tuple[str, ...]:
        return application.field.columns

    def schemas(self) -> dict[str, dict[str, Any]]:
        return {name: {"type": "string", "example": "A text as you have it."} for name in self.columns}

    def cell(self, column: str, value: Any) -> str:
        return text(column, value, "text")


class ImageCells(Cells):
    """Image files in base64; never paths, which would let a client read what the server can."""

    kind = pa.large_binary()

    def named(self, application: Any) -> tuple[str, ...]:
        return application.field.columns

    def schemas(self) -> dict[str, dict[str, Any]]:
        said = "The bytes of an image file (PNG, JPEG, WebP ...) in base64."
        told = {"type": "string", "contentEncoding": "base64", "description": said, "example": _DOT}
        return dict.fromkeys(self.columns, told)

    def cell(self, column: str, value: Any) -> bytes:
        given = text(column, value, "an image in base64")
        if given.startswith("data:"):
            given = given.partition(",")[2]
        try:
            return base64.b64decode(given, validate=True)
        except (binascii.Error, ValueError) as damage:
            raise ValueError(f"column {column} holds no base64") from damage


class UserCells(Cells):
    """Users by name, and histories of items by name."""

    def named(self, application: Application) -> tuple[str, ...]:
        return (application.settings.user or "user", "history")

    def schemas(self) -> dict[str, dict[str, Any]]:
        user, history = self.columns
        return {
            user: {"type": ["string", "integer"], "description": "A user, by name.", "example": "42"},
            history: {"type": "array", "items": {"type": ["string", "integer"]}, "example": ["12", "7"],
                      "description": "Items that somebody had to do with; beside a user, what is new."},
        }  # fmt: skip

    def schema(self) -> dict[str, Any]:
        told = super().schema()
        return told | {"required": [], "anyOf": [{"required": [name]} for name in self.columns]}

    def kind_of(self, column: str) -> pa.DataType:
        return pa.string() if column == self.columns[0] else pa.list_(pa.string())

    def cell(self, column: str, value: Any) -> Any:
        if column == self.columns[0]:
            return name_of(column, value)
        if not isinstance(value, list):
            raise ValueError(f"column {column} holds {_called(value)}, not a list of items")
        return [name_of(column, one) for one in value if one is not None]


class ObservationCells(Cells):
    """Observations of an environment: a number, a list of numbers, a text, or an object of these."""

    def named(self, application: Any) -> tuple[str, ...]:
        self.space = application.observations
        return application.input_columns

    def schemas(self) -> dict[str, dict[str, Any]]:
        example = self.space.plain(self.space.sample(np.random.default_rng(0), 1)[0])
        kind = {int: "integer", dict: "object", str: "string"}.get(type(example), "array")
        told = {"type": kind, "description": str(self.space)}
        # An image has thousands of numbers, which show nobody anything.
        return {self.columns[0]: told | ({"example": example} if self.space.size <= _SHOWN else {})}

    def cell(self, column: str, value: Any) -> str:
        try:
            self.space.read(value)
        except ValueError as wrong:
            raise ValueError(f"the observation is {wrong}; it has to be {self.space}") from wrong
        return value if isinstance(value, str) else json.dumps(value)


def name_of(column: str, value: Any) -> str:
    """A name out of JSON: a text, or a number.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, str):
        return text(column, value, "a name").strip()
    if isinstance(value, bool) or not isinstance(value, int | float) or tidy(value) is None:
        raise ValueError(f"column {column} holds {_called(value)}, not a name")
    return str(tidy(value))


def text(column: str, value: Any, what: str) -> str:
    """A text that is valid Unicode.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, str):
        raise ValueError(f"column {column} holds {_called(value)}, not {what}")
    try:
        value.encode()
    except UnicodeEncodeError as damage:
        raise ValueError(f"column {column} holds text that is not valid Unicode") from damage
    return value


def cells_of(application: Application) -> Cells:
    """How the inputs of an application come."""
    return _CELLS[catalog.task(application.task).inputs[0]](application)


def _called(value: Any) -> str:
    names = {"dict": "an object", "list": "a list", "str": "a text", "bool": "a truth value", "NoneType": "null"}
    return names.get(type(value).__name__, "a number")


_CELLS: Final[dict[str, type[Cells]]] = {
    "Text": TextCells, "Image": ImageCells, "User": UserCells, "Observation": ObservationCells,
}  # fmt: skip
_SHOWN: Final = 5
"""Names of a row that are told where none is right."""
_DOT: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A PNG of one pixel."""
