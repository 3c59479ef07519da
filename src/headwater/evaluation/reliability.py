"""Whether probabilities mean what they say: reliability bins, expected calibration error, log-loss, Brier score."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from headwater.evaluation.intervals import Estimate, normal, percentile

BINS = 15


class Reliability:
    """Counts answers by the confidence they were given with (Guo et al. 2017).

    One class a row: the answer is the most probable class. Several labels: every label of every row is an answer, and
    since those of one row hang together, the interval is the wider one of as many answers as there are rows.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.counts = np.zeros((2, BINS), dtype=np.int64)
        """Answers that were wrong [0] and right [1], by bin of confidence."""
        self.confidences = np.zeros((2, BINS))
        """The sum of the confidences of the same answers."""

    def update(self, confidences: np.ndarray, right: np.ndarray) -> None:
        """Counts answers: confidences and booleans, of shape (rows,) or (rows, classes)."""
        self.rows += len(confidences)
        bins = np.clip((confidences * BINS).astype(np.int64), 0, BINS - 1)
        where = (right.astype(np.int64), bins)
        np.add.at(self.counts, where, 1)
        np.add.at(self.confidences, where, confidences)

    def error(self, replicates: int, seed: int) -> Estimate:
        """The expected calibration error: the mean distance of confidence from the share of right answers.

        Chance alone moves a bin of few answers away from its confidence, which makes the value too high. The interval
        reaches further down by the most that this can be: the error that perfectly calibrated answers would show.
        """
        answers = self.counts.sum()
        if not answers:
            return Estimate(np.nan)
        value = float(self._error(self.counts, answers))
        chances = self.counts.ravel() / answers
        drawn = np.random.default_rng(seed).multinomial(self.rows, chances, size=replicates)
        errors = self._error(drawn.reshape(-1, 2, BINS), self.rows)
        interval = percentile(value, errors, rows=self.rows)
        return replace(interval, low=max(0.0, interval.low - self._of_chance()))

    def to_json(self) -> list[dict[str, Any]]:
        """The bins that hold answers: their limits, count, mean confidence and share of right answers."""
        counts, sums = self.counts.sum(axis=0), self.confidences.sum(axis=0)
        return [
            {
                "low": position / BINS,
                "high": (position + 1) / BINS,
                "count": int(counts[position]),
                "confidence": float(sums[position] / counts[position]),
                "accuracy": float(self.counts[1, position] / counts[position]),
            }
            for position in np.flatnonzero(counts).tolist()
        ]

    def _of_chance(self) -> float:
        """The expected error of calibrated answers: normal variables stand this far from their mean."""
        right, answers = self.counts[1], self.counts.sum(axis=0)
        distances = np.sqrt(2 / math.pi * right * (answers - right) / np.maximum(answers, 1))
        return float(distances.sum() / answers.sum())

    def _error(self, counts: np.ndarray, answers: int) -> np.ndarray:
        means = self.confidences / np.maximum(self.counts, 1)
        return np.abs(counts[..., 1, :] - (counts * means).sum(axis=-2)).sum(axis=-1) / answers


class Moments:
    """The mean of a stream of numbers and its normal interval."""

    def __init__(self) -> None:
        self.rows, self.mean, self._squares = 0, 0.0, 0.0

    def update(self, values: np.ndarray) -> None:
        """Takes in numbers of shape (rows,) (Chan et al. 1983)."""
        if not len(values):
            return
        rows, away = self.rows + len(values), float(values.mean()) - self.mean
        self._squares += float(((values - values.mean()) ** 2).sum()) + away**2 * self.rows * len(values) / rows
        self.mean += away * len(values) / rows
        self.rows = rows

    def estimate(self) -> Estimate:
        if not self.rows:
            return Estimate(np.nan)
        return normal(self.mean, math.sqrt(self._squares / max(self.rows - 1, 1) / self.rows), rows=self.rows)


def log_losses(probabilities: np.ndarray, truth: np.ndarray, *, several: bool) -> np.ndarray:
    """The negative log-likelihood of each row, shape (rows,); the mean over labels where several may hold."""
    exact = probabilities.astype(np.float64)
    tiny = np.finfo(probabilities.dtype).eps
    if several:
        return -np.log(np.clip(np.where(truth, exact, 1 - exact), tiny, 1)).mean(axis=1)
    return -np.log(np.clip(exact[truth], tiny, 1))


def brier_scores(probabilities: np.ndarray, truth: np.ndarray, *, several: bool) -> np.ndarray:
    """The squared distance of probabilities from the truth (Brier 1950), from 0 (best) to 1 (worst), shape (rows,)."""
    squares = (probabilities.astype(np.float64) - truth) ** 2
    return squares.mean(axis=1) if several else squares.sum(axis=1) / 2
