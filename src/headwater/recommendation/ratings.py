"""Factors of ratings: biased matrix factorisation, and the same with what having rated an item implies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Self

import numpy as np

from headwater.options import Between
from headwater.ranges import Search
from headwater.recommendation.blocks import in_blocks
from headwater.recommendation.epochs import epochs
from headwater.recommendation.factors import FactorModel, first_vectors
from headwater.recommendation.interactions import Histories, Interactions
from headwater.recommendation.kernels_ratings import Learnt, Pace, rate_users
from headwater.recommendation.recommender import Asked, Known
from headwater.run import Run

_SOLVED = 128
_LEAST = 1e-3
"""The least penalty of a new user: without any, fewer ratings than factors have no best vector."""


@dataclass(frozen=True, kw_only=True)
class SvdSettings:
    """What biased matrix factorisation can be told."""

    section: ClassVar[str] = "Model"

    factors: Annotated[
        int, Between(1, 4096), Search(16, 256, log=True), "Numbers in the vector of a user or of an item."
    ] = 64
    regularisation: Annotated[
        float, Between(0, 10), Search(0.01, 0.3, log=True), "The L2 penalty of vectors, per rating."
    ] = 0.08
    bias_regularisation: Annotated[
        float,
        Between(0, 10),
        Search(0.001, 0.3, log=True),
        "The L2 penalty of the biases of users and items, per rating.",
    ] = 0.05


@dataclass(frozen=True, kw_only=True)
class SvdppSettings(SvdSettings):
    """The same, and what it takes for what ratings imply."""

    implied_regularisation: Annotated[
        float, Between(0, 10), Search(0.01, 3, log=True), "The L2 penalty of what a rated item implies, per rating."
    ] = 0.3


class BiasedFactorisation(FactorModel):
    """A rating is the mean, a user's bias, an item's bias and the product of two vectors (Koren et al. 2009).

    Attributes:
        implied: what having rated an item says of a user, float32 of shape (n_items, factors + 1); of svd (0, ...).
        mean: of all ratings.
        lowest: of all ratings; no answer is below it.
        highest: the same at the other end.
    """

    Settings = SvdSettings
    reads = ("epochs", "learning_rate")
    needs = ("ratings",)
    rates = True
    own_passes = 30
    own_rate = 0.03
    implies: ClassVar[bool] = False
    implied: np.ndarray
    mean: float
    lowest: float
    highest: float

    def fit(self, known: Known, held_out: Interactions | None, run: Run) -> Self:
        self.forget()
        ratings, random = known.interactions, np.random.default_rng(run.settings.seed)
        # The order in which the ratings of a user came says how the user's taste drifted, which this model cannot tell.
        rows = Histories.of_users(replace(ratings.take(random.permutation(len(ratings))), times=None))
        given = ratings.values
        self.mean, self.lowest, self.highest = (float(number) for number in (given.mean(), given.min(), given.max()))
        learnt = self._first(rows, random)
        told = self.completed(run.settings, len(ratings))
        total, rate = int(told.epochs or 0), float(told.learning_rate or 0)
        for epoch in epochs(run, total, learnt._asdict(), ratings):
            order = np.random.default_rng([told.seed, epoch]).permutation(len(rows))
            pace = self._pace(rate * (1 - epoch / total))
            rate_users((rows.starts, rows.items, rows.values), order, learnt, np.float32(self.mean), pace)
        there = np.bincount(rows.items, minlength=rows.n_items) > 0
        self.n_items, self.implied = rows.n_items, learnt.implied
        self.items, self.biases = learnt.items, np.where(there, learnt.biases + np.float32(self.mean), -np.inf)
        self.items[~there, :-1] = 0
        self.settle(learnt.users + self._implied(rows), rows.lengths > 0)
        return self

    def ratings(self, asked: Asked, items: np.ndarray) -> np.ndarray:
        vectors, others, biases = self.factors(asked)
        biases = np.where(np.isfinite(biases), biases, np.float32(self.mean))
        found = np.einsum("rf,rf->r", vectors, others[items]) + biases[items]
        return np.clip(found, self.lowest, self.highest)

    def folded(self, histories: Histories) -> np.ndarray:
        """The vectors and biases that fit the ratings of each row best, the items held fast."""
        own, bias = (max(one, _LEAST) for one in (self.settings.regularisation, self.settings.bias_regularisation))
        penalties = np.diag(np.append(np.full(self.settings.factors, own), bias)).astype(np.float32)
        implied = self._implied(histories)

        def solve(first: int, end: int) -> np.ndarray:
            left = np.empty((end - first, *penalties.shape), dtype=np.float32)
            right = np.empty((end - first, len(penalties), 1), dtype=np.float32)
            for row in range(first, end):
                span = slice(histories.starts[row], histories.starts[row + 1])
                items = histories.items[span]
                others = self.items[items]
                missing = histories.values[span] - np.nan_to_num(self.biases[items], neginf=self.mean)
                left[row - first] = others.T @ others + len(others) * penalties
                right[row - first, :, 0] = others.T @ (missing - others @ implied[row])
            return np.linalg.solve(left, right)[:, :, 0]

        return np.concatenate(in_blocks(solve, len(histories), _SOLVED)) + implied

    def arrays(self) -> dict[str, np.ndarray]:
        return {**super().arrays(), "implied": self.implied}

    def facts(self) -> dict[str, Any]:
        return {"mean": self.mean, "lowest": self.lowest, "highest": self.highest}

    def restore(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        super().restore(arrays, facts)
        self.implied = arrays["implied"]
        self.mean, self.lowest, self.highest = facts["mean"], facts["lowest"], facts["highest"]

    def _first(self, rows: Histories, random: np.random.Generator) -> Learnt:
        width = self.settings.factors
        users, items = (np.pad(first_vectors(random, n, width), ((0, 0), (0, 1))) for n in (len(rows), rows.n_items))
        items[:, -1] = 1
        implied = np.zeros((rows.n_items if self.implies else 0, width + 1), dtype=np.float32)
        return Learnt(users, items, implied, np.zeros(rows.n_items, dtype=np.float32))

    def _pace(self, rate: float) -> Pace:
        own = self.settings
        implied = own.implied_regularisation if self.implies else 0.0
        return Pace(*(np.float32(one) for one in (rate, own.regularisation, own.bias_regularisation, implied)))

    def _implied(self, rows: Histories) -> np.ndarray:
        """What the items of each row imply, whatever their ratings, float32 of shape (rows, factors + 1)."""
        if not self.implies:
            return np.zeros((len(rows), self.items.shape[1]), dtype=np.float32)
        return (rows.matrix() @ self.implied) / np.sqrt(np.maximum(rows.lengths, 1, dtype=np.float32))[:, None]


class ImplicitBiasedFactorisation(BiasedFactorisation):
    """The same; which items a user has rated tells of the user too, whatever the ratings: SVD++ (Koren 2008)."""

    Settings = SvdppSettings
    own_passes = 50
    own_rate = 0.01
    implies = True
