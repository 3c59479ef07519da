"""Metrics of class maps from a stream of pictures, with 95 % intervals over the pictures.

Pixels of one picture are no independent rows: the intervals are those of a bootstrap that draws pictures, each with
what was counted in it. The counts of every picture are kept up to a few thousand, and of a uniform sample beyond;
memory does not grow with the pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from headwater.evaluation import overlap
from headwater.evaluation.boundaries import boundary_f
from headwater.evaluation.counts import Counts, ratio
from headwater.evaluation.intervals import Estimate, Gain, paired_gain, percentile
from headwater.evaluation.sample import RowSample

PRIMARY: Final = "mean_iou"
_CELLS: Final = 2**23
_MOST_PICTURES, _FEWEST_PICTURES = 8192, 256
_PAIRS: Final = 10


class MaskTally:
    """What a stream of class maps is counted into.

    Args:
        classes: the name of each position.
        predictors: who answers, the model first.

    Attributes:
        rows: how many pictures were counted.
        scores: the mean IoU of the model on each of them.

    Example:
        >>> tally = MaskTally(("road", "sky"), ("unet", "baseline"))
        >>> known = np.array([[0, 0, 1, 1]])
        >>> round(tally.update(known, {"unet": np.array([[0, 0, 1, 0]]), "baseline": np.zeros_like(known)}), 3)
        0.583
        >>> tally.metrics()["pixel_accuracy"].value, tally.baselines
        (0.75, ('baseline',))
    """

    def __init__(self, classes: tuple[Any, ...], predictors: tuple[str, ...]) -> None:
        self.classes, self.predictors = classes, predictors
        self.rows, self.scores = 0, []
        self._confusion = np.zeros((len(classes), len(classes)), np.int64)
        self._totals = np.zeros((len(predictors), 3, len(classes)))
        self._edges = np.zeros((2, len(classes)))
        size = _CELLS // max(1, 3 * len(predictors) * len(classes))
        self._sample = RowSample(min(max(size, _FEWEST_PICTURES), _MOST_PICTURES), seed=0)

    @property
    def baselines(self) -> tuple[str, ...]:
        """Those who answer beside the model."""
        return self.predictors[1:]

    def update(self, known: np.ndarray, found: Mapping[str, np.ndarray]) -> float:
        """Counts a picture, and tells the mean IoU of the model on it.

        Args:
            known: class positions of shape (height, width); -1 is void.
            found: for every predictor class positions of the same shape.
        """
        matrices = [overlap.confusion_of(known, found[name], len(self.classes)) for name in self.predictors]
        parts = [overlap.counts_of(matrix) for matrix in matrices]
        counts = np.array([[part.hits, part.support, part.predicted] for part in parts], np.float64)
        edges = boundary_f(known, found[self.predictors[0]], len(self.classes))
        edges = np.array([np.nan_to_num(edges), np.isfinite(edges)], np.float64)
        self._confusion += matrices[0]
        self._totals += counts
        self._edges += edges
        self._sample.update({"counts": counts[None], "edges": edges[None]})
        self.rows += 1
        score = float(overlap.overall(parts[0])[PRIMARY])
        self.scores.append(score)
        return score

    @property
    def absent(self) -> tuple[Any, ...]:
        """The classes without a pixel; means leave them out."""
        return tuple(self.classes[position] for position in np.flatnonzero(self._totals[0, 1] == 0))

    def metrics(self, replicates: int = 1000, seed: int = 0) -> dict[str, Estimate]:
        """Every metric of the model: means over the classes, and over all pixels."""
        weights = self._weights(replicates, seed)
        found = self._estimates(0, weights)
        value, varied = _mean_edge(self._edges), _mean_edge(self._drawn("edges", weights))
        return found | {"boundary_f": self._percentile(float(value), varied)}

    def baseline_metrics(self, replicates: int = 1000, seed: int = 0) -> dict[str, dict[str, Estimate]]:
        """For every baseline the same metrics, but for that of the edges."""
        weights = self._weights(replicates, seed)
        return {name: self._estimates(1 + place, weights) for place, name in enumerate(self.baselines)}

    def per_class(self, replicates: int = 1000, seed: int = 0) -> list[dict[str, Any]]:
        """For every class its name, its pixels and pictures, and its metrics as estimates in JSON."""
        weights = self._weights(replicates, seed)
        values = overlap.of_classes(_counts(self._totals[0]))
        varied = overlap.of_classes(_counts(self._drawn("counts", weights)[:, 0]))
        values["boundary_f"], varied["boundary_f"] = _edge(self._edges), _edge(self._drawn("edges", weights))
        found = []
        for place, name in enumerate(self.classes):
            row = {"class": name, "support": int(self._totals[0, 1, place]), "pictures": int(self._edges[1, place])}
            row["predicted"] = int(self._totals[0, 2, place])
            for metric, value in values.items():
                row[metric] = self._percentile(float(value[place]), varied[metric][:, place]).to_json()
            found.append(row)
        return found

    def confusion(self, most: int = 30) -> dict[str, Any]:
        """Pixels by true (rows) and found class (columns) of the largest classes, and the pairs most often confused."""
        shown = np.sort(np.argsort(-self._totals[0, 1], kind="stable")[:most])
        counts = self._confusion[np.ix_(shown, shown)]
        names = [self.classes[position] for position in shown.tolist()]
        return {
            "classes": names, "counts": counts.tolist(), "left_out": len(self.classes) - len(names),
            "unit": "pixels", "pairs": self._pairs(),
        }  # fmt: skip

    def gain(self, baseline: str, replicates: int = 1000, seed: int = 0) -> Gain:
        """How much better the model is than a baseline on the same pictures, by a paired bootstrap."""
        place = self.predictors.index(baseline)
        drawn = self._drawn("counts", self._weights(replicates, seed))
        value, varied = (_mean(part[..., 0, :, :]) - _mean(part[..., place, :, :]) for part in (self._totals, drawn))
        return paired_gain(baseline, PRIMARY, float(value), varied, scale=self._sample.scale)

    def best_baseline(self) -> str | None:
        """The baseline with the largest mean IoU; None without baselines."""
        scores = [float(_mean(part)) for part in self._totals[1:]]
        return self.baselines[int(np.argmax(scores))] if scores else None

    def _pairs(self) -> list[dict[str, Any]]:
        wrong = self._confusion.copy()
        np.fill_diagonal(wrong, 0)
        frequent = np.argsort(-wrong, axis=None, kind="stable")[:_PAIRS]
        places = zip(*np.unravel_index(frequent, wrong.shape), strict=True)
        return [
            {
                "target": self.classes[true], "prediction": self.classes[taken], "count": int(wrong[true, taken]),
                "share": float(wrong[true, taken] / self._confusion[true].sum()),
            }
            for true, taken in places
            if wrong[true, taken]
        ]  # fmt: skip

    def _weights(self, replicates: int, seed: int) -> np.ndarray:
        """How often each kept picture is drawn in each replicate, shape (replicates, pictures)."""
        random, rows = np.random.default_rng(seed), len(self._sample)
        weights = np.zeros((replicates, rows), np.float32)
        for replicate in range(replicates if rows else 0):
            weights[replicate] = np.bincount(random.integers(0, rows, rows), minlength=rows)
        return weights

    def _drawn(self, column: str, weights: np.ndarray) -> np.ndarray:
        """A column of the kept pictures summed as they are drawn, the replicates first."""
        return np.tensordot(weights.astype(np.float64), self._sample.columns[column], axes=1)

    def _estimates(self, predictor: int, weights: np.ndarray) -> dict[str, Estimate]:
        whole = overlap.overall(_counts(self._totals[predictor]))
        varied = overlap.overall(_counts(self._drawn("counts", weights)[:, predictor]))
        return {name: self._percentile(float(value), varied[name]) for name, value in whole.items()}

    def _percentile(self, value: float, varied: np.ndarray) -> Estimate:
        return percentile(value, varied, rows=self.rows, scale=self._sample.scale)


def _counts(parts: np.ndarray) -> Counts:
    """Counts of arrays of shape (..., 3, classes)."""
    hits, support, predicted = (parts[..., place, :] for place in range(3))
    return Counts(hits, support, predicted, hits.sum(axis=-1), support.sum(axis=-1))


def _mean(parts: np.ndarray) -> np.ndarray:
    return overlap.overall(_counts(parts))[PRIMARY]


def _edge(parts: np.ndarray) -> np.ndarray:
    """The mean F-measure of each class over the pictures that have it, shape (..., classes)."""
    return ratio(parts[..., 0, :], parts[..., 1, :], empty=np.nan)


def _mean_edge(parts: np.ndarray) -> np.ndarray:
    there = parts[..., 1, :] > 0
    return ratio(np.nan_to_num(_edge(parts)).sum(axis=-1), there.sum(axis=-1), empty=np.nan)
