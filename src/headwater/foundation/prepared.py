"""Pictures on their way to a network: decoded by threads while the network works on those before them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
import torch

from headwater.data.pictures import Picture, pixels
from headwater.foundation.reading import Reading

_PATCH: Final = 16
_DECODERS: Final = (2, 16)


@dataclass(frozen=True)
class PreparedPictures:
    """Pictures that are decoded when they are asked for, or a little ahead: all of them would fill the memory."""

    pictures: Sequence[Picture]
    reading: Reading
    _coming: dict[int, Future[np.ndarray]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.pictures)

    @cached_property
    def lengths(self) -> np.ndarray:
        """Patches of 16 by 16 pixels: the same of every picture."""
        return np.full(len(self), max(1, (self.reading.side // _PATCH) ** 2))

    def ahead(self, rows: np.ndarray) -> None:
        """Begins to decode these rows, which a batch will soon ask for; those that are under way already are left."""
        pool = _decoders(os.getpid())
        for row in rows.tolist():
            if row not in self._coming:
                self._coming[row] = pool.submit(self._read, row)

    def batch(self, rows: np.ndarray) -> dict[str, torch.Tensor]:
        """Normalised pixels of shape (rows, 3, side, side).

        Raises:
            DataError: a picture cannot be read any more.
        """
        self.ahead(rows)
        coming = [self._coming[row] for row in rows.tolist()]
        for row in set(rows.tolist()):
            del self._coming[row]
        return {"pixel_values": torch.from_numpy(np.stack([one.result() for one in coming]))}

    def _read(self, row: int) -> np.ndarray:
        return self.reading.read(pixels(self.pictures[row], self.reading.side))


@lru_cache(1)
def _decoders(process: int) -> ThreadPoolExecutor:
    """The threads that decode, kept for as long as the process: a process that was forked has none of its parent's."""
    least, most = _DECODERS
    return ThreadPoolExecutor(max(least, min(most, os.cpu_count() or 1)), "headwater-decoder")
