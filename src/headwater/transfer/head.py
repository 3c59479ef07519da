"""The linear head on frozen features: regularised logistic regression, its strength chosen by cross-validation.

Features are standardised, rotated onto their principal axes, and the strengths are tried from the strongest on, each
starting from the solution before it. The rotation leaves an L2 penalty as it is, but lets every direction be scaled by
its curvature, so that L-BFGS needs a handful of steps where it would need a hundred.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax
from threadpoolctl import threadpool_limits

from headwater.transfer.dealing import Deal, answerable
from headwater.transfer.made import NONE, Made, shares

STRENGTHS = tuple(float(10 ** (half / 2)) for half in range(8, -5, -1))
ABSENT = -100.0
"""The logit of a class of which a head has seen no row."""
_ITERATIONS = 200
_PLAIN = Deal()


@dataclass(frozen=True)
class Head:
    """A linear map from features to logits, with what cross-validation says of it.

    Attributes:
        weight: shape (classes, width), for features as they are: the standardisation is folded in.
        bias: shape (classes,).
        strength: the L2 penalty, the inverse of scikit-learn's `C` on standardised features.
        held_out: the logits of each row of the data from the fold that did not see it, shape (rows, classes); zeros for
            a row that no fold could spare. None when the strength was given.
        spared: which rows some fold could spare and answer, shape (rows,); None when the strength was given.
    """

    weight: np.ndarray
    bias: np.ndarray
    strength: float
    held_out: np.ndarray | None = None
    spared: np.ndarray | None = None

    def unseen(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """The held-out logits of the rows that have some, and their targets; None where no row was spared.

        A row that every fold has learnt from is not answered, rightly or wrongly.
        """
        if self.held_out is None or self.spared is None or not self.spared.any():
            return None
        return self.held_out[self.spared], targets[self.spared]

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Unnormalised scores of shape (rows, classes)."""
        return features @ self.weight.T + self.bias


def solve(
    features: np.ndarray,
    targets: np.ndarray,
    n_classes: int,
    weights: np.ndarray | None = None,
    *,
    deal: Deal = _PLAIN,
    strength: float | None = None,
) -> Head:
    """Fits the head; without a `strength`, takes the one whose held-out log-loss is the least.

    Args:
        features: shape (rows, width).
        targets: class positions of shape (rows,), or zeros and ones of shape (rows, classes) where several hold.
        n_classes: how many classes there are, those without a row included.
        weights: the weight of each row in the loss, shape (rows,).
        deal: how the rows are dealt into folds.
        strength: the L2 penalty; chosen by cross-validation if not given.

    Example:
        >>> head = solve(np.array([[0.0], [1.0], [4.0], [5.0]]), np.array([0, 0, 1, 1]), n_classes=2)
        >>> head.logits(np.array([[0.5], [4.5]])).argmax(axis=1)
        array([0, 1])
    """
    # The products are too thin for a second thread to pay: it would only wait, and be counted.
    with threadpool_limits(1):
        return _solve(features, targets, weights, Made.none(features.shape[1], n_classes), deal, strength)


def solve_with(
    made: Made, features: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None, *, deal: Deal = _PLAIN
) -> Head:
    """The same with made rows beside those of the data: they teach, but no fold is measured on them.

    Args:
        made: the made rows, with the share of every class; `parents` are positions in `features`.
        features: as in `solve`.
        targets: as in `solve`.
        weights: as in `solve`.
        deal: as in `solve`.
    """
    with threadpool_limits(1):
        return _solve(features, targets, weights, made, deal, None)


def _solve(
    features: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray | None,
    made: Made,
    deal: Deal,
    strength: float | None,
) -> Head:
    distinct, place, weights = _distinct(features, targets, weights)
    features, targets = features[distinct], targets[distinct]
    made = replace(made, parents=np.where(made.parents == NONE, NONE, place[made.parents]))
    mean, scale = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    scale[scale < 1e-8] = 1.0
    goals = np.concatenate([shares(targets, made.goals.shape[1]), made.goals])
    given = np.concatenate([features, made.features]) if len(made) else features
    axes, problem = _rotated(
        (given - mean) / scale, goals, np.concatenate([weights, made.weights]), several=targets.ndim == 2
    )
    held_out = spared = None
    if strength is None:
        strength, held_out, spared = _choose(problem, targets, made, deal.take(distinct))
    solution = problem.solve(strength, problem.start(), tolerance=1e-10)
    weight = (axes @ solution[1:]).T / scale
    bias = solution[0] - weight @ mean
    weight, bias = problem.classwise(weight), problem.classwise(bias)
    # safetensors writes memory as it lies: a transposed array would come back scrambled.
    held_out, spared = (None if one is None else one[place] for one in (held_out, spared))
    return Head(np.ascontiguousarray(weight, dtype=np.float32), bias.astype(np.float32), strength, held_out, spared)


