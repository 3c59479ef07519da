"""Histograms of known boxes: how large they are, how many a picture has, and how many of each are found."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from headwater.data.boxes import Boxes
from headwater.evaluation.matching import Matched

_EDGES: Final = (0, 4, 8, 16, 32, 64, 96, 128, 256, 512, 1024)
"""Limits of the edge of a square of the same area, in pixels."""
_NUMBERS: Final = (0, 1, 2, 3, 5, 10, 20, 50, 100)


class BoxCounts:
    """Counts boxes by size, and pictures by how many they have.

    Example:
        >>> counts = BoxCounts()
        >>> box = Boxes(np.array([[0, 0, 10, 10]], np.float32), np.array([0]))
        >>> counts.update([box], [np.array([True])])
        >>> counts.sizes(), counts.numbers()
        ([{'name': '8 to 15', 'count': 1, 'found': 1}], [{'name': '1', 'count': 1}])
    """

    def __init__(self) -> None:
        self._sizes = np.zeros((2, len(_EDGES)), dtype=np.int64)
        self._numbers = np.zeros(len(_NUMBERS), dtype=np.int64)

    def update(self, known: Sequence[Boxes], seen: Sequence[np.ndarray | Matched]) -> None:
        """Counts some pictures, with which of their known boxes are found, or what `match` says of them."""
        for boxes, found in zip(known, seen, strict=True):
            flags = found.seen if isinstance(found, Matched) else found
            place = np.searchsorted(_EDGES, np.sqrt(boxes.areas), side="right") - 1
            self._sizes[0] += np.bincount(place, minlength=len(_EDGES))
            self._sizes[1] += np.bincount(place[flags], minlength=len(_EDGES))
            self._numbers[np.searchsorted(_NUMBERS, len(boxes), side="right") - 1] += 1

    def sizes(self) -> list[dict[str, Any]]:
        """For each range of sizes that occurs how many known boxes have it, and how many of them are found."""
        return [{"name": name, "count": count, "found": found}
                for name, count, found in zip(_names(_EDGES), *self._sizes.tolist(), strict=True) if count]  # fmt: skip

    def numbers(self) -> list[dict[str, Any]]:
        """For each number of boxes that occurs how many pictures have it."""
        return [{"name": name, "count": count}
                for name, count in zip(_names(_NUMBERS), self._numbers.tolist(), strict=True) if count]  # fmt: skip


def _names(limits: Sequence[int]) -> list[str]:
    """Each range in words.

    Example:
        >>> _names((0, 1, 3, 5))
        ['0', '1 to 2', '3 to 4', '5 and more']
    """
    pairs = itertools.pairwise(limits)
    inner = [str(low) if high == low + 1 else f"{low} to {high - 1}" for low, high in pairs]
    return [*inner, f"{limits[-1]} and more"]
