"""Factors of implicit interactions: alternating least squares, and Bayesian personalised ranking."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, ClassVar, Self

import numpy as np

from headwater.options import Between, OneOf
from headwater.ranges import Search
from headwater.recommendation.blocks import in_blocks
from headwater.recommendation.epochs import epochs
from headwater.recommendation.factors import FactorModel, ascending, first_vectors, rows_of, turned
from headwater.recommendation.interactions import Histories, Interactions
from headwater.recommendation.kernels import weigh
from headwater.recommendation.kernels_bpr import take_steps
from headwater.recommendation.pairwise import Pairwise
from headwater.recommendation.recommender import Known
from headwater.run import Run

_STEPS = 3
_SWEPT, _SOLVED = 1024, 128
_LEAST = np.float32(1e-30)


@dataclass(frozen=True, kw_only=True)
class AlsSettings:
    """What alternating least squares can be told."""

    section: ClassVar[str] = "Model"

    factors: Annotated[
        int, Between(1, 4096), Search(16, 256, log=True), "Numbers in the vector of a user or of an item."
    ] = 64
    alpha: Annotated[
        float, Between(0.001, 1e6), Search(0.3, 100, log=True), "What an interaction weighs, where its lack weighs 1."
    ] = 2.5
    regularisation: Annotated[
        float, Between(1e-6, 1e3), Search(1e-3, 0.1, log=True), "The L2 penalty of a vector per unit of its weights."
    ] = 0.019


class AlternatingLeastSquares(FactorModel):
    """Implicit ALS (Hu et al. 2008), each vector improved by three steps of conjugate gradient (Takacs et al. 2011).

    A lacking interaction counts as 0 with weight 1, one that is there as 1 with weight `1 + alpha`.
    """

    Settings = AlsSettings
    reads = ("epochs",)
    own_passes = 10

    def fit(self, known: Known, held_out: Interactions | None, run: Run) -> Self:
        table = self._weighted(known.interactions)
        by_user, by_item = Histories.of_users(table), Histories.of_users(turned(table))
        random = np.random.default_rng(run.settings.seed)
        users, items = (first_vectors(random, len(rows), self.settings.factors) for rows in (by_user, by_item))
        for _ in epochs(run, run.settings.epochs or self.own_passes, {"users": users, "items": items}, table):
            self._sweep(users, items, by_user)
            self._sweep(items, users, by_item)
        there = by_item.lengths > 0
        self.n_items, self.items = len(by_item), items * there[:, None]
        self.biases = np.where(there, 0, -np.inf).astype(np.float32)
        told = by_user.lengths > 0
        users[told] = self._solved(by_user.take(np.flatnonzero(told)))
        self.settle(users, told)
        return self

    def folded(self, histories: Histories) -> np.ndarray:
        weights = np.full(len(histories.items), self.settings.alpha, dtype=np.float32)
        return self._solved(replace(histories, values=weights))

    def _weighted(self, known: Interactions) -> Interactions:
        weights = np.full(len(known), self.settings.alpha, dtype=np.float32)
        return replace(known, values=weights, times=None)

    def _penalties(self, weighted: Histories) -> np.ndarray:
        """The penalty of each row, float32 of shape (rows, 1)."""
        total = weighted.n_items + self.settings.alpha * weighted.lengths
        return (self.settings.regularisation * total).astype(np.float32)[:, None]

    def _sweep(self, vectors: np.ndarray, others: np.ndarray, weighted: Histories) -> None:
        """Improves every vector in place, the others held fast: conjugate gradient from where it stands."""
        gram, penalties = others.T @ others, self._penalties(weighted)

        def improve(first: int, end: int) -> None:
            rows, penalty, none = rows_of(weighted, first, end), penalties[first:end], np.float32(0)

            def product(at: np.ndarray, preferred: np.float32) -> np.ndarray:
                """What the interactions are taken for, less the product of the normal equations with `at`."""
                out = -(at @ gram) - penalty * at
                weigh(rows, at, others, preferred, out)
                return out

            at = vectors[first:end]
            residual = product(at, np.float32(1))
            direction, length = residual.copy(), _squares(residual)
            for _ in range(_STEPS):
                change = product(direction, none)
                step = length / np.maximum(-_dots(direction, change), _LEAST)
                at += step * direction
                residual += step * change
                before, length = length, _squares(residual)
                direction = residual + length / np.maximum(before, _LEAST) * direction

        in_blocks(improve, len(vectors), _SWEPT)

    @cached_property
    def _gram(self) -> np.ndarray:
        """The products of the items' numbers: once the items are learnt they stay, however many users are folded in."""
        return self.items.T @ self.items

    def _solved(self, weighted: Histories) -> np.ndarray:
        """The vectors that fit these rows best, the items held fast: their normal equations solved."""
        penalties = self._penalties(weighted)
        gram = self._gram
        eye = np.eye(len(gram), dtype=np.float32)

        def solve(first: int, end: int) -> np.ndarray:
            left, right = penalties[first:end, :, None] * eye + gram, np.empty((end - first, len(gram), 1), np.float32)
            for row in range(first, end):
                liked = self.items[weighted.of(row)]
                left[row - first] += self.settings.alpha * (liked.T @ liked)
                right[row - first, :, 0] = (1 + self.settings.alpha) * liked.sum(axis=0)
            return np.linalg.solve(left, right)[:, :, 0]

        return np.concatenate(in_blocks(solve, len(weighted), _SOLVED))


