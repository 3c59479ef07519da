"""Factors of implicit interactions: alternating least squares, and Bayesian personalised ranking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

import numpy as np

from headwater.options import Between, OneOf
from headwater.ranges import Search
from headwater.recommendation.blocks import in_blocks
from headwater.recommendation.epochs import epochs
from headwater.recommendation.factors import FactorModel, ascending, first_vectors, rows_of, turned
from headwater.recommendation.interactions import Histories, Interactions
from headwater.recommendation.kernels_als import improve
from headwater.recommendation.kernels_bpr import take_steps
from headwater.recommendation.pairwise import Pairwise
from headwater.recommendation.recommender import Known
from headwater.run import Run

_STEPS = 3
_SHARED = 2.5
"""How many times what is typical is added to a row's own interactions in its penalty; found by measurement."""
_TO_THE_END = 16
"""Steps from zero after which conjugate gradient has solved what three steps come near to."""
_BLOCK = 1024


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
        float,
        Between(1e-6, 1e3),
        Search(0.005, 0.5, log=True),
        "The L2 penalty of a vector, per unit that its interactions weigh and more than twice that of a typical one's.",
    ] = 0.05


@dataclass(frozen=True)
class _Held:
    """What is held fast while vectors are improved.

    Attributes:
        vectors: of those on the other side, float32 of shape (others, factors).
        gram: `vectors.T @ vectors`.
        typical: how many interactions the rows that are improved have, in the mean of those that have any.
    """

    vectors: np.ndarray
    gram: np.ndarray
    typical: float

    @classmethod
    def of(cls, vectors: np.ndarray, rows: Histories) -> Self:
        return cls(vectors, vectors.T @ vectors, len(rows.items) / max(1, np.count_nonzero(rows.lengths)))


class AlternatingLeastSquares(FactorModel):
    """Implicit ALS (Hu et al. 2008), each vector improved by three steps of conjugate gradient (Takacs et al. 2011).

    A lacking interaction counts as 0 with weight 1, one that is there as 1 with weight `1 + alpha`.

    Attributes:
        typical: how many interactions a user has in the mean.
    """

    Settings = AlsSettings
    reads = ("epochs",)
    own_passes = 10

    def fit(self, known: Known, held_out: Interactions | None, run: Run) -> Self:
        self.forget()
        table = self._weighted(known.interactions)
        by_user, by_item = Histories.of_users(table), Histories.of_users(turned(table))
        random = np.random.default_rng(run.settings.seed)
        users, items = (first_vectors(random, len(rows), self.settings.factors) for rows in (by_user, by_item))
        for _ in epochs(run, run.settings.epochs or self.own_passes, {"users": users, "items": items}, table):
            self._improve(users, _Held.of(items, by_user), by_user, _STEPS)
            self._improve(items, _Held.of(users, by_item), by_item, _STEPS)
        there = by_item.lengths > 0
        self.n_items, self.items = len(by_item), items * there[:, None]
        self.biases = np.where(there, 0, -np.inf).astype(np.float32)
        held = _Held.of(self.items, by_user)
        self.typical = held.typical
        self._improve(users, held, by_user, _TO_THE_END // 2)
        self.settle(users, by_user.lengths > 0)
        return self

    def folded(self, histories: Histories) -> np.ndarray:
        weights = np.full(len(histories.items), self.settings.alpha, dtype=np.float32)
        found = np.zeros((len(histories), self.items.shape[1]), dtype=np.float32)
        self._improve(found, self._held, replace(histories, values=weights), _TO_THE_END)
        return found

    def facts(self) -> dict[str, Any]:
        return {"typical": self.typical}

    def restore(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        super().restore(arrays, facts)
        self.typical = facts["typical"]

    @cached_property
    def _held(self) -> _Held:
        """The items of a fitted model: they stay, however many users are folded in."""
        return _Held(self.items, self.items.T @ self.items, self.typical)

    def _weighted(self, known: Interactions) -> Interactions:
        weights = np.full(len(known), self.settings.alpha, dtype=np.float32)
        return replace(known, values=weights, times=None)

    def _penalties(self, weighted: Histories, typical: float) -> np.ndarray:
        """The penalty of each row, float32 of shape (rows,): by its own interactions, and by those of a typical row.

        It does not grow with what is lacking: that would draw all vectors of a large catalogue to zero.
        """
        told = weighted.lengths + _SHARED * typical
        return (self.settings.regularisation * self.settings.alpha * told).astype(np.float32)

    def _improve(self, vectors: np.ndarray, held: _Held, weighted: Histories, steps: int) -> None:
        """Improves every vector in place, the others held fast: conjugate gradient from where it stands."""
        penalties = self._penalties(weighted, held.typical)

        def work(first: int, end: int) -> None:
            rows = rows_of(weighted, first, end)
            improve(rows, vectors[first:end], held.vectors, held.gram, penalties[first:end], steps)

        in_blocks(work, len(vectors), _BLOCK)


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
            draws = np.random.default_rng([seed, epoch])
            order, steps = draws.permutation(len(rows)), self.steps(epoch, learn_items=True)
            take_steps(drawn, order, (users, items, biases), steps, draws)
        there = self.counts > 0
        self.items, self.biases = items * there[:, None], np.where(there, biases, np.float32(-np.inf))
        self.settle(users, rows.lengths > 0)
        return self

    def often(self) -> np.ndarray:
        return self.counts if self.settings.negatives == "popular" else super().often()
