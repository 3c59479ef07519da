"""Estimates with 95 % intervals, and whether a gain over a baseline is real."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

LEVEL = 0.95
Z = 1.959963984540054
"""The quantile of the standard normal distribution that leaves 2.5 % above it."""

FEWEST = 10
"""Fewer test rows give no verdict on a gain."""

_REPLICATES = 2000

_LONG = 1e12
"""From here on a number is shown by its power of ten."""


def figures(*numbers: float) -> list[str]:
    """Numbers that stand beside one another, with as many digits behind the point as the largest of them needs.

    Example:
        >>> figures(0.9123, 0.898, 0.925), figures(487.654, 90.0)
        (['0.912', '0.898', '0.925'], ['487.7', '90.0'])
        >>> figures(3e30, 1.5)
        ['3.000e+30', '1.500e+00']
    """
    largest = max((abs(number) for number in numbers if math.isfinite(number)), default=0.0)
    if largest >= _LONG:
        return [f"{number:.3e}" for number in numbers]
    digits = 3 if largest < 10 else 2 if largest < 100 else 1
    return [f"{number:.{digits}f}" for number in numbers]


def figure(number: float) -> str:
    """One number alone, as `figures` writes it."""
    return figures(number)[0]


@dataclass(frozen=True)
class Estimate:
    """A measured value and its 95 % interval; not-a-number where nothing could be measured.

    Example:
        >>> print(Estimate(0.9123, 0.898, 0.925))
        0.912 [0.898, 0.925]
    """

    value: float
    low: float = math.nan
    high: float = math.nan

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "not measured"
        value, low, high = figures(self.value, self.low, self.high)
        return value if math.isnan(self.low) else f"{value} [{low}, {high}]"

    def to_json(self) -> dict[str, float | None]:
        """The three numbers by name; None for not-a-number, which JSON does not have."""
        return {name: value if math.isfinite(value) else None for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, numbers: Mapping[str, float | None]) -> Estimate:
        """Takes back what `to_json` gave; keys that it does not know are left aside."""
        value, low, high = (numbers.get(name) for name in ("value", "low", "high"))
        return cls(*(math.nan if number is None else float(number) for number in (value, low, high)))


@dataclass(frozen=True)
class Gain:
    """How much better a model is than a baseline, measured on the same rows."""

    over: str
    metric: str
    value: float
    low: float
    high: float

    @property
    def real(self) -> bool:
        """Whether the whole interval lies above zero."""
        return self.low > 0

    @property
    def sentence(self) -> str:
        """What follows from the interval, in words.

        Example:
            >>> Gain("majority", "accuracy", 0.31, 0.28, 0.34).sentence
            'Better than majority by 0.310 in accuracy (95 % interval 0.280 to 0.340): the gain is real.'
            >>> Gain("random", "return", -3.3, -4.561, -2.061).sentence
            'Worse than random by 3.300 in return (95 % interval 2.061 to 4.561): use the baseline.'
        """
        # What is worse by a positive number lies between positive ends, the nearer one first.
        low, high = figures(*((-self.high, -self.low) if self.high < 0 else (self.low, self.high)))
        interval = f"in {spoken(self.metric)} (95 % interval {low} to {high})"
        if math.isnan(self.value):
            return f"The gain over {self.over} could not be measured."
        if self.high < 0:
            return f"Worse than {self.over} by {figure(-self.value)} {interval}: use the baseline."
        if self.real:
            return f"Better than {self.over} by {figure(self.value)} {interval}: the gain is real."
        sign = "+" if self.value >= 0 else ""
        return f"Differs from {self.over} by {sign}{figure(self.value)} {interval}: this may be chance."

    def to_json(self) -> dict[str, Any]:
        """The numbers, the verdict and its sentence."""
        numbers = Estimate(self.value, self.low, self.high).to_json()
        return {"over": self.over, "metric": self.metric, **numbers, "real": self.real, "sentence": self.sentence}


def redrawn(values: np.ndarray, seed: int) -> np.ndarray:
    """The values drawn again and again with replacement, for a bootstrap: shape (replicates, values).

    Example:
        >>> redrawn(np.array([1.0, 2.0, 3.0]), seed=0).shape
        (2000, 3)
    """
    return values[np.random.default_rng(seed).integers(0, len(values), (_REPLICATES, len(values)))]


def mean_of(values: np.ndarray, seed: int) -> Estimate:
    """The mean of some values; its interval, like every mean of values drawn from them, lies between their ends.

    Example:
        >>> print(mean_of(np.array([1.0, 2.0, 3.0, 6.0]), seed=0))
        3.000 [1.501, 5.001]
    """
    bounds = float(values.min()), float(values.max())
    return percentile(float(values.mean()), redrawn(values, seed).mean(axis=1), rows=len(values), bounds=bounds)


def percentile(
    value: float, replicates: np.ndarray, *, rows: int, bounds: tuple[float, float] = (0, 1), scale: float = 1.0
) -> Estimate:
    """The percentile bootstrap interval (Efron 1979) from replicates of shape (replicates,).

    The replicates are first moved so that their mean is the value: resampling pulls macro means over small classes down
    and calibration errors up. Where nearly all of them are one number, that could move both ends past the value: the
    interval reaches to it at least. `scale` shrinks their spread when they come from a sample of the rows.

    Where the value sits on a bound and no replicate leaves it, as with a perfect score, the bootstrap sees no spread at
    all. The interval then reaches as far from the bound as Wilson's (1927) does for `rows` rows.

    Example:
        >>> print(percentile(1.0, np.ones(100), rows=50))
        1.000 [0.929, 1.000]
    """
    finite = replicates[np.isfinite(replicates)]
    if math.isnan(value) or not finite.size:
        return Estimate(value)
    reach = np.quantile(finite, ((1 - LEVEL) / 2, (1 + LEVEL) / 2)) - finite.mean()
    low, high = np.clip(value + scale * reach, *bounds).tolist()
    return _off_the_bound(Estimate(value, min(low, value), max(high, value)), rows, bounds)


def normal(value: float, error: float, *, rows: int, bounds: tuple[float, float] = (0, math.inf)) -> Estimate:
    """The normal interval of a value with this standard error; bounded values get theirs on the logit scale.

    Example:
        >>> print(normal(0.5, 0.1, rows=100, bounds=(0, 1)))
        0.500 [0.313, 0.687]
    """
    if not (math.isfinite(value) and math.isfinite(error)):
        return Estimate(value)
    if error > 0 and bounds == (0, 1) and 0 < value < 1:
        centre, spread = math.log(value / (1 - value)), Z * error / (value * (1 - value))
        return Estimate(value, _sigmoid(centre - spread), _sigmoid(centre + spread))
    low, high = max(value - Z * error, bounds[0]), min(value + Z * error, bounds[1])
    return _off_the_bound(Estimate(value, low, high), rows, bounds)


def paired_gain(over: str, metric: str, value: float, replicates: np.ndarray, *, scale: float = 1.0) -> Gain:
    """The gain over a baseline from replicates of the difference, model minus baseline on the same resampled rows.

    Where resampling itself leaves the possibility of no gain, so does the interval: to move the replicates so that
    their mean is the value, as `percentile` does, must not push an end that lies on zero to its other side.

    Example:
        >>> one_row_of_twenty = np.array([0.0] * 36 + [0.05] * 38 + [0.1] * 26)
        >>> paired_gain("base", "accuracy", 0.05, one_row_of_twenty).real
        False
    """
    found = percentile(value, replicates, rows=0, bounds=(-math.inf, math.inf), scale=scale)
    low, high = found.low, found.high
    if np.isfinite(replicates).any():
        least, most = np.nanquantile(replicates, ((1 - LEVEL) / 2, (1 + LEVEL) / 2)).tolist()
        low, high = (min(low, 0.0) if least <= 0 else low), (max(high, 0.0) if most >= 0 else high)
    return Gain(over, metric, found.value, low, high)


def label(metric: str) -> str:
    """A metric's name for people.

    Example:
        >>> label("roc_auc"), label("f1_macro")
        ('ROC AUC', 'F1 macro')
    """
    text = spoken(metric)
    return text if text.startswith("mAP") else text[:1].upper() + text[1:]


def spoken(metric: str) -> str:
    """The name of a metric as it stands inside a sentence."""
    names = {"roc": "ROC", "auc": "AUC", "f1": "F1", "mcc": "MCC", "ece": "ECE", "brier": "Brier",
             "map": "mAP", "map50": "mAP50", "map75": "mAP75", "iou": "IoU", "dice": "Dice", "f": "F",
             "iqm": "IQM", "ndcg": "NDCG", "mrr": "MRR", "rmse": "RMSE", "mae": "MAE",
             "ar1": "AR1", "ar10": "AR10", "ar100": "AR100"}  # fmt: skip
    return " ".join(names.get(word, word) for word in metric.split("_"))


def _off_the_bound(estimate: Estimate, rows: int, bounds: tuple[float, float]) -> Estimate:
    reach = (bounds[1] - bounds[0]) * Z**2 / (rows + Z**2)
    if estimate.low == estimate.high == bounds[1]:
        return Estimate(estimate.value, estimate.value - reach, estimate.high)
    if estimate.low == estimate.high == bounds[0] and math.isfinite(reach):
        return Estimate(estimate.value, estimate.low, estimate.value + reach)
    return estimate


def _sigmoid(number: float) -> float:
    return 1 / (1 + math.exp(-number)) if number >= 0 else 1 - 1 / (1 + math.exp(number))
