"""Running means and spreads, by which numbers of any size come near one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

_FARTHEST: Final = 10.0


class Running:
    """Mean and variance of all that was seen so far (Welford 1962; Chan et al. 1983).

    Attributes:
        moments: mean and variance, float64 of shape (2, width).
        count: how many were seen, shape (1,).

    Args:
        width: how many numbers a value has.
        leave: which of them stay as they are, such as pixels.

    Example:
        >>> seen = Running(1)
        >>> seen.see(np.array([[1.0], [3.0]]))
        >>> seen.moments.ravel().tolist(), seen.of(np.array([[3.0]])).tolist()
        ([2.0, 1.0], [[1.0]])
    """

    def __init__(self, width: int, *, leave: Sequence[slice] = ()) -> None:
        self._leave = leave
        self.moments, self.count = np.vstack([np.zeros(width), np.ones(width)]), np.zeros(1)

    def see(self, values: np.ndarray) -> None:
        """Takes values of shape (rows, width) into account."""
        had, new = float(self.count[0]), len(values)
        mean, variance = values.mean(axis=0, dtype=np.float64), values.var(axis=0, dtype=np.float64)
        apart = mean - self.moments[0]
        total = had + new
        self.moments[1] = (had * self.moments[1] + new * variance + apart**2 * had * new / total) / total
        self.moments[0] += apart * new / total
        self.count[0] = total

    def of(self, values: np.ndarray) -> np.ndarray:
        """The values in units of their spread around their mean, none farther from it than ten."""
        centred = (values - self.moments[0]) / self.spread
        found = np.clip(centred, -_FARTHEST, _FARTHEST).astype(np.float32)
        for place in self._leave:
            found[:, place] = values[:, place]
        return found

    @property
    def spread(self) -> np.ndarray:
        """The standard deviation, shape (width,)."""
        return np.sqrt(self.moments[1] + 1e-8)
