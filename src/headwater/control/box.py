"""Arrays of numbers, some of which are pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from headwater.control.picture import Picture
from headwater.control.space import Space


@dataclass(frozen=True)
class Box(Space):
    """Numbers in an array of a shape, each between a low and a high end, which may be infinite.

    Example:
        >>> box = Box((2,), (0.0, -1.0), (1.0, 1.0))
        >>> str(box), box.read("[0.5, 0]").tolist()
        ('2 numbers', [0.5, 0.0])
    """

    shape: tuple[int, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    pixels: bool = False
    kind: ClassVar[str] = "box"

    def __str__(self) -> str:
        sides = f", {' x '.join(map(str, self.shape))}" if len(self.shape) > 1 else ""
        if self.picture is not None:
            return f"an image of whole numbers from 0 to 255{sides}"
        return f"{self.size} number{'s' * (self.size != 1)}{sides}"

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
    def picture(self) -> Picture | None:
        """How its pixels lie; None where it is no image."""
        return Picture.of(self.shape) if self.pixels else None

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """The low and the high end of each number, shape (size,) each."""
        low, high = (np.broadcast_to(np.array(end, np.float32), self.size) for end in (self.low, self.high))
        return low, high

    def raw(self, value: Any) -> np.ndarray:
        numbers = np.asarray(value, dtype=self.dtype)
        if numbers.shape not in (self.shape, (self.size,)) and not numbers.size == self.size == 1:
            raise ValueError(f"{numbers.size} number{'s' * (numbers.size != 1)}, not {self}")
        if not self.pixels and not np.isfinite(numbers).all():
            raise ValueError("a number that is not finite")
        return numbers.reshape(-1)

    def encode(self, raw: np.ndarray) -> np.ndarray:
        return raw.astype(np.float32) / 255 if self.pixels else raw.astype(np.float32, copy=False)

    def value(self, raw: np.ndarray) -> np.ndarray:
        return raw.reshape(self.shape).astype(self.dtype)

    def sample(self, random: np.random.Generator, rows: int) -> np.ndarray:
        low, high = self.ends
        bounded = np.isfinite(low) & np.isfinite(high)
        normal = np.clip(random.standard_normal((rows, self.size)), low, high)
        within = random.uniform(np.where(bounded, low, 0), np.where(bounded, high, 1), (rows, self.size))
        return np.where(bounded, within, normal).astype(self.dtype)

    def to_json(self) -> dict[str, Any]:
        ends = [[str(one) if np.isinf(one) else one for one in end] for end in (self.low, self.high)]
        return {
            "kind": self.kind, "shape": list(self.shape), "low": ends[0], "high": ends[1], "pixels": self.pixels,
        }  # fmt: skip
