"""A uniform sample of rows out of a stream of unknown length."""

from __future__ import annotations

import numpy as np


class RowSample:
    """Keeps at most `size` rows of a stream; every row of the stream has the same chance to be kept.

    Each row draws a random key and those with the smallest keys stay (reservoir sampling by random sort). While the
    stream is not longer than `size` the sample is the stream itself.

    Example:
        >>> sample = RowSample(2, seed=0)
        >>> sample.update({"value": np.arange(100)})
        >>> len(sample), sample.seen
        (2, 100)
    """

    def __init__(self, size: int, seed: int) -> None:
        self.size, self.seen = size, 0
        self.columns: dict[str, np.ndarray] = {}
        self._keys = np.zeros(0)
        self._random = np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self._keys)

    def update(self, columns: dict[str, np.ndarray]) -> None:
        """Looks at some rows: arrays of equal length under the same names in every call."""
        rows = len(next(iter(columns.values())))
        keys = self._random.random(rows)
        self.seen += rows
        full = len(self) == self.size
        wanted = np.flatnonzero(keys < self._keys.max()) if full else np.arange(rows)
        keys = np.concatenate([self._keys, keys[wanted]])
        kept = np.argpartition(keys, self.size)[: self.size] if len(keys) > self.size else np.arange(len(keys))
        for name, values in columns.items():
            before = self.columns.get(name, values[:0])
            self.columns[name] = np.concatenate([before, values[wanted]])[kept]
        self._keys = keys[kept]

    @property
    def scale(self) -> float:
        """By how much a spread seen in the sample is larger than the spread of the whole stream: a factor below one."""
        return float(np.sqrt(len(self) / self.seen)) if self.seen else 1.0
