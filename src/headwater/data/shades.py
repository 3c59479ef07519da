"""Numbers of any type as shades of 8 bits: which of them is white, and how to shade large pictures in little memory."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

import numpy as np

WHITES: Final = (255.0, 1023.0, 4095.0, 16_383.0, 65_535.0)
"""White of 8, 10, 12, 14 and 16 bits: what cameras and scanners count to, whatever type their numbers are stored in."""
LUMA: Final = (0.299, 0.587, 0.114)
"""How bright red, green and blue look: the weights of grey (ITU-R BT.601)."""
_OVERSHOOT: Final = 0.1
"""How far broken numbers may go below 0 and above white, as a share of the largest: enlarging and filters ring so."""
_AT_ONCE: Final = 1 << 18
_MOST_ALIKE: Final = 0.99


class ShadeError(ValueError):
    """Why numbers are no shades, in words."""


class Rows(Protocol):
    """Rows of numbers, some at a time."""

    def __getitem__(self, rows: slice, /) -> np.ndarray: ...


def eight_bits(rows: Rows, shape: tuple[int, ...], at_least: float = 0.0) -> np.ndarray:
    """Numbers as shades, uint8 of the same shape; what is below black or above white is cut off.

    Args:
        rows: numbers, by slices of the first axis.
        shape: of them all.
        at_least: what white is at least, by what a file says or by other pictures; broken numbers between 0 and 1 have
            a white of 1 all the same.

    Raises:
        ShadeError: there are broken numbers that are clearly below 0, or that are not finite.

    Example:
        >>> eight_bits(np.array([[0.0, 0.5, 1.02]]), (1, 3)), eight_bits(np.array([[0, 4095]], np.uint16), (1, 2))
        (array([[  0, 128, 255]], dtype=uint8), array([[  0, 255]], dtype=uint8))
    """
    white = white_of(rows, shape)
    scale = 255 / (white if white == 1 else max(white, at_least))
    found = np.empty(shape, np.uint8)
    for part in _strips(shape):
        values = rows[part].astype(np.float64)
        values *= scale
        found[part] = np.clip(values.round(out=values), 0, 255, out=values)
    return found


def white_of(rows: Rows, shape: tuple[int, ...]) -> float:
    """The number that is white: the least of 1 (of broken numbers) and `WHITES` that the largest does not go beyond.

    Numbers that go beyond them all have their largest as white.

    Raises:
        ShadeError: there are broken numbers that are clearly below 0, or that are not finite.

    Example:
        >>> [white_of(numbers, (1, 2)) for numbers in (np.array([[0, 1]]), np.array([[0, 0.9]]), np.array([[0, 3000]]))]
        [255.0, 1.0, 4095.0]
    """
    kind = rows[:1].dtype.kind
    if kind == "b":
        return 1.0
    ends = [(float(part.min()), float(part.max())) for part in (rows[part] for part in _strips(shape))]
    lowest, highest = np.array(ends).T
    least, most = float(lowest.min()), float(highest.max())
    if kind != "f":
        return next((white for white in WHITES if most <= white), most)
    if not (math.isfinite(least) and math.isfinite(most)):
        raise ShadeError("it has numbers that are not finite")
    white = next((white for white in (1.0, *WHITES) if most <= white * (1 + _OVERSHOOT)), most)
    if least < -_OVERSHOOT * (white if white == 1 else most):
        raise ShadeError(f"it has numbers below 0, down to {least:.4g}")
    return white


def common_whites(arrays: Iterable[np.ndarray]) -> Mapping[Any, float]:
    """For each type of numbers, the white that arrays of it have in common, so that a dark one stays darker.

    It is the largest that any of them wants by itself, but for one in a hundred: a single number gone wrong, in one of
    many, makes not all of them black. White is 1 for broken numbers that all lie between 0 and 1, whatever others say.

    Example:
        >>> dark, light = np.array([[0, 90]], np.uint16), np.array([[0, 4000]], np.uint16)
        >>> common_whites([dark, light])[dark.dtype]
        4095.0
    """
    wanted: dict[Any, list[float]] = defaultdict(list)
    for array in arrays:
        if array.dtype.kind in "uif" and array.size:
            with suppress(ShadeError):
                wanted[array.dtype].append(white_of(array, array.shape))
    return {kind: common_white(whites) for kind, whites in wanted.items()}


def common_white(whites: Sequence[float]) -> float:
    """The largest of the whites that pictures want by themselves, but for one in a hundred.

    Example:
        >>> common_white([4095.0] * 299 + [65_535.0])
        4095.0
    """
    return float(np.quantile(whites, _MOST_ALIKE, method="nearest"))


def _strips(shape: tuple[int, ...]) -> Iterator[slice]:
    """Slices of the first axis, of about a quarter of a million numbers each."""
    step = max(1, _AT_ONCE // max(1, int(np.prod(shape[1:], dtype=np.int64))))
    return (slice(start, min(start + step, shape[0])) for start in range(0, shape[0], step))
