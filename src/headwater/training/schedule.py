"""How the learning rate rises and falls over the steps of a training."""

from __future__ import annotations

import math
from collections.abc import Callable

Decay = Callable[[float], float]


def linear(done: float) -> float:
    """The share of the learning rate that is left when a share of the decay is done: a straight line to 0."""
    return 1.0 - done


def cosine(done: float) -> float:
    """Half a cosine to 0 (Loshchilov and Hutter, SGDR, 2017): slow at both ends."""
    return 0.5 * (1.0 + math.cos(math.pi * done))


def factor(step: int, total: int, warmup: float, decay: Decay = linear) -> float:
    """What the learning rate is multiplied by in one step.

    Args:
        step: the step, counted from 0.
        total: the steps of the whole training.
        warmup: the share of steps in which the factor rises in a line to 1.
        decay: how it falls from there to 0, which it would reach in the step after the last.

    Example:
        >>> [factor(step, total=5, warmup=0.2) for step in range(5)]
        [1.0, 1.0, 0.75, 0.5, 0.25]
    """
    rising = math.ceil(total * warmup)
    if step < rising:
        return (step + 1) / rising
    return decay((step - rising) / max(1, total - rising))
