"""What becomes of the rows of a source: a plan with its evidence, and the training rows that follow from it.

Rows of a close source are learnt from like the target's own; those of a far one count little, so that the target's own
rows, altered and drawn again where that is asked for, decide (Ben-David et al. 2010 say why: what source rows add falls
with the distance, what they cost does not). How far is measured, by how well a held-out row's side can be told; how
much a source row counts is validated, on target rows that the head has not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from headwater.errors import DataError
from headwater.evaluation.intervals import Estimate
from headwater.settings import Settings
from headwater.transfer import distance, scores
from headwater.transfer.classifier import Examples
from headwater.transfer.dealing import Deal
from headwater.transfer.head import solve

CLOSE = 1.88
"""The proxy A-distance up to which sets are close. See docs/plan.md for the benchmark that it comes from."""
FEWEST = 20
"""The target rows that a plan needs: of fewer, neither distance nor weight can be told from chance."""
WEIGHTS = {"joint": (1.0, 0.3), "augment": (0.1, 0.03, 0.3, 0.0), "target-only": (0.0,)}
"""What a source row may count against a target row, by plan; the first is taken unless validation speaks against it."""
_ROWS = 2000
_SOURCE_ROWS = 5000

View = Callable[[Sequence[Any]], np.ndarray]


@dataclass(frozen=True)
class Branch:
    """One way to use the source, and how its probe did on held-out target rows.

    Attributes:
        weight: what a source row counts against a target row.
        score: the cross-validated accuracy of a linear head on frozen features.
        losses: the held-out log-loss of each target row, shape (rows,).
    """

    weight: float
    score: Estimate
    losses: np.ndarray

    @property
    def loss(self) -> float:
        return float(self.losses.mean())


@dataclass(frozen=True)
class Plan:
    """What is done with the source, and why.

    Attributes:
        name: `joint`, `augment` or `target-only`.
        weight: what a source row counts against a target row.
        reason: why, as a sentence.
        distance: the proxy A-distance of as many source as target rows, from 0 (alike) to 2 (nothing in common).
        branches: what was tried on held-out target rows, in the order of `WEIGHTS`.
    """

    name: str
    weight: float
    reason: str
    distance: Estimate
    branches: list[Branch] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"

    def rows(self, train: Examples, source: Examples) -> Examples:
        """The training rows: the target's with their copies, then those of the source with their weight, if any."""
        if not self.weight:
            return replace(train, of_source=np.zeros(len(train), dtype=bool))
        counts = np.ones(len(source)) if source.weights is None else source.weights
        return train.followed_by(
            replace(source, weights=self.weight * counts, of_source=np.ones(len(source), dtype=bool))
        )

    def section(self) -> dict[str, Any]:
        """The section of the report."""
        tried = [{"weight": branch.weight, "score": branch.score, "log_loss": branch.loss} for branch in self.branches]
        return {
            "name": self.name, "weight": self.weight, "sentence": str(self), "distance": self.distance,
            "close_up_to": CLOSE, "tried": tried,
        }  # fmt: skip


def draw_up(view: View, train: Examples, source: Examples, settings: Settings) -> Plan:
    """Measures the distance, chooses the plan that the settings leave open, and validates what a source row counts.

    Args:
        view: features of inputs before anything is learnt from them; called once, with rows of both sets.
        train: training rows of the target.
        source: rows of the source, with targets of the same classes.
        settings: `plan` and `verify` overrule the distance; `seed` draws the rows that are looked at.

    Raises:
        DataError: there are too few target rows to tell anything.
    """
    if len(train) < FEWEST:
        raise DataError(
            "A plan for a source needs more target rows to measure on", where="--source", got=len(train),
            accepted=f"{FEWEST} or more training rows", fix="Give more rows, or leave --source out.",
        )  # fmt: skip
    random = np.random.default_rng(settings.seed)
    train, source = _drawn(train, _ROWS, random), _drawn(source, _SOURCE_ROWS, random)
    seen = np.split(view([*train.inputs, *source.inputs]), [len(train)])
    # A row that stands there twice, as oversampling leaves it, would be answered by its twin.
    once = [np.sort(np.unique(part, axis=0, return_index=True)[1]) for part in seen]
    train, source = train.take(once[0]), source.take(once[1])
    features = [part[rows] for part, rows in zip(seen, once, strict=True)]
    apart = distance.between(features[1], features[0], settings.seed)
    names = _candidates(apart, settings)
    weights = list(dict.fromkeys(weight for name in names for weight in WEIGHTS[name]))
    if not Deal(settings.seed, train.groups).folds(train.targets):
        reason = f"{_how(apart, settings)}; no row or group of a class can be spared to validate a weight on"
        return Plan(names[0], weights[0], reason, apart)
    branches = _tried(features, train, source, weights, settings.seed)
    chosen = _chosen(branches)
    name = next(name for name in names if chosen.weight in WEIGHTS[name]) if chosen.weight else "target-only"
    return Plan(name, chosen.weight, _reason(apart, chosen, branches, settings), apart, branches)