def _distinct(
    features: np.ndarray, targets: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Equal rows as one that weighs as much as all of them: the loss is the same, and no copy straddles the folds.

    Returns:
        The position of the first of each set of equal rows, shape (distinct rows,); for every row its place among
        these, shape (rows,); their weights, shape (distinct rows,).
    """
    seen: dict[bytes, int] = {}
    keys = (row.tobytes() + target.tobytes() for row, target in zip(features, targets, strict=True))
    place = np.array([seen.setdefault(key, len(seen)) for key in keys], dtype=np.intp)
    return np.unique(place, return_index=True)[1], place, np.bincount(place, weights).astype(np.float64)


@dataclass(frozen=True)
class _Problem:
    """Penalised logistic regression in rotated coordinates.

    A binary problem is solved, as in scikit-learn, for the difference of its two logits: `goals` then has one column.
    """

    features: np.ndarray
    goals: np.ndarray
    weights: np.ndarray
    spread: np.ndarray
    softmax: bool
    binary: bool

    def start(self) -> np.ndarray:
        return np.zeros((self.features.shape[1] + 1, self.goals.shape[1]))

    def logits(self, solution: np.ndarray) -> np.ndarray:
        return self.features @ solution[1:].astype(self.features.dtype) + solution[0]

    def losses(self, logits: np.ndarray) -> np.ndarray:
        """The weighted loss of each row, shape (rows,)."""
        if self.softmax:
            return -self.weights * (self.goals * log_softmax(logits, axis=1)).sum(axis=1)
        return self.weights * (np.logaddexp(0, logits) - self.goals * logits).sum(axis=1)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        return softmax(logits, axis=1) if self.softmax else expit(logits)

    def without(self, rows: np.ndarray) -> _Problem:
        """The same problem with these rows held out: they keep their place and lose their weight."""
        weights = self.weights.copy()
        weights[rows] = 0
        return replace(self, weights=weights)

    def solve(self, strength: float, start: np.ndarray, tolerance: float) -> np.ndarray:
        """The bias (first row) and the weights at which loss and penalty together are least."""
        scale = self._scale(start, strength)

        def objective(scaled: np.ndarray) -> tuple[float, np.ndarray]:
            solution = scaled.reshape(start.shape) * scale
            logits = self.logits(solution)
            value = self.losses(logits).sum() + strength / 2 * (solution[1:] ** 2).sum()
            slope = self.weights[:, None] * (self.probabilities(logits) - self.goals)
            gradient = self.features.T @ slope.astype(self.features.dtype) + strength * solution[1:]
            return float(value), (np.concatenate([[slope.sum(axis=0)], gradient]) * scale).ravel()

        options = {"maxiter": _ITERATIONS, "maxcor": 20, "ftol": tolerance, "gtol": 1e-5}
        found = minimize(objective, (start / scale).ravel(), jac=True, method="L-BFGS-B", options=options)
        return found.x.reshape(start.shape) * scale

    def _scale(self, solution: np.ndarray, strength: float) -> np.ndarray:
        """The step that each coordinate's curvature at a solution suggests, shape (1 + rank, 1)."""
        chances = self.probabilities(self.logits(solution))
        sharpness = float((self.weights @ (chances * (1 - chances))).mean())
        curvature = sharpness / self.weights.sum() * self.spread + strength
        return 1 / np.sqrt(np.concatenate([[sharpness + 1e-12], curvature]))[:, None]

    def classwise(self, rows: np.ndarray) -> np.ndarray:
        """One row a class: of a binary problem's only row, half for each side."""
        return np.concatenate([-rows / 2, rows / 2]) if self.binary else rows


def _rotated(
    features: np.ndarray, goals: np.ndarray, weights: np.ndarray, *, several: bool
) -> tuple[np.ndarray, _Problem]:
    """The principal axes of the features, shape (width, rank), and the problem in their coordinates."""
    rows, width = features.shape
    if rows < width:
        _, sizes, axes = np.linalg.svd(features, full_matrices=False)
        spread, axes = sizes**2, axes.T
    else:
        spread, axes = np.linalg.eigh(features.T @ features)
    kept = spread > spread.max(initial=0.0) * 1e-10
    spread, axes = spread[kept], axes[:, kept]
    binary = not several and goals.shape[1] == 2
    problem = _Problem(
        features=features @ axes,
        goals=goals[:, 1:] if binary else goals,
        weights=weights,
        spread=spread,
        softmax=not (several or binary),
        binary=binary,
    )
    return axes, problem


def _choose(problem: _Problem, targets: np.ndarray, made: Made, deal: Deal) -> tuple[float, np.ndarray, np.ndarray]:
    """The strength of the least held-out loss, the held-out logits there, and which rows have them.

    It stops when the loss has risen twice.
    """
    folds = deal.folds(targets)
    # A made row that was left in would tell what its held-out parent is.
    parts = [
        (problem.without(np.concatenate([held, len(targets) + made.touched_by(held)])), answerable(targets, held))
        for held in folds
    ]
    solutions = [problem.start() for _ in folds]
    spared = np.isin(np.arange(len(problem.goals)), np.concatenate([[], *(judged for _, judged in parts)]))
    held_out = problem.without(np.flatnonzero(~spared))
    best, best_loss, best_logits, risen = STRENGTHS[0], math.inf, np.zeros(problem.goals.shape), 0
    for strength in STRENGTHS if folds else ():
        logits = np.zeros(problem.goals.shape)
        for position, (part, judged) in enumerate(parts):
            solutions[position] = part.solve(strength, solutions[position], tolerance=1e-6)
            logits[judged] = part.logits(solutions[position])[judged]
        loss = float(held_out.losses(logits).sum())
        risen = risen + 1 if loss >= best_loss else 0
        if loss < best_loss:
            best, best_loss, best_logits = strength, loss, logits
        if risen == 2:
            break
    return best, problem.classwise(best_logits[: len(targets)].T).T, spared[: len(targets)]
