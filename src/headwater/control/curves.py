"""Learning curves for TensorBoard, without torch: an agent that learns in numpy need not wait for it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from headwater.errors import ExtraError


class Curves:
    """Writes scalars into a folder that `tensorboard --logdir` reads.

    Args:
        folder: where the event files go.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from tensorboard.summary import Writer
        except ModuleNotFoundError as missing:
            raise ExtraError(
                "Learning curves need the library tensorboard, which is not installed",
                fix="Install it with: pip install 'headwater[control]'",
            ) from missing
        folder.mkdir(parents=True, exist_ok=True)
        self._writer: Any = Writer(str(folder))

    def write(self, step: int, **values: float) -> None:
        """Adds one point to the curve of each name; what is no number is left out."""
        for name, value in values.items():
            if math.isfinite(value):
                self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Writes what is still in memory."""
        self._writer.close()
