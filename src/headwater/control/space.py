"""What every kind of observation or action can tell of itself.

An observation is known in two forms: `raw`, its numbers in a row as the environment gave them, which is what is stored
and sent; and `encoded`, what a network reads, in which a choice is a one among zeros.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np


class Space(ABC):
    """One kind of observation or action.

    Attributes:
        size: how many raw numbers it has.
        width: how many it has when encoded.
        dtype: the type of the raw numbers.
    """

    kind: ClassVar[str]

    @property
    @abstractmethod
    def size(self) -> int: ...

    @property
    @abstractmethod
    def width(self) -> int: ...

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]: ...

    @abstractmethod
    def raw(self, value: Any) -> np.ndarray:
        """The numbers of a value that an environment gave, shape (size,).

        Raises:
            ValueError, TypeError: it is none of this space.
        """

    @abstractmethod
    def encode(self, raw: np.ndarray) -> np.ndarray:
        """What a network reads of raw numbers of shape (rows, size): float32 of shape (rows, width)."""

    @abstractmethod
    def value(self, raw: np.ndarray) -> Any:
        """The value of raw numbers of shape (size,), as an environment takes it."""

    @abstractmethod
    def sample(self, random: np.random.Generator, rows: int) -> np.ndarray:
        """Raw numbers drawn at random, shape (rows, size); of an unbounded side from a standard normal."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """The space as plain data, which `from_json` reads back."""

    def read(self, cell: Any) -> np.ndarray:
        """The raw numbers of a cell of a table or a request: a number, a list of numbers, or JSON text of one.

        Raises:
            ValueError: it is no observation; the text of the error says why.
        """
        if isinstance(cell, str):
            try:
                cell = json.loads(cell)
            except ValueError:
                raise ValueError("a text that is no list of numbers") from None
        try:
            return self.raw(cell)
        except (TypeError, OverflowError) as wrong:
            raise ValueError(f"not {self}") from wrong

    def read_done(self, cell: Any) -> np.ndarray:
        """The raw numbers of a cell that tells what was done.

        Raises:
            ValueError: it is no action, or one that the environment would not take; the text of the error says why.
        """
        return self.read(cell)

    def plain(self, raw: np.ndarray) -> Any:
        """A value as JSON has it."""
        found = self.value(raw)
        return found.tolist() if isinstance(found, np.ndarray) else found
