"""What was measured of recommended lists: of a model and of its baselines, for the same users on the same items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np

from headwater.evaluation.intervals import Estimate, Gain, paired_gain, percentile

PRIMARY: Final = "ndcg"
_REPLICATES: Final = 500
_UNBOUNDED: Final = ("novelty", "rmse", "mae")


@dataclass(frozen=True)
class Ranked:
    """What one of those who recommend did.

    Attributes:
        of_users: by metric a number for each user, shape (users,); not-a-number where it says nothing of one.
        coverage: the share of all items that came into any list.
        errors: for who gives ratings, of each user the squared errors, absolute errors and number, shape (users, 3).
    """

    of_users: Mapping[str, np.ndarray]
    coverage: float
    errors: np.ndarray | None = None


@dataclass(frozen=True)
class Measured:
    """What was measured of each who recommends, by name, the model first.

    Attributes:
        ranked: of each.
        protocol: what the test was, as a sentence.
        k: how long the lists were.
        notes: what else a reader must know.
        sections: tables for the page: `activity`, `popularity`, and sample `lists`.

    Example:
        >>> few = {"ease": Ranked({"ndcg": np.array([1.0, 0.5])}, 0.5)}
        >>> few["popularity"] = Ranked({"ndcg": np.zeros(2)}, 0.1)
        >>> measured = Measured(few, "a random 20 % of each user's interactions is the test", 10)
        >>> measured.metrics()["ndcg"].value, measured.best_baseline
        (0.75, 'popularity')
    """

    ranked: Mapping[str, Ranked]
    protocol: str
    k: int
    notes: list[str] = field(default_factory=list)
    sections: dict[str, Any] = field(default_factory=dict)
    seed: int = 0

    def metrics(self) -> dict[str, Estimate]:
        """Every metric of the model."""
        return self._metrics(next(iter(self.ranked)))

    def baseline_metrics(self) -> dict[str, dict[str, Estimate]]:
        """For every baseline the same metrics."""
        return {name: self._metrics(name) for name in list(self.ranked)[1:]}

    @property
    def best_baseline(self) -> str | None:
        """The baseline with the best lists."""
        lists = {name: float(np.mean(one.of_users[PRIMARY])) for name, one in list(self.ranked.items())[1:]
                 if PRIMARY in one.of_users}  # fmt: skip
        return max(lists, key=lambda name: lists[name], default=None)

    def gain(self, baseline: str) -> Gain:
        """How much better the model's lists are, by a paired bootstrap over the users."""
        model = next(iter(self.ranked))
        ours, theirs = (self.ranked[name].of_users[PRIMARY] for name in (model, baseline))
        drawn = self._means[model, PRIMARY] - self._means[baseline, PRIMARY]
        return paired_gain(baseline, PRIMARY, float((ours - theirs).mean()), drawn)

    def sentences(self) -> list[str]:
        """The protocol and whatever a reader of the metrics must know."""
        users = len(next(iter(next(iter(self.ranked.values())).of_users.values())))
        said = f"Protocol: {self.protocol}, and the first {self.k} count. "
        return [f"{said}{users:,} user{' was' if users == 1 else 's were'} measured.", *self.notes]

    def _metrics(self, name: str) -> dict[str, Estimate]:
        one = self.ranked[name]
        found = {}
        for metric, values in one.of_users.items():
            bounds = (0.0, np.inf) if metric in _UNBOUNDED else (0.0, 1.0)
            there = values[np.isfinite(values)]
            mean = float(there.mean()) if there.size else float("nan")
            found[metric] = percentile(mean, self._means[name, metric], rows=len(there), bounds=bounds)
        if one.of_users:
            found["coverage"] = Estimate(one.coverage)
        if one.errors is not None:
            squared, absolute, count = one.errors.sum(axis=0)
            worth = {"rmse": float(np.sqrt(squared / count)), "mae": float(absolute / count)}
            found |= {
                metric: percentile(value, self._means[name, metric], rows=int(count), bounds=(0.0, np.inf))
                for metric, value in worth.items()
            }
        return found

    @cached_property
    def _means(self) -> dict[tuple[str, str], np.ndarray]:
        """Each metric of each on users drawn with replacement, shape (replicates,): the same users for all."""
        columns = {(name, metric): values for name, one in self.ranked.items()
                   for metric, values in one.of_users.items()}  # fmt: skip
        errors = {name: one.errors for name, one in self.ranked.items() if one.errors is not None}
        users = max([*map(len, columns.values()), *map(len, errors.values())])
        values = np.stack(list(columns.values()), axis=1)
        known = np.isfinite(values).astype(np.float64)
        sums = np.hstack([np.where(known > 0, values, 0.0), known, *errors.values()])
        random, drawn = np.random.default_rng(self.seed), np.empty((_REPLICATES, sums.shape[1]))
        for replicate in range(_REPLICATES):
            weights = np.bincount(random.integers(0, users, users), minlength=users)
            drawn[replicate] = weights @ sums
        wide = len(columns)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = dict(zip(columns, (drawn[:, :wide] / drawn[:, wide : 2 * wide]).T, strict=True))
            for place, name in enumerate(errors):
                squared, absolute, count = drawn[:, 2 * wide + 3 * place : 2 * wide + 3 * place + 3].T
                found[name, "rmse"], found[name, "mae"] = np.sqrt(squared / count), absolute / count
        return found
