"""What has been found out of things, kept while there is room: several threads may ask at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

Found = TypeVar("Found")


class Remembered(Generic[Found]):
    """The latest answers, by the thing that was asked about; the oldest make room for new ones.

    Args:
        most: how many are kept.

    Example:
        >>> squares = Remembered[int](most=2)
        >>> squares.get(3, lambda: 9), squares.get(3, lambda: 0), len(squares)
        (9, 9, 1)
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._answers: dict[Any, Found] = {}
        self._changing = threading.Lock()

    def get(self, key: Any, find: Callable[[], Found]) -> Found:
        """The answer that is known, else the one that `find` gives; two threads may find the same one at once."""
        known = self._answers.get(key)
        return self._kept(key, find()) if known is None else known

    def __len__(self) -> int:
        return len(self._answers)

    def _kept(self, key: Any, answer: Found) -> Found:
        with self._changing:
            answer = self._answers.setdefault(key, answer)
            while len(self._answers) > self.most:
                del self._answers[next(iter(self._answers))]
        return answer
