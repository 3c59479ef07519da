"""What a search found: the winner's gain over the defaults, which settings mattered, and what a reader must know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headwater import catalog
from headwater.evaluation.intervals import Gain
from headwater.options import counted
from headwater.transfer import scores
from headwater.tuning.asked import Asked
from headwater.tuning.trials import COMPLETE, FAILED, PRUNED, Outcome

_DEFAULTS = "the defaults"
_FEWEST = 6
"""Scored trials below which nothing is said about a setting."""
_PARTS = 3
_SHUFFLES = 1000


@dataclass(frozen=True)
class Findings:
    """A finished search, for its page and for the report.

    Attributes:
        asked: what was searched.
        outcomes: what came of every trial.
        best: the winner.
        stopped: why no further trial began.
        rows: how many training, validation and test rows there were.
        on_test: how right the winner and the defaults were on each test row; empty where there are no defaults.
    """

    asked: Asked
    outcomes: Sequence[Outcome]
    best: Outcome
    stopped: str
    rows: dict[str, int]
    on_test: tuple[np.ndarray, ...] = ()

    @property
    def defaults(self) -> Outcome | None:
        """The trial of the defaults, if it came to its end."""
        return next((one for one in self.outcomes if one.defaults and one.state == COMPLETE), None)

    @property
    def gains(self) -> dict[str, Gain]:
        """How much better the winner is than the defaults, on the same validation and the same test rows."""
        if self.defaults is None or self.best.defaults:
            return {}
        seed = self.asked.request.settings.seed
        on_valid = np.array(self.best.right), np.array(self.defaults.right)
        sides = {"validation": on_valid, "test": self.on_test}
        return {name: scores.gain(*pair, _DEFAULTS, seed, self._task.metric)
                for name, pair in sides.items() if len(pair) == 2}  # fmt: skip

    @property
    def notes(self) -> list[str]:
        """What a reader of the report must know."""
        unit = self._task.unit
        ended = {state: sum(one.state == state for one in self.outcomes) for state in (PRUNED, FAILED)}
        also = ", ".join(f"{count} of them {state}" for state, count in ended.items() if count)
        trials, rows = counted(len(self.outcomes), "trial"), counted(self.rows["valid"], f"validation {unit}")
        looked = f"{trials} ({also})" if also else trials
        looked += f" were compared on the same {rows} and the best was kept: its validation "
        notes = [looked + f"score is optimistic. The test {unit}s had no part in the choice."]
        if self.best.defaults:
            notes.append(f"No trial was better than the defaults on the validation {unit}s: the defaults were kept.")
        elif (reference := self._reference()) is not None and reference.state == FAILED:
            notes.append(f"The defaults failed, so there is nothing to compare with: {reference.reason}")
        notes += [f"On the {name} {unit}s: {gain.sentence}" for name, gain in self.gains.items()]
        if self.asked.request.settings.budget and self.best in self.outcomes[-self.asked.jobs :]:
            notes.append("The winner was the last to learn: the end of the budget may have cut its training short.")
        return notes

    def to_json(self) -> dict[str, Any]:
        """Everything of the search but the trials' own rows and curves."""
        return {
            "task": self.asked.request.task,
            "models": list(self.asked.space.requests),
            "command": self.asked.command(),
            "rows": self.rows,
            "metric": self._task.metric,
            "fixed": dict(self.asked.fixed),
            "space": self.asked.space.described(),
            "stopped": self.stopped,
            "best": self.best.number,
            "gains": {name: gain.to_json() for name, gain in self.gains.items()},
            "notes": self.notes,
            "importance": importance(self.outcomes, self.asked.request.settings.seed),
            "trials": [_row(outcome) for outcome in self.outcomes],
        }

    @property
    def _task(self) -> catalog.Task:
        return catalog.task(self.asked.request.task)

    def _reference(self) -> Outcome | None:
        return next((one for one in self.outcomes if one.defaults), None)


def importance(outcomes: Sequence[Outcome], seed: int) -> list[dict[str, Any]]:
    """How much of the spread of the scores goes with each setting alone, the most first.

    The trials that read a setting are parted by its value: by name, or into three of like size from low to high. The
    share is the variance between the parts over the whole (Kelley's epsilon squared, which is 0 on average when the
    setting does nothing), and the chance is that of a share as large when the scores are shuffled. Interactions are
    not told, and a search does not try all values alike: this hints, it does not prove.

    Returns:
        For each setting its `name`, the number of `trials`, its `share`, and its `chance`.
    """
    scored = [one for one in outcomes if one.score is not None and not one.defaults]
    names = dict.fromkeys(name for one in scored for name in values_of(one))
    found = []
    for name in names:
        pairs = [(values_of(one)[name], one.score or 0.0) for one in scored if name in values_of(one)]
        parts = _parts([value for value, _ in pairs])
        if len(pairs) >= _FEWEST and len(np.unique(parts)) > 1:
            share, chance = share_between(parts, np.array([score for _, score in pairs]), seed)
            found.append({"name": name, "trials": len(pairs), "share": share, "chance": chance})
    return sorted(found, key=lambda row: -row["share"])


def share_between(parts: np.ndarray, values: np.ndarray, seed: int) -> tuple[float, float]:
    """The share of the variance of values that lies between parts, and how often chance gives one as large.

    Args:
        parts: the part of each value, shape (values,).
        values: shape (values,).
        seed: the seed of the shuffles.

    Example:
        >>> share_between(np.array([0, 0, 1, 1]), np.array([1.0, 1.0, 2.0, 2.0]), seed=0)[0]
        1.0
    """
    total = ((values - values.mean()) ** 2).sum()
    names, place, sizes = np.unique(parts, return_inverse=True, return_counts=True)
    if not total or len(names) == len(values):
        return 0.0, 1.0
    random = np.random.default_rng(seed)
    orders = np.stack([values, *(random.permutation(values) for _ in range(_SHUFFLES))])
    sums = np.stack([orders[:, place == part].sum(axis=1) for part in range(len(names))])
    between = (sums**2 / sizes[:, None]).sum(axis=0) - values.sum() ** 2 / len(values)
    within = (total - between[0]) / (len(values) - len(names))
    share = (between[0] - (len(names) - 1) * within) / total
    chance = (between >= between[0] - 1e-12).mean()
    return round(float(max(share, 0.0)), 4), round(float(chance), 4)


def values_of(outcome: Outcome) -> dict[str, Any]:
    """What a trial tried, by name; the model among it where there are several."""
    point = outcome.point
    return ({"model": point.model} if point.drawn_model else {}) | dict(point.values)


def _parts(values: Sequence[Any]) -> np.ndarray:
    """The part of each value: its name, or its third of the ranks."""
    if any(isinstance(value, str | bool) for value in values) or len(set(values)) <= _PARTS:
        return np.unique([str(value) for value in values], return_inverse=True)[1]
    ranks = np.searchsorted(np.sort(values), values)
    return _PARTS * ranks // len(values)


def _row(outcome: Outcome) -> dict[str, Any]:
    return {
        "number": outcome.number, "model": outcome.point.model, "values": dict(outcome.point.values),
        "defaults": outcome.defaults, "state": outcome.state, "reason": outcome.reason, "score": outcome.score,
        "estimate": outcome.estimate.to_json(), "seconds": outcome.seconds,
    }  # fmt: skip
