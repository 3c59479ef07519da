"""Learning curves for TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class Tracker:
    """Writes scalars into a folder that `tensorboard --logdir` reads.

    Args:
        folder: where the event files go.
        first_step: events of an earlier, broken attempt from this step on are hidden.
        active: only one of several processes writes.
    """

    def __init__(self, folder: Path, *, first_step: int = 0, active: bool = True) -> None:
        self._writer: Any = None
        if active:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(folder), purge_step=first_step or None)

    def write(self, step: int, **values: float) -> None:
        """Adds one point to the curve of each name."""
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Writes what is still in memory."""
        if self._writer is not None:
            self._writer.close()
