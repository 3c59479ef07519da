"""What a person can check of rows with their own eyes, whatever kind of input they are."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np


@dataclass(frozen=True)
class Traits:
    """Properties of input values that explain a difference between two sets of them.

    Attributes:
        numbers: measurements by name, such as "words", each of shape (rows,); the name reads well before "a row".
        shares: how much of each row is of each kind, such as of each script: `{"script": {"Latin": (rows,)}}`. The
            shares of a row sum to at most one.
        words: the distinct things with a name that occur in each row, such as its words; empty where there are none.
    """

    numbers: Mapping[str, np.ndarray] = field(default_factory=dict)
    shares: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)
    words: Sequence[frozenset[str]] = ()


@cache
def script_of(letter: str) -> str:
    """The script of a letter: the first word of its Unicode name, but for Han, which Unicode calls CJK.

    Example:
        >>> script_of("a"), script_of("Ж"), script_of("好")
        ('Latin', 'Cyrillic', 'Han')
    """
    name = unicodedata.name(letter, "unknown").split(" ")[0].split("-")[0]
    return "Han" if name == "CJK" else name.capitalize()
