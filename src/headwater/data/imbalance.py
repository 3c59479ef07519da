"""What to do about classes of unequal size: weigh the rows, or draw them again."""

from __future__ import annotations

import numpy as np

from headwater.errors import SettingError


def class_weights(targets: np.ndarray, n_classes: int) -> np.ndarray:
    """A weight for each row, the inverse frequency of its class, with mean 1, shape (rows,).

    Where several labels hold, a row counts by its rarest label, and rows without a label are one class more.

    Args:
        targets: class positions of shape (rows,), or zeros and ones of shape (rows, classes).
        n_classes: how many classes there are; those without a row take no part.

    Example:
        >>> class_weights(np.array([0, 0, 0, 1]), 2).round(2).tolist()
        [0.67, 0.67, 0.67, 2.0]
    """
    strata = _strata(targets)
    sizes = np.bincount(strata, minlength=n_classes)
    return len(strata) / (np.count_nonzero(sizes) * sizes[strata])


def effective_weights(targets: np.ndarray, n_classes: int, beta: float) -> np.ndarray:
    """A weight for each row, the inverse of the effective number of rows of its class, with mean 1, shape (rows,).

    The more rows a class has, the less a further one adds: n of them count as (1 - beta^n) / (1 - beta) (Cui et al.
    2019). A `beta` of 0 weighs all rows alike; the nearer to 1, the nearer to `class_weights`.

    Args:
        targets: as for `class_weights`.
        n_classes: as for `class_weights`.
        beta: how fast further rows lose worth, from 0 to below 1.

    Example:
        >>> effective_weights(np.array([0, 0, 0, 1]), 2, beta=0.5).round(2).tolist()
        [0.84, 0.84, 0.84, 1.47]
    """
    strata = _strata(targets)
    sizes = np.bincount(strata, minlength=n_classes)[strata]
    weights = (1 - beta) / (1 - beta**sizes)
    return weights / weights.mean()


def resample(targets: np.ndarray, how: str, seed: int) -> np.ndarray:
    """Row positions, ascending, in which every class occurs equally often.

    `oversample` brings each class to the size of the largest: all its rows as often as they fit, and a draw without
    replacement for the rest. `undersample` draws as many of each as the smallest has. Where several labels hold, a
    row counts by its rarest label.

    Raises:
        SettingError: another way than these two.

    Example:
        >>> resample(np.array([0, 0, 0, 1]), "oversample", seed=0).tolist()
        [0, 1, 2, 3, 3, 3]
    """
    largest = {"oversample": True, "undersample": False}.get(how)
    if largest is None:
        raise SettingError(
            "There is no such way to resample", where="imbalance", got=how, accepted="oversample, undersample"
        )
    members = _members(_strata(targets))
    size = (max if largest else min)(map(len, members))
    draw = np.random.default_rng(seed)
    return np.sort(np.concatenate([drawn(rows, size, draw) for rows in members]))


def drawn(rows: np.ndarray, size: int, draw: np.random.Generator) -> np.ndarray:
    """So many of the rows: all of them as often as they fit, and a draw without replacement for the rest."""
    times, rest = divmod(size, len(rows))
    return np.concatenate([np.tile(rows, times), draw.choice(rows, rest, replace=False)])


def _members(strata: np.ndarray) -> list[np.ndarray]:
    return [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]


def _strata(targets: np.ndarray) -> np.ndarray:
    """Each row's class; of several labels the rarest, and the number of classes where there is none."""
    if targets.ndim == 1:
        return targets
    frequency = np.where(targets > 0, targets.sum(axis=0), np.inf)
    return np.where(targets.any(axis=1), frequency.argmin(axis=1), targets.shape[1])
