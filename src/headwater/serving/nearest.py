"""The best of very many items without looking at each: an approximate index over the vectors of the items."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import time
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from headwater import catalog
from headwater.foundation.cache import cache_folder, make_room
from headwater.options import in_words
from headwater.recommendation.interactions import Histories
from headwater.run import write_whole

log = logging.getLogger("headwater")
_NEIGHBOURS: Final = 16
_BUILT: Final = 128
"""How many candidates are looked at for each item that is put in."""
_SEARCHED: Final = 256
"""How many for each that is asked: what this finds stands in docs/serving.md."""
_SPARE: Final = 50
LONGEST: Final = 500
"""The longest history whose items are still searched around; for longer ones every item is scored."""


class Nearest:
    """Finds items whose vector has a large product with that of a user (HNSW, Malkov and Yashunin 2018, by usearch).

    What it finds is scored exactly; what it misses is missed. An item's bias is one more number of its vector.

    Args:
        items: float32 of shape (n_items, factors).
        biases: float32 of shape (n_items,); an item whose bias is -inf is never found.
    """

    def __init__(self, items: np.ndarray, biases: np.ndarray, index: Any) -> None:
        self.items, self.biases, self.index = items, biases, index

    @classmethod
    def of(cls, items: np.ndarray, biases: np.ndarray, folder: Path | None = None) -> Self:
        """Builds the index, or reads the one that was built of these very vectors before.

        Raises:
            ExtraError: usearch is not installed.
        """
        there = np.flatnonzero(np.isfinite(biases))
        vectors = np.hstack([items[there], biases[there, None]]).astype(np.float32)
        index = catalog.load("usearch.index:Index", extra="serving")(
            ndim=vectors.shape[1], metric="ip", dtype="f32", connectivity=_NEIGHBOURS, expansion_add=_BUILT,
            expansion_search=_SEARCHED,
        )  # fmt: skip
        folder = folder or cache_folder().parent / "nearest"
        digest = hashlib.sha256(vectors.tobytes() + there.tobytes() + str((_NEIGHBOURS, _BUILT)).encode())
        path = folder / f"{digest.hexdigest()[:32]}.usearch"
        if path.is_file():
            index.load(path.read_bytes())
            with contextlib.suppress(OSError):  # of a folder that is only to be read
                os.utime(path)
            return cls(items, biases, index)
        began = time.monotonic()
        log.info("%s items: building the index, once for this model", f"{len(there):,}")
        index.add(there, vectors, threads=1)  # one thread, so that the same vectors give the same index
        log.info("the index was built in %s", in_words(time.monotonic() - began))
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, bytes(index.save()))
        make_room(folder.glob("*.usearch"))
        return cls(items, biases, index)

    def best(self, vectors: np.ndarray, seen: Histories | None, k: int) -> list[list[tuple[int, float]]]:
        """The best items of each row with their scores, the best first; of equals the first.

        Args:
            vectors: float32 of shape (rows, factors).
            seen: what each row is not to get; None where it may get everything.
            k: how many.
        """
        return [
            self._best(vector, np.empty(0, np.int32) if seen is None else seen.of(row), k)
            for row, vector in enumerate(vectors)
        ]

    def _best(self, vector: np.ndarray, seen: np.ndarray, k: int) -> list[tuple[int, float]]:
        asked = np.append(vector, np.float32(1))
        found = self.index.search(asked, min(len(self.index), k + len(seen) + _SPARE), threads=1).keys.astype(np.int64)
        found = np.sort(found[~np.isin(found, seen)])
        scores = self.items[found] @ vector + self.biases[found]
        order = np.argsort(-scores, kind="stable")[:k]
        return list(zip(found[order].tolist(), scores[order].tolist(), strict=True))