def _dots(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The product of each row with its like, shape (rows, 1)."""
    return np.einsum("rf,rf->r", one, other)[:, None]


def _squares(rows: np.ndarray) -> np.ndarray:
    return _dots(rows, rows)


@dataclass(frozen=True, kw_only=True)
class BprSettings:
    """What Bayesian personalised ranking can be told."""

    section: ClassVar[str] = "Model"

    factors: Annotated[
        int, Between(1, 4096), Search(16, 256, log=True), "Numbers in the vector of a user or of an item."
    ] = 64
    regularisation: Annotated[
        float, Between(0, 10), Search(0.003, 0.1, log=True), "The L2 penalty of the vectors that a step touches."
    ] = 0.04
    negatives: Annotated[
        str,
        OneOf(("uniform", "popular")),
        Search(),
        "How items are drawn against an interaction: all alike, or as often as they occur.",
    ] = "uniform"
    candidates: Annotated[
        int,
        Between(1, 1000),
        Search(1, 16, log=True),
        "How many are drawn; the one that the model scores best is learnt from (Zhang et al. 2013).",
    ] = 4


class BayesianPersonalisedRanking(Pairwise):
    """What a user had to do with should score above what not (Rendle et al. 2009), by stochastic gradient descent."""

    Settings = BprSettings
    own_rate = 0.1
    own_passes = 50

    def fit(self, known: Known, held_out: Interactions | None, run: Run) -> Self:
        rows, seed = ascending(Histories.of_users(replace(known.interactions, times=None))), run.settings.seed
        self.begin(rows, run.settings)
        random, drawn = np.random.default_rng(seed), self.drawn(rows)
        users, items = (first_vectors(random, count, self.settings.factors) for count in (len(rows), rows.n_items))
        biases = np.zeros(rows.n_items, dtype=np.float32)
        learnt = {"users": users, "items": items, "biases": biases}
        for epoch in epochs(run, self.passes, learnt, known.interactions):
            steps = self.steps(epoch, learn_items=True)
            take_steps(drawn, (users, items, biases), steps, np.random.default_rng([seed, epoch]))
        there = self.counts > 0
        self.items, self.biases = items * there[:, None], np.where(there, biases, np.float32(-np.inf))
        self.settle(users, rows.lengths > 0)
        return self

    def often(self) -> np.ndarray:
        return self.counts if self.settings.negatives == "popular" else super().often()
