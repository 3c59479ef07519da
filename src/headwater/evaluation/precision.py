"""Average precision and recall of found boxes, also of many resampled sets of pictures at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

RECALLS: Final = np.linspace(0, 1, 101)
"""Where COCO reads the precision off the curve."""
_AT_ONCE: Final = 4_000_000


@dataclass(frozen=True)
class Ranked:
    """The found boxes of one class at one threshold, the surest first.

    Attributes:
        hits: which are of a known box, shape (boxes,).
        counted: which count at all, shape (boxes,).
        pictures: the picture of each, shape (boxes,).
        known: how many boxes of each picture have to be found, shape (pictures,).

    Example:
        >>> ranked = Ranked(np.array([True, False, True]), np.ones(3, bool), np.array([0, 0, 1]), np.array([1, 1]))
        >>> round(ranked.average_precision(), 3)
        0.835
    """

    hits: np.ndarray
    counted: np.ndarray
    pictures: np.ndarray
    known: np.ndarray

    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Recall and precision after each box, shape (boxes,) each."""
        right = np.cumsum(self.hits)
        return right / max(int(self.known.sum()), 1), right / np.maximum(np.cumsum(self.counted), 1)

    def average_precision(self) -> float:
        """The mean of the best precision at each of 101 recalls or beyond; not-a-number with nothing to find."""
        if not self.known.sum():
            return float("nan")
        recall, precision = self.curve()
        best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
        return float(best[np.searchsorted(recall, RECALLS, side="left")].mean())

    def resampled(self, weights: np.ndarray) -> np.ndarray:
        """The same of resampled pictures.

        Args:
            weights: how often each picture was drawn, shape (replicates, pictures).

        Returns:
            Shape (replicates,); not-a-number where nothing that was drawn has anything to find.
        """
        step = max(1, _AT_ONCE // max(len(self.hits), 1))
        parts = [self._resampled(weights[start : start + step]) for start in range(0, len(weights), step)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _resampled(self, weights: np.ndarray) -> np.ndarray:
        # The curve has its best points where a box is of a known one; no other point matters.
        at = np.flatnonzero(self.hits)
        total = (weights @ self.known).astype(np.float64)
        if not len(at):
            return np.where(total > 0, 0.0, np.nan)
        last = np.flatnonzero(self.counted[: at[-1] + 1])
        between = np.searchsorted(last, np.append(-1, at[:-1]), side="right")
        drawn = weights[:, self.pictures[last]]
        named = np.cumsum(np.add.reduceat(drawn, between, axis=1), axis=1, dtype=np.float64)
        right = np.cumsum(weights[:, self.pictures[at]], axis=1, dtype=np.float64)
        precision = np.divide(right, named, out=np.zeros_like(right), where=named > 0)
        best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        recall = right / np.maximum(total, 1)[:, None]
        reached = np.floor(recall * (len(RECALLS) - 1) + 1e-9) + (recall > 0)
        found = (best * np.diff(reached, axis=1, prepend=0)).sum(axis=1) / len(RECALLS)
        return np.where(total > 0, found, np.nan)


def spread(pictures: int, replicates: int, seed: int) -> np.ndarray:
    """How often each picture is drawn in each replicate of a bootstrap, float32 of shape (replicates, pictures)."""
    random = np.random.default_rng(seed)
    shares = np.full(pictures, 1 / max(pictures, 1))
    return random.multinomial(pictures, shares, size=replicates).astype(np.float32)
