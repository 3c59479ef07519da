"""One model measured on a sample of labelled rows, before it is adapted to them."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from headwater import catalog
from headwater.evaluation.baselines import MajorityBaseline
from headwater.evaluation.intervals import Estimate, Gain
from headwater.ranking.cost import Cost
from headwater.ranking.folds import fit_on_folds
from headwater.ranking.neighbours import leave_one_out
from headwater.ranking.transferability import h_score, logme
from headwater.transfer import scores
from headwater.transfer.classifier import Classifier, Examples
from headwater.transfer.dealing import Deal
from headwater.transfer.head import solve

if TYPE_CHECKING:
    from headwater.run import Run

MAJORITY = "majority"
_TIMED_ROWS = 48
_NOTHING, _UNKNOWN = Estimate(math.nan), Cost()


@dataclass(frozen=True)
class Candidate:
    """A model as the sample sees it.

    Attributes:
        model: its name, hub id or folder, as it was asked for.
        kind: `foundation`, `basic` or `baseline`.
        score: the share of the rows that are right when they are held out: by a linear head on frozen features, or by
            a basic model fitted on the other folds. The share of single decisions where several labels may hold.
        knn: the same of the vote of the nearest rows (`neighbours.leave_one_out`).
        logme, h_score: see `transferability`; None where there is none.
        cost: what using it takes.
        rank: its place, shared by models whose difference is not real; None where it could not be measured.
        lead: how much better the first model is on the same rows; None of the first itself.
        reason: why it could not be measured.
        right: whether each row was right when it was held out, shape (rows,); not kept on disk.
    """

    model: str
    kind: str
    score: Estimate = _NOTHING
    knn: Estimate = _NOTHING
    logme: float | None = None
    h_score: float | None = None
    cost: Cost = _UNKNOWN
    rank: int | None = None
    lead: Gain | None = None
    reason: str | None = None
    right: np.ndarray | None = field(default=None, repr=False, compare=False)

    @property
    def measured(self) -> bool:
        """Whether it could be had."""
        return self.reason is None

    def to_json(self) -> dict[str, Any]:
        """Everything but the single rows, as values that JSON has."""
        values = {name: value for name, value in vars(self).items() if name != "right"}
        return values | {
            "score": self.score.to_json(),
            "knn": self.knn.to_json(),
            "cost": self.cost.to_json(),
            "lead": self.lead.to_json() if self.lead else None,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Candidate:
        """Takes back what `to_json` gave."""
        lead = values["lead"]
        return cls(**values | {
            "score": Estimate.from_json(values["score"]),
            "knn": Estimate.from_json(values["knn"]),
            "cost": Cost(**values["cost"]),
            "lead": Gain(*(lead[name] for name in ("over", "metric", "value", "low", "high"))) if lead else None,
        })  # fmt: skip


def majority(examples: Examples) -> Candidate:
    """The trivial baseline: what most rows are, of every row."""
    answers = MajorityBaseline.fit(examples.targets, examples.n_classes).predict(len(examples))
    right = scores.agreeing(answers, examples.targets)
    return Candidate(MAJORITY, "baseline", scores.estimate(right, 0), cost=Cost(0.0, 0, 0.0), right=right)


def measure(task: str, model: str, examples: Examples, run: Run) -> Candidate:
    """Measures one model.

    Args:
        task: the task that asks for classes.
        model: what `--model` takes.
        examples: the sample; no text of it stands in it twice, and no class has a single row.
        run: settings, and a folder in which fits on folds are noted, so that a stopped run need not repeat them.

    Raises:
        HeadwaterError: the model cannot be had.
    """
    began = time.monotonic()
    kind: type[Classifier] = catalog.model_class(task, model)
    basic = model in {entry.name for entry in catalog.models(task)}
    seen = kind(foundation=model)
    seed = run.settings.seed
    if basic:
        features = seen.view(examples.inputs, run)
        fitted = fit_on_folds(model, kind, examples, run)
        right, cost = fitted.right, replace(fitted.cost, width=features.shape[1])
    else:
        features, cost = _look(seen, examples, run)
        right = scores.correct(_probed(features, examples, seed), examples.targets)
    return Candidate(
        model,
        "baseline" if model == catalog.task(task).linear_baseline else "basic" if basic else "foundation",
        score=scores.estimate(right, seed),
        knn=scores.estimate(leave_one_out(features, examples.targets), seed),
        logme=logme(features, examples.targets),
        h_score=None if examples.several else h_score(features, examples.targets),
        cost=replace(cost, spent=round(time.monotonic() - began, 2)),
        right=right,
    )


def _look(foundation: Classifier, examples: Examples, run: Run) -> tuple[np.ndarray, Cost]:
    """The frozen features of every row, and what they cost: told from some rows, since others may be on disk."""
    some = list(examples.inputs[:_TIMED_ROWS])
    uncached = replace(run, settings=replace(run.settings, feature_cache=False))
    foundation.view(some, uncached)
    # The faster of two: what else the machine does only ever adds.
    seconds = 1000 * min(_seconds(foundation, some, uncached) for _ in range(2)) / len(some)
    features, facts = foundation.view(examples.inputs, run), foundation.facts(run)
    return features, Cost(seconds, facts.parameters, facts.megabytes, features.shape[1], facts.max_length)


def _seconds(foundation: Classifier, inputs: list[Any], run: Run) -> float:
    began = time.perf_counter()
    foundation.view(inputs, run)
    return time.perf_counter() - began


def _probed(features: np.ndarray, examples: Examples, seed: int) -> np.ndarray:
    """The logits of each row from the head that did not see it."""
    head = solve(features, examples.targets, examples.n_classes, deal=Deal(seed, examples.groups))
    return np.zeros((len(examples), examples.n_classes)) if head.held_out is None else head.held_out
