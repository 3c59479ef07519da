"""What was measured of the features of images, of a model and of its baselines on the same views of the same images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from headwater.evaluation.intervals import Estimate, Gain, paired_gain, percentile

PRIMARY: Final = "other_view_found"
_REPLICATES: Final = 1000
_COLLAPSED: Final = 0.01
_LEAST_RANK: Final = 2.0


@dataclass(frozen=True)
class Measured:
    """What was measured of each who answers, by name, the model first.

    Attributes:
        found: whether each image was known again by its other view, shape (images,).
        right: whether the nearest other images tell the label of each image that has one, shape (labelled images,);
            empty where there are no labels.
        varied: the spread and the effective rank of the features.

    Example:
        >>> found = {"simsiam": np.array([1.0, 1.0, 0.0, 1.0]), "small pixels": np.array([0.0, 1.0, 0.0, 0.0])}
        >>> measured = Measured(found, {}, {name: (0.7, 3.0) for name in found})
        >>> measured.metrics()["other_view_found"].value, measured.best_baseline
        (0.75, 'small pixels')
    """

    found: dict[str, np.ndarray]
    right: dict[str, np.ndarray]
    varied: dict[str, tuple[float, float]]

    def metrics(self, *, seed: int = 0) -> dict[str, Estimate]:
        """Every metric of the model."""
        return self._metrics(next(iter(self.found)), seed)

    def baseline_metrics(self, *, seed: int = 0) -> dict[str, dict[str, Estimate]]:
        """For every baseline the same metrics."""
        return {name: self._metrics(name, seed) for name in list(self.found)[1:]}

    @property
    def best_baseline(self) -> str:
        """The baseline that knows the most images again."""
        return max(list(self.found)[1:], key=lambda name: float(self.found[name].mean()))

    def gain(self, baseline: str, *, seed: int = 0) -> Gain:
        """How much more often the model knows an image again, by a paired bootstrap over the images."""
        model = next(iter(self.found))
        difference = self.found[model] - self.found[baseline]
        return paired_gain(baseline, PRIMARY, float(difference.mean()), _drawn(difference, seed))

    @property
    def notes(self) -> list[str]:
        """What a reader of the metrics must know, as sentences."""
        images = len(next(iter(self.found.values())))
        wide, rank = next(iter(self.varied.values()))
        notes = [f"Another view of an image was looked for among those of {images:,} images."]
        if wide < _COLLAPSED or rank < _LEAST_RANK:
            notes.append("The features have collapsed: all images look nearly the same to the model. Give more images.")
        return notes

    def _metrics(self, name: str, seed: int) -> dict[str, Estimate]:
        wide, rank = self.varied[name]
        metrics = {PRIMARY: _mean(self.found[name], seed)}
        if self.right:
            metrics["label_by_neighbours"] = _mean(self.right[name], seed)
        return {**metrics, "effective_rank": Estimate(rank), "spread": Estimate(wide)}


def _mean(values: np.ndarray, seed: int) -> Estimate:
    return percentile(float(values.mean()), _drawn(values, seed), rows=len(values))


def _drawn(values: np.ndarray, seed: int) -> np.ndarray:
    """Means over rows drawn with replacement, shape (replicates,): rows of equal value are drawn together."""
    distinct, counts = np.unique(values, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(values), counts / len(values), size=_REPLICATES)
    return drawn @ distinct / len(values)
