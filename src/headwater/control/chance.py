"""Which chances are drawn from the seed of a run: each kind by itself, so that none moves another."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np

_OF_TESTS: Final = 2**31
"""Below it lie the seeds of all other episodes, so that none of these is ever met in a training."""


class Chance(IntEnum):
    """What is drawn; a number that was given once is never another's."""

    PARAMETERS = 1
    RANDOM_ACTIONS = 7
    TRAINING = 11
    FIRST_SCORES = 12
    MORE_SCORES = 13
    TEST = 14
    DRAWN_ACTIONS = 15
    VALIDATION = 16
    SETTLING = 17
    RECORDING = 18
    APPRAISING = 19
    CHOICE_OF_TRAINING = 20
    RANDOM_PLAY = 21
    CLONING = 22


def generator(seed: int, chance: Chance, *more: int) -> np.random.Generator:
    """Draws of one kind, which are the same for the same seed.

    Example:
        >>> first, second = generator(3, Chance.TRAINING, 0), generator(3, Chance.TRAINING, 0)
        >>> first.random() == second.random()
        True
    """
    return np.random.default_rng([seed, chance, *more])


def seeds_of(seed: int, chance: Chance, count: int) -> list[int]:
    """Seeds of so many episodes; those of a test lie where no others do.

    Example:
        >>> max(seeds_of(0, Chance.VALIDATION, 100)) < min(seeds_of(0, Chance.TEST, 100))
        True
    """
    low = _OF_TESTS if chance is Chance.TEST else 0
    # The last one is left out below, as it was when the first figures were measured.
    high = 2 * _OF_TESTS - 1 if chance is Chance.TEST else _OF_TESTS - 1
    return generator(seed, chance).integers(low, high, count).tolist()
