"""Arrays of numbers, some of which are pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Final

import numpy as np

from headwater.control.picture import Picture
from headwater.control.space import Space

_FAR: Final = 1e37
"""An end as far away as this is none: the way from end to end has to be a number of float32."""
_LEVELS: Final = 255
_SLACK: Final = 1e-5
"""By what share of its reach a number may lie outside: text and float32 round."""


@dataclass(frozen=True)
class Box(Space):
    """Numbers in an array of a shape, each between a low and a high end, which may be infinite.

    Attributes:
        shape: of the array.
        low, high: the ends of each number, or one for all.
        pixels: whether the raw numbers are bytes.
        given: the type of the numbers as the environment takes them; agents reckon with float32 anyway.

    Example:
        >>> box = Box((2,), (0.0, -1.0), (1.0, 1.0))
        >>> str(box), box.read("[0.5, 0]").tolist()
        ('2 numbers', [0.5, 0.0])
        >>> Box((2,), (-3.0,), (3.0,), given="int64").value(np.array([1.7, 4.0])).tolist()
        [2, 3]
    """

    shape: tuple[int, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    pixels: bool = False
    given: str = field(default="float32", compare=False)
    kind: ClassVar[str] = "box"

    def __str__(self) -> str:
        sides = f", {' x '.join(map(str, self.shape))}" if len(self.shape) > 1 else ""
        if self.picture is not None:
            return f"an image of whole numbers from 0 to {_LEVELS}{sides}"
        whole = f" from 0 to {_LEVELS}" if self.pixels else ""
        return f"{self.size} {'whole ' * self.whole}number{'s' * (self.size != 1)}{whole}{sides}"

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def width(self) -> int:
        return self.size

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.uint8 if self.pixels else np.float32)

    @property
    def whole(self) -> bool:
        """Whether the environment knows whole numbers only."""
        return self.pixels or np.dtype(self.given).kind in "iub"

    @property
    def picture(self) -> Picture | None:
        """How its pixels lie; None where it is no image."""
        return Picture.of(self.shape) if self.pixels else None

    @cached_property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """The low and the high end of each number, shape (size,) each; infinite where there is none."""
        told = (np.array(end, np.float64) for end in (self.low, self.high))
        low, high = (np.where(np.abs(end) < _FAR, end, np.copysign(np.inf, end)) for end in told)
        return np.broadcast_to(low.astype(np.float32), self.size), np.broadcast_to(high.astype(np.float32), self.size)

    @cached_property
    def _own_ends(self) -> tuple[np.ndarray, np.ndarray]:
        """The ends as the environment has them, in the shape of the array or for all numbers: its type holds them."""
        low, high = (np.array(end, np.float64) for end in (self.low, self.high))
        if np.dtype(self.given).kind in "iu":
            told = np.iinfo(self.given)
            # The largest of 64 bits is no float64, and the next one of those that are is one too large.
            most = float(told.max) if int(float(told.max)) == told.max else float(np.nextafter(float(told.max), 0))
            low, high = np.maximum(low, told.min), np.minimum(high, most)
        return (low.reshape(()), high.reshape(())) if low.size == high.size == 1 else (
            np.broadcast_to(low, self.size).reshape(self.shape), np.broadcast_to(high, self.size).reshape(self.shape)
        )  # fmt: skip

    def raw(self, value: Any) -> np.ndarray:
        numbers = value if isinstance(value, np.ndarray) and value.dtype == self.dtype else _array(value)
        if numbers.shape not in (self.shape, (self.size,)) and not numbers.size == self.size == 1:
            raise ValueError(self._misshapen(numbers))
        # Most environments of images give bytes, of which every one is right.
        if numbers.dtype != self.dtype:
            numbers = _bytes(numbers) if self.pixels else _floats(numbers)
        if not self.pixels and not np.isfinite(numbers).all():
            raise ValueError("a number that is not finite")
        return numbers.reshape(-1)

    def read_done(self, cell: Any) -> np.ndarray:
        raw, (low, high) = self.read(cell), self.ends
        size = np.where(np.isfinite(low) & np.isfinite(high), high - low, 1)
        outside = (raw < low - _SLACK * size) | (raw > high + _SLACK * size)
        if outside.any():
            which = int(outside.argmax())
            raise ValueError(f"an array with {raw[which]:.4g} in it, not from {low[which]:.4g} to {high[which]:.4g}")
        return np.clip(raw, low, high)

    def _misshapen(self, numbers: np.ndarray) -> str:
        if numbers.size == self.size:
            return f"an array of shape {numbers.shape}, not {self.shape}"
        told = f" of shape {numbers.shape}" if max(numbers.ndim, len(self.shape)) > 1 else ""
        return f"{numbers.size} number{'s' * (numbers.size != 1)}{told}, not {self}"

    def encode(self, raw: np.ndarray) -> np.ndarray:
        return raw.astype(np.float32) / _LEVELS if self.pixels else raw.astype(np.float32, copy=False)

    def value(self, raw: np.ndarray) -> np.ndarray:
        """The numbers as an environment takes them: of its shape and type, and never outside of its ends."""
        numbers, (low, high) = raw.reshape(self.shape), self._own_ends
        within = np.fmin(np.fmax(np.rint(numbers) if self.whole else numbers, low), high)
        return np.asarray(within, dtype=np.uint8 if self.pixels else self.given)

    def plain(self, raw: np.ndarray) -> Any:
        # Not `value`: what an environment shows may well lie outside of the ends that it told.
        numbers = raw.reshape(self.shape)
        return (np.rint(numbers).astype(np.int64) if self.whole else numbers).tolist()

    def sample(self, random: np.random.Generator, rows: int) -> np.ndarray:
        low, high = self.ends
        bounded = np.isfinite(low) & np.isfinite(high)
        normal = np.clip(random.standard_normal((rows, self.size)), low, high)
        # Of whole numbers each is as probable as any other, where rounding would give the ends half of their share.
        above = high.astype(np.float64) + self.whole
        within = random.uniform(np.where(bounded, low, 0), np.where(bounded, above, 1), (rows, self.size))
        within = np.minimum(np.floor(within), high) if self.whole else within
        return np.where(bounded, within, normal).astype(self.dtype)

    def to_json(self) -> dict[str, Any]:
        ends = [[str(one) if np.isinf(one) else one for one in end] for end in (self.low, self.high)]
        return {
            "kind": self.kind, "shape": list(self.shape), "low": ends[0], "high": ends[1], "pixels": self.pixels,
            "given": self.given,
        }  # fmt: skip


def _array(value: Any) -> np.ndarray:
    """The numbers of a value, of whatever type they are.

    Raises:
        ValueError: they are none.
    """
    try:
        found = np.asarray(value)
    except ValueError:
        raise ValueError("lists of unequal lengths") from None
    if found.dtype.kind in "buif":
        return found
    try:
        # Texts of numbers, and whole numbers of more than 64 bits.
        return found.astype(np.float64) if found.dtype.kind in "USO" else np.array(float(value))
    except (TypeError, ValueError):
        raise ValueError("something else than numbers") from None


def _floats(numbers: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        found = numbers.astype(np.float32)
    beyond = ~np.isfinite(found) & np.isfinite(numbers)
    if beyond.any():
        raise ValueError(f"an array with {numbers[beyond][0]:.4g} in it, which is more than a float32 holds")
    return found


def _bytes(numbers: np.ndarray) -> np.ndarray:
    """Bytes of other numbers: a conversion would make 44 of 300, and black of all that is divided by 255."""
    right = (numbers >= 0) & (numbers <= _LEVELS)
    if numbers.dtype.kind == "f":
        right &= np.rint(numbers) == numbers
    if not right.all():
        wrong = f"{numbers[~right][0]:.4g}"
        raise ValueError(f"an array with {wrong} in it, which is no whole number from 0 to {_LEVELS}")
    return numbers.astype(np.uint8)
