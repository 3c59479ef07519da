"""Ctrl-C while something must not be left half done."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Self


class Interruption:
    """Notes the first Ctrl-C instead of raising it, so that a step can end; a second one is raised at once.

    Outside the main thread, where Python has no signals, it does nothing.

    Example:
        >>> with Interruption() as interruption:
        ...     interruption.asked
        False
    """

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> Self:
        self._catches = threading.current_thread() is threading.main_thread()
        if self._catches:
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._catches:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, signal_number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
