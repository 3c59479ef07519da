"""What using a model costs: seconds, memory, size."""

from __future__ import annotations

import ctypes
import gc
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Cost:
    """What a model costs on this machine; None where it cannot be told.

    Attributes:
        seconds: for the features, or the answers, of 1,000 of these rows, its loading not counted.
        mebibytes: by how much the resident memory of the process rose at most, loading counted.
        parameters: numbers in the model.
        megabytes: its weights on disk.
        width: how many features a row has.
        max_length: how much of an input is read, in the model's own units (tokens of a text).
        spent: the seconds that measuring it took here; what was on disk already took none.
    """

    seconds: float | None = None
    mebibytes: float | None = None
    parameters: int | None = None
    megabytes: float | None = None
    width: int | None = None
    max_length: int | None = None
    spent: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The numbers by name."""
        return asdict(self)


class PeakMemory:
    """By how many MiB the resident memory of this process rises at most within a block.

    What earlier work has freed is given back to the system before, as far as it can be: else a model would seem to
    need only what its forerunner did not. Linux tells the peak, and forgets the last one when asked to; elsewhere, and
    on a graphics card, nothing is told.

    Example:
        >>> with PeakMemory() as peak:
        ...     much = b"x" * 2**25
        >>> peak.mebibytes is None or 30 < peak.mebibytes < 40
        True
    """

    mebibytes: float | None = None

    def __enter__(self) -> Self:
        gc.collect()
        _give_back()
        self._before = _status("VmRSS") if _forget_peak() else None
        return self

    def __exit__(self, *_: object) -> None:
        peak = _status("VmHWM")
        if self._before is not None and peak is not None:
            self.mebibytes = max(peak - self._before, 0) / 1024


def _give_back() -> None:
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError, TypeError):  # another C library keeps what was freed: the rise is told too small
        return


def _forget_peak() -> bool:
    try:
        _RESET.write_text("5")
    except OSError:
        return False
    return True


def _status(name: str) -> int | None:
    """A number of KiB out of what Linux says of this process."""
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) if found else None
