"""Areas under the ROC and the precision-recall curve from histograms of scores, with standard errors.

Each class has two histograms of log-odds, one over the rows that have the class and one over the others. Both areas are
functions of these histograms, up to the order of rows within one bin; the bins are 1/64 wide between log-odds of -16
and 16, which leaves errors far below 0.001 unless nearly all scores are equal.

The standard error is that of the infinitesimal jackknife: the influence of a row on the area (the derivative of the
area by the row's weight) depends on its class and bin only, so it is a table, and the variance is the sum over bins of
count times influence squared. For the ROC area this is DeLong's (1988) variance. The variance of a mean over classes
needs the covariances too; they are estimated from a sample of rows, and the mean is never taken to be surer than if the
classes were independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headwater.evaluation.intervals import Estimate, normal

BINS = 2048
_WIDEST = 16.0


def bins_of(probabilities: np.ndarray) -> np.ndarray:
    """The histogram bin of each probability, by its log-odds; same shape, 0 to BINS - 1."""
    exact = np.clip(probabilities.astype(np.float64), 1e-12, 1 - 1e-12)
    scaled = (np.log(exact) - np.log1p(-exact)) * (BINS / (2 * _WIDEST)) + BINS / 2
    return np.clip(scaled, 0, BINS - 1).astype(np.uint16)


@dataclass(frozen=True)
class Area:
    """One kind of area for every class.

    Attributes:
        values: shape (classes,); not-a-number for a class that no row, or every row, has.
        influence: shape (2, classes, BINS): how much a row without [0] or with [1] the class moves the area.
        variances: shape (classes,).
        rows: the smaller of the numbers of rows with and without the class, shape (classes,).
    """

    values: np.ndarray
    influence: np.ndarray
    variances: np.ndarray
    rows: np.ndarray

    def of_classes(self) -> list[Estimate]:
        numbers = zip(self.values.tolist(), np.sqrt(self.variances).tolist(), self.rows.tolist(), strict=True)
        return [normal(value, error, rows=rows, bounds=(0, 1)) for value, error, rows in numbers]

    def mean(self, bins: np.ndarray, truth: np.ndarray, rows: int) -> Estimate:
        """The mean over classes that have a value; `bins`, `truth`: sampled rows, shape (sample, classes)."""
        measured = np.flatnonzero(np.isfinite(self.values))
        if not measured.size:
            return Estimate(np.nan)
        moved = self.influence[truth[:, measured].astype(np.int64), measured, bins[:, measured]]
        covariances = moved.sum(axis=1).var() - moved.var(axis=0).sum()
        alone = self.variances[measured].sum()
        error = np.sqrt(max(alone + rows * covariances, alone)) / measured.size
        return normal(float(self.values[measured].mean()), float(error), rows=rows, bounds=(0, 1))


class Ranking:
    """Histograms of scores: how well does each class's probability tell its rows from the others?"""

    def __init__(self, n_classes: int) -> None:
        self.histograms = np.zeros((2, n_classes, BINS), dtype=np.int64)
        self._classes = np.arange(n_classes)

    def update(self, bins: np.ndarray, truth: np.ndarray) -> None:
        """Counts rows: bins from `bins_of` and booleans, both of shape (rows, classes)."""
        cells = (truth * len(self._classes) + self._classes) * BINS + bins
        np.add.at(self.histograms.reshape(-1), cells.reshape(-1), 1)

    def roc(self) -> Area:
        """The area under the ROC curve: the chance that a row of the class has the higher score."""
        negative, positive, negatives, positives = self._sides()
        with np.errstate(invalid="ignore", divide="ignore"):
            beaten = (np.cumsum(negative, axis=1) - negative / 2) / negatives
            unbeaten = (positives - np.cumsum(positive, axis=1) + positive / 2) / positives
            value = (positive * beaten).sum(axis=1) / positives[:, 0]
            centred = np.stack([unbeaten - value[:, np.newaxis], beaten - value[:, np.newaxis]])
            sizes = np.stack([negatives, positives])
            return self._area(value, centred / np.sqrt(sizes * np.maximum(sizes - 1, 1)))

    def average_precision(self) -> Area:
        """The mean over rows of the class of the precision at their score."""
        negative, positive, negatives, positives = self._sides()
        with np.errstate(invalid="ignore", divide="ignore"):
            above, false = _from_the_top(positive), _from_the_top(negative)
            hits, named = above - (positive - 1) / 2, above + false - (positive - 1 + negative) / 2
            mean = (positive * hits / np.maximum(named, 1)).sum(axis=1) / positives[:, 0]
            mean[negatives[:, 0] == 0] = np.nan
            square = np.maximum(above + false, 1) ** 2
            helped = np.cumsum(positive * false / square, axis=1)
            harmed = -np.cumsum(positive * above / square, axis=1)
            precision = above / np.maximum(above + false, 1)
            return self._area(mean, np.stack([harmed, helped + precision - mean[:, np.newaxis]]) / positives)

    def _sides(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        negative, positive = self.histograms
        return negative, positive, negative.sum(axis=1, keepdims=True), positive.sum(axis=1, keepdims=True)

    def _area(self, values: np.ndarray, influence: np.ndarray) -> Area:
        variances = (self.histograms * influence**2).sum(axis=(0, 2))
        return Area(values, influence, variances, self.histograms.sum(axis=2).min(axis=0))


def _from_the_top(counts: np.ndarray) -> np.ndarray:
    return np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]
