"""Keeping the warnings of Pillow to itself while several threads read images."""

from __future__ import annotations

import threading
import warnings
from typing import Final


class _Quiet:
    """Keeps Pillow's warnings, of odd metadata, to itself while any thread is inside.

    Python's own `catch_warnings`, where threads leave in another order than they came, never gives the filters back.
    """

    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._caught = warnings.catch_warnings()
                self._caught.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._caught.__exit__(None, None, None)


QUIETLY: Final = _Quiet()
