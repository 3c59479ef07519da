"""Labels as users mean them: what counts as one, when two are equal, in which order classes stand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def classes_of(values: Sequence[Any]) -> tuple[Any, ...]:
    """The distinct values in a stable order: numbers by size, everything else by its text."""
    distinct = set(values)
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in distinct):
        return tuple(sorted(distinct))
    return tuple(sorted(distinct, key=str))


def tidy(label: Any) -> Any:
    """A label as users mean it: whole floats are whole numbers, blank text and not-a-number are no label.

    What JSON has no word for, such as a date, is named by its text.

    Example:
        >>> import datetime
        >>> tidy(1.0), tidy(" "), tidy(" yes "), tidy(datetime.date(2024, 2, 1))
        (1, None, 'yes', '2024-02-01')
    """
    if isinstance(label, float):
        if math.isnan(label):
            return None
        return int(label) if label.is_integer() else label
    if isinstance(label, str):
        return label.strip() or None
    return label if label is None or isinstance(label, bool | int) else str(label)


def text_of(label: Any) -> str:
    """The text by which two labels are held equal."""
    return str(label)
