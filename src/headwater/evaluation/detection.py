"""Metrics of found boxes, as COCO defines them, with 95 % intervals over pictures.

`BoxTally` sees the pictures once and keeps a few bytes of each found box: its class, its score, and at which thresholds
it is of a known one (`matching`). From these come average precision and recall (`precision`), and their intervals by
drawing pictures with replacement, the same for the model and its baselines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np

from headwater.data.boxes import Boxes
from headwater.evaluation.found import Found, Known, best_threshold, gathered, score
from headwater.evaluation.intervals import Estimate, Gain, paired_gain, percentile
from headwater.evaluation.matching import OVERLAPS, SIZES, Matched, match
from headwater.evaluation.precision import spread

PRIMARY: Final = "map50"
_RECALLED: Final = {"ar1": 1, "ar10": 10, "ar100": 100}
_CURVE: Final = 101
_DRAWS: Final = 400_000_000
_FEWEST, _MOST = 200, 1000

Means = dict[str, tuple[float, np.ndarray]]
"""Of each metric its value, and its values on resampled pictures."""


class BoxTally:
    """What a stream of known and found boxes is counted into.

    Args:
        classes: the name of each class.

    Example:
        >>> box = Boxes(np.array([[0, 0, 9, 9]], np.float32), np.array([0]))
        >>> found = Boxes(box.places, box.labels, np.array([0.9], np.float32))
        >>> tally = BoxTally(("cat",))
        >>> told = tally.update([box], {"model": [found]})
        >>> tally.metrics()["map50"].value
        1.0
    """

    def __init__(self, classes: tuple[Any, ...]) -> None:
        self.classes = classes
        self.rows = 0
        self._known: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._found: dict[str, list[tuple[np.ndarray, ...]]] = {}
        self._scores: list[float] = []

    def update(self, known: Sequence[Boxes], found: Mapping[str, Sequence[Boxes]]) -> list[Matched]:
        """Counts some pictures.

        Args:
            known: the known boxes of each.
            found: for each answerer by name, the model first and always the same ones, its boxes of each.

        Returns:
            What the model found in each.
        """
        told: list[Matched] = []
        for name, answers in found.items():
            parts = self._found.setdefault(name, [])
            for place, (one, boxes) in enumerate(zip(known, answers, strict=True)):
                seen = match(one, boxes)
                row = np.full(len(seen.labels), self.rows + place, dtype=np.int32)
                parts.append((seen.labels.astype(np.int32), seen.scores, row, seen.ranks, seen.hits, seen.ignored))
                if name == self.model:
                    told.append(seen)
                    self._known.append((np.full(len(one), self.rows + place), one.labels, seen.counted))
                    self._scores.append(score(seen))
        self.rows += len(known)
        for counted in ("_answers", "_measured"):
            vars(self).pop(counted, None)
        return told

    @property
    def model(self) -> str:
        """The name of the first answerer."""
        return next(iter(self._found))

    @property
    def baselines(self) -> list[str]:
        """The names of the others."""
        return list(self._found)[1:]

    def scores(self) -> np.ndarray:
        """How right the model is on each picture, from 0 to 1: the average precision of its boxes of all classes."""
        return np.array(self._scores)

    def metrics(self, seed: int = 0) -> dict[str, Estimate]:
        """Every metric of the model, mean over the classes, with its interval."""
        return self._estimated(self.model, seed)

    def baseline_metrics(self, seed: int = 0) -> dict[str, dict[str, Estimate]]:
        """The same of each baseline."""
        return {name: self._estimated(name, seed) for name in self.baselines}

    def gain(self, baseline: str, metric: str = PRIMARY, seed: int = 0) -> Gain:
        """How much better the model is than a baseline on the same pictures, by a paired bootstrap."""
        values, varied = zip(*(self._means(name, seed)[metric] for name in (self.model, baseline)), strict=True)
        return paired_gain(baseline, metric, values[0] - values[1], varied[0] - varied[1])

    def best_baseline(self, metric: str = PRIMARY, seed: int = 0) -> str | None:
        """The baseline with the best value of a metric; None without baselines."""
        return max(self.baselines, key=lambda name: self._means(name, seed)[metric][0], default=None)

    def per_class(self, seed: int = 0) -> list[dict[str, Any]]:
        """For every class its known and found boxes, average precisions as estimates in JSON, its best threshold."""
        answers, weights = self._answers[self.model], self._weights(seed)
        found = []
        for label, name in enumerate(self.classes):
            at = [answers.ranked(label, threshold) for threshold in range(len(OVERLAPS))]
            drawn = np.array([one.resampled(weights) for one in at])
            values = np.array([one.average_precision() for one in at])
            rows = int((at[0].known > 0).sum())
            row = {"class": name, "support": int(at[0].known.sum()), "pictures": rows,
                   "predicted": len(at[0].hits)}  # fmt: skip
            for metric, value, varied in (
                ("ap", values.mean(), drawn.mean(axis=0)), ("ap50", values[0], drawn[0]), ("ap75", values[5], drawn[5]),
            ):  # fmt: skip
                row[metric] = percentile(float(value), varied, rows=rows).to_json()
            found.append(row | best_threshold(at[0], answers.scores_of(label)))
        return found

    def curves(self) -> list[dict[str, Any]]:
        """For each class with known boxes precision by recall at the lowest threshold, as points."""
        found = []
        for label, name in enumerate(self.classes):
            ranked = self._answers[self.model].ranked(label, 0)
            if not ranked.known.sum():
                continue
            recall, precision = ranked.curve()
            kept = np.unique(np.linspace(0, len(recall) - 1, _CURVE).astype(int)) if len(recall) else []
            points = [[round(float(recall[one]), 4), round(float(precision[one]), 4)] for one in kept]
            found.append({"class": name, "points": points, "ap50": ranked.average_precision()})
        return found

    @property
    def absent(self) -> tuple[Any, ...]:
        """The classes without a known box; means leave them out."""
        counts = self._answers[self.model].known.totals()
        return tuple(self.classes[label] for label in np.flatnonzero(counts == 0).tolist())

    def threshold(self) -> float:
        """The score from which on boxes are worth showing: precision and recall of all classes are best together."""
        answers = self._answers[self.model]
        return best_threshold(*answers.pooled())["threshold"]

    @cached_property
    def _answers(self) -> dict[str, Found]:
        known = Known.of(self._known, self.rows, len(self.classes))
        return {name: gathered(parts, known) for name, parts in self._found.items()}

    @cached_property
    def _measured(self) -> dict[tuple[str, int], Means]:
        return {}

    def _weights(self, seed: int) -> np.ndarray:
        boxes = sum(len(answers.labels) for answers in self._answers.values())
        replicates = int(np.clip(_DRAWS // max(boxes * len(OVERLAPS) * len(SIZES), 1), _FEWEST, _MOST))
        return spread(self.rows, replicates, seed)

    def _means(self, name: str, seed: int) -> Means:
        """Every metric of an answerer."""
        if (name, seed) not in self._measured:
            self._measured[name, seed] = _measure(self._answers[name], self._weights(seed))
        return self._measured[name, seed]

    def _estimated(self, name: str, seed: int) -> dict[str, Estimate]:
        means = self._means(name, seed)
        return {metric: percentile(value, varied, rows=self.rows) for metric, (value, varied) in means.items()}


def _measure(answers: Found, weights: np.ndarray) -> Means:
    found: Means = {}
    for size, called in enumerate(SIZES):
        labels = np.flatnonzero(answers.known.totals(size)).tolist()
        values = np.empty((len(OVERLAPS), len(labels)))
        drawn = np.empty((len(OVERLAPS), len(labels), len(weights)))
        for (threshold, place), _ in np.ndenumerate(values):
            one = answers.ranked(labels[place], threshold, size)
            values[threshold, place], drawn[threshold, place] = one.average_precision(), one.resampled(weights)
        picked = {"": slice(None), "50": slice(0, 1), "75": slice(5, 6)} if not size else {f"_{called}": slice(None)}
        for behind, some in picked.items():
            found[f"map{behind}"] = _mean(values[some]), _means_of(drawn[some])
    for metric, most in _RECALLED.items():
        found[metric] = _recall(answers, most, weights)
    return found


def _recall(answers: Found, most: int, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """The mean over classes and thresholds of the share of known boxes that are found."""
    labels = np.flatnonzero(answers.known.totals()).tolist()
    values, drawn = np.empty(len(labels)), np.empty((len(labels), len(weights)))
    for place, label in enumerate(labels):
        total, right = answers.known.of_class(label), answers.recalled(label, most)
        values[place] = right.sum() / total.sum()
        there = np.flatnonzero(total)
        some = weights[:, there]
        with np.errstate(invalid="ignore", divide="ignore"):
            drawn[place] = (some @ right[there]) / (some @ total[there])
    return _mean(values), _means_of(drawn[None])


def _mean(values: np.ndarray) -> float:
    """The mean over classes and thresholds; not-a-number where no class has a known box."""
    return float(values.mean()) if values.size else float("nan")


def _means_of(drawn: np.ndarray) -> np.ndarray:
    """The mean over thresholds and over the classes that a replicate has; (thresholds, classes, replicates) in."""
    there = np.isfinite(drawn)
    total = np.where(there, drawn, 0).sum(axis=(0, 1))
    return np.divide(total, there.sum(axis=(0, 1)), out=np.full(drawn.shape[2], np.nan), where=there.any(axis=(0, 1)))
