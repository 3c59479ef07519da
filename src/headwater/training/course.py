"""How long a training takes, and in what steps, where nobody has said so."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from headwater.settings import Settings

_LEAST_BATCH: Final = 4


def completed(
    settings: Settings, rows: int, *, epochs: int, learning_rate: float, fewest_steps: int, most_times: float = math.inf
) -> Settings:  # fmt: skip
    """Settings with epochs and a learning rate where they are open: few rows are passed over more often.

    Args:
        settings: those of a run.
        rows: how many there are to learn from.
        epochs: what many rows take.
        learning_rate: the highest of the schedule.
        fewest_steps: what few rows take as well, by more epochs.
        most_times: how many times as many epochs these are at most.

    Example:
        >>> [completed(Settings(), rows, epochs=3, learning_rate=0.1, fewest_steps=100).epochs for rows in (64, 5000)]
        [50, 3]
    """
    needed = math.ceil(fewest_steps / max(1, math.ceil(rows / settings.batch_size)))
    return replace(
        settings,
        epochs=settings.epochs or max(epochs, int(min(needed, most_times * epochs))),
        learning_rate=learning_rate if settings.learning_rate is None else settings.learning_rate,
    )


def in_small_steps(settings: Settings, rows: int, steps: int) -> Settings:
    """Settings under which even few rows make about so many steps an epoch, of four rows at least.

    Example:
        >>> [in_small_steps(Settings(), rows, 24).batch_size for rows in (8, 240, 5000)]
        [4, 10, 32]
    """
    return replace(settings, batch_size=min(settings.batch_size, max(_LEAST_BATCH, rows // steps)))