def _candidates(apart: Estimate, settings: Settings) -> tuple[str, ...]:
    if settings.plan != "auto":
        return (settings.plan,)
    likely = "joint" if apart.value <= CLOSE else "augment"
    return (likely, *(name for name in WEIGHTS if name != likely)) if settings.verify else (likely,)


def _drawn(examples: Examples, most: int, random: np.random.Generator) -> Examples:
    if len(examples) <= most:
        return examples
    return examples.take(np.sort(random.choice(len(examples), most, replace=False)))


def _tried(
    features: Sequence[np.ndarray], train: Examples, source: Examples, weights: Sequence[float], seed: int
) -> list[Branch]:
    """For each weight, the head that learns from both sets, on the target rows of the fold that it has not seen."""
    target, other = features
    folds = Deal(seed, train.groups).folds(train.targets)
    branches = []
    for weight in weights:
        rows = len(source) if weight else 0
        everything = np.concatenate([target, other[:rows]])
        both = train.followed_by(source.take(np.arange(rows)))
        targets, counts = both.targets, _counts(train, source, weight)[: len(both)]
        strength = solve(everything, targets, train.n_classes, counts, deal=Deal(seed, both.groups)).strength
        logits = np.zeros((len(train), train.n_classes))
        for held in folds:
            kept = np.setdiff1d(np.arange(len(everything)), held)
            head = solve(everything[kept], targets[kept], train.n_classes, counts[kept], strength=strength)
            logits[held] = head.logits(target[held])
        seen = np.concatenate(folds)
        right = scores.correct(logits[seen], train.targets[seen])
        losses = scores.losses(logits[seen], train.targets[seen])
        branches.append(Branch(weight, scores.estimate(right, seed), losses))
    return branches


def _counts(train: Examples, source: Examples, weight: float) -> np.ndarray:
    own, other = (np.ones(len(part)) if part.weights is None else part.weights for part in (train, source))
    return np.concatenate([own, weight * other])


def _chosen(branches: Sequence[Branch]) -> Branch:
    """The first branch, unless the held-out loss of another is less by more than chance would have it.

    Taking the least loss as it stands was measured to be worse: on 50 target rows it is mostly chance.
    """
    default, best = branches[0], min(branches, key=lambda branch: branch.loss)
    gained = default.losses - best.losses
    error = float(gained.std()) / len(gained) ** 0.5
    return best if gained.mean() > 2 * error else default


def _how(apart: Estimate, settings: Settings) -> str:
    near = "close" if apart.value <= CLOSE else "far"
    how = f"the sets are {near} (proxy A-distance {apart}, close up to {CLOSE})"
    if settings.plan != "auto":
        how = f"asked for; {how}"
    elif settings.verify:
        how = f"verified on held-out target rows; {how}"
    return how


def _reason(apart: Estimate, chosen: Branch, branches: Sequence[Branch], settings: Settings) -> str:
    how = _how(apart, settings)
    if not chosen.weight:
        return f"{how}; source rows take no part"
    tried = ", ".join(f"{branch.weight:g}: {branch.score.value:.3f}" for branch in branches)
    return f"{how}; a source row counts {chosen.weight:g} of a target row (probe accuracy by weight: {tried})"
