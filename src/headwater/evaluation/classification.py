"""Metrics of a classification from streaming sufficient statistics, with 95 % intervals.

`Tally` sees the rows once, in parts of any size, and keeps counts only: which combinations of target and predictions
occurred (`resampling`), histograms of scores (`ranking`), bins of confidence and moments of losses (`reliability`). Its
memory depends on the number of classes, not of rows, and its intervals are those of a bootstrap over rows: for counts
because resampling the cells of a table is resampling rows, for areas and means by the bootstrap's normal limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from headwater.errors import DataError
from headwater.evaluation import counts, reliability
from headwater.evaluation.counts import Counts
from headwater.evaluation.intervals import Estimate, Gain, paired_gain, percentile
from headwater.evaluation.ranking import Area, Ranking, bins_of
from headwater.evaluation.resampling import JointCells, JointSample
from headwater.evaluation.sample import RowSample

_SAMPLE_CELLS = 2**24
_MOST_ROWS, _FEWEST_ROWS = 8192, 512


class Tally:
    """What a stream of predictions is counted into.

    Args:
        classes: the class of each column of the probabilities.
        several: whether a row may have several labels; each is predicted from a probability of 0.5 on.
        baselines: the names of the baselines that `update` will bring predictions of.

    Example:
        >>> tally = Tally(("neg", "pos"))
        >>> tally.update(np.array([0, 1, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]]))
        >>> print(tally.metrics()["accuracy"].value)
        0.75
    """

    def __init__(
        self,
        classes: tuple[Any, ...],
        several: bool = False,  # noqa: FBT001, FBT002
        baselines: tuple[str, ...] = (),
    ) -> None:
        self.classes, self.several, self.baselines = classes, several, baselines
        self.rows = 0
        predictors, size = 1 + len(baselines), _SAMPLE_CELLS // max(len(classes), 1)
        self._sample = RowSample(min(max(size, _FEWEST_ROWS), _MOST_ROWS), seed=0)
        self._joint: JointCells | JointSample = (
            JointSample(len(classes), predictors, self._sample) if several else JointCells(len(classes), predictors)
        )
        self._ranking = Ranking(len(classes))
        self._reliability = reliability.Reliability()
        self._losses, self._briers = reliability.Moments(), reliability.Moments()
        self._drawn: tuple[tuple[int, int], list[Counts]] | None = None

    def update(
        self, targets: np.ndarray, probabilities: np.ndarray, baselines: Mapping[str, np.ndarray] | None = None
    ) -> None:
        """Counts some rows.

        Args:
            targets: class positions of shape (rows,), or zeros and ones of shape (rows, classes) for several labels.
            probabilities: shape (rows, classes).
            baselines: for every baseline its predictions, encoded and shaped like `targets`.

        Raises:
            DataError: the shapes do not belong together, or a baseline's predictions are missing.
        """
        answers = self._answers(targets, probabilities, baselines or {})
        truth, predictions = answers[0], answers[1:]
        if not len(targets):
            return
        flags = truth if self.several else truth[:, np.newaxis] == np.arange(len(self.classes))
        self.rows += len(targets)
        self._joint.update(truth, predictions)
        bins = bins_of(probabilities)
        self._ranking.update(bins, flags)
        sampled = {f"prediction {position}": part for position, part in enumerate(predictions)} if self.several else {}
        self._sample.update({"target": truth, "bins": bins, **sampled})
        self._measure(probabilities, flags, truth == predictions[0])
        self._drawn = None

    @property
    def absent(self) -> tuple[Any, ...]:
        """The classes without a row; macro means leave them out."""
        return tuple(self.classes[position] for position in np.flatnonzero(self._joint.counts()[0].support == 0))

    def metrics(self, replicates: int = 1000, seed: int = 0) -> dict[str, Estimate]:
        """Every metric of the model over all classes, by the name that scikit-learn gives it."""
        found = self._counted(0, replicates, seed)
        for name, area in self._areas().items():
            found[name] = area.mean(self._sample.columns["bins"], self._flags(), self.rows) if self.rows else _NOTHING
        found["log_loss"], found["brier"] = self._losses.estimate(), self._briers.estimate()
        return found | {"ece": self._reliability.error(replicates, seed)}

    def baseline_metrics(self, replicates: int = 1000, seed: int = 0) -> dict[str, dict[str, Estimate]]:
        """For every baseline the metrics that need no probabilities."""
        return {name: self._counted(1 + place, replicates, seed) for place, name in enumerate(self.baselines)}

    def per_class(self, replicates: int = 1000, seed: int = 0) -> list[dict[str, Any]]:
        """For every class its name, its rows, and precision, recall, F1 and both areas as estimates in JSON."""
        whole = self._joint.counts()[0]
        values = counts.per_class(whole)
        varied = counts.per_class(self._replicates(replicates, seed)[0])
        areas = {name: area.of_classes() for name, area in self._areas().items()}
        found = []
        for position, name in enumerate(self.classes):
            support = int(whole.support[position])
            row: dict[str, Any] = {"class": name, "support": support, "predicted": int(whole.predicted[position])}
            for metric, value in values.items():
                moved = varied[metric][:, position]
                row[metric] = percentile(float(value[position]), moved, rows=support, scale=self._joint.scale).to_json()
            found.append(row | {metric: estimates[position].to_json() for metric, estimates in areas.items()})
        return found

    def confusion(self, most: int = 30) -> dict[str, Any] | None:
        """Counts by true (rows) and predicted class (columns) of the largest classes; None for several labels."""
        if not isinstance(self._joint, JointCells):
            return None
        support = self._joint.counts()[0].support
        shown = np.sort(np.argsort(-support, kind="stable")[:most])
        place = np.full(len(self.classes), -1)
        place[shown] = np.arange(len(shown))
        (targets, predicted, *_), cells = self._joint.cells()
        inside = (place[targets] >= 0) & (place[predicted] >= 0)
        matrix = np.zeros((len(shown), len(shown)), dtype=np.int64)
        np.add.at(matrix, (place[targets[inside]], place[predicted[inside]]), cells[inside])
        names = [self.classes[position] for position in shown.tolist()]
        return {"classes": names, "counts": matrix.tolist(), "left_out": len(self.classes) - len(names)}

    def reliability(self, replicates: int = 1000, seed: int = 0) -> dict[str, Any]:
        """The reliability bins and the expected calibration error, as JSON."""
        return {"bins": self._reliability.to_json(), "ece": self._reliability.error(replicates, seed).to_json()}

    def gain(self, baseline: str, metric: str, replicates: int = 1000, seed: int = 0) -> Gain:
        """How much better the model is than a baseline on the same rows, by a paired bootstrap."""
        place = 1 + self.baselines.index(baseline)
        sign = -1 if metric == "hamming_loss" else 1
        value, varied = (
            sign * (self._overall(part[0], metric) - self._overall(part[place], metric))
            for part in (self._joint.counts(), self._replicates(replicates, seed))
        )
        return paired_gain(baseline, metric, float(value), varied, scale=self._joint.scale)

    def best_baseline(self, metric: str) -> str | None:
        """The baseline with the best value of a count metric; None without baselines."""
        sign = -1 if metric == "hamming_loss" else 1
        scores = [sign * self._overall(part, metric) for part in self._joint.counts()[1:]]
        return self.baselines[int(np.argmax(scores))] if scores else None

    def _answers(
        self, targets: np.ndarray, probabilities: np.ndarray, baselines: Mapping[str, np.ndarray]
    ) -> list[np.ndarray]:
        """Targets, the model's and the baselines' predictions in one form, checked."""
        rows, width = len(targets), len(self.classes)
        wanted = (rows, width) if self.several else (rows,)
        if probabilities.shape != (rows, width) or targets.shape != wanted:
            came = f"targets {targets.shape}, probabilities {probabilities.shape}"
            raise DataError("Targets and probabilities do not belong together", got=came, accepted=f"{width} classes")
        if set(baselines) != set(self.baselines) or any(part.shape != wanted for part in baselines.values()):
            came = {name: part.shape for name, part in baselines.items()}
            raise DataError("Predictions of the baselines do not fit", got=came, accepted=f"{self.baselines}, {wanted}")
        own = probabilities >= 0.5 if self.several else probabilities.argmax(axis=1)
        parts = [targets, own, *(baselines[name] for name in self.baselines)]
        return [part.astype(bool if self.several else np.int64) for part in parts]

    def _measure(self, probabilities: np.ndarray, flags: np.ndarray, right: np.ndarray) -> None:
        self._losses.update(reliability.log_losses(probabilities, flags, several=self.several))
        self._briers.update(reliability.brier_scores(probabilities, flags, several=self.several))
        if self.several:
            self._reliability.update(probabilities, flags)
        else:
            self._reliability.update(probabilities.max(axis=1), right)

    def _areas(self) -> dict[str, Area]:
        return {"roc_auc": self._ranking.roc(), "average_precision": self._ranking.average_precision()}

    def _flags(self) -> np.ndarray:
        targets = self._sample.columns["target"]
        return targets if self.several else targets[:, np.newaxis] == np.arange(len(self.classes))

    def _replicates(self, replicates: int, seed: int) -> list[Counts]:
        if self._drawn is None or self._drawn[0] != (replicates, seed):
            self._drawn = ((replicates, seed), self._joint.replicates(replicates, seed))
        return self._drawn[1]

    def _overall(self, part: Counts, metric: str) -> np.ndarray:
        return counts.overall(part, several=self.several)[metric]

    def _counted(self, predictor: int, replicates: int, seed: int) -> dict[str, Estimate]:
        whole, varied = (
            counts.overall(part[predictor], several=self.several)
            for part in (self._joint.counts(), self._replicates(replicates, seed))
        )
        found = {}
        for name, value in whole.items():
            bounds = (-1, 1) if name == "mcc" else (0, 1)
            found[name] = percentile(float(value), varied[name], rows=self.rows, bounds=bounds, scale=self._joint.scale)
        return found


_NOTHING = Estimate(np.nan)
