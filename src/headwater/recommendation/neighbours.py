"""Neighbours: items that the same people had to do with, and people who had to do with the same items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from scipy import sparse

from headwater.options import Between, OneOf
from headwater.ranges import Search
from headwater.recommendation.blocks import in_blocks
from headwater.recommendation.factors import rows_of, turned
from headwater.recommendation.interactions import Histories, Interactions
from headwater.recommendation.kernels import STRIPE, nearest
from headwater.recommendation.recommender import Asked, Known, Recommender
from headwater.run import Run

_BLOCK = 64
_HINT = np.float32(1e-6)
"""What popularity adds at most to a score: it orders the items that no neighbour speaks for."""


@dataclass(frozen=True, kw_only=True)
class NeighbourSettings:
    """What models of neighbours can be told."""

    section: ClassVar[str] = "Model"

    neighbours: Annotated[
        int, Between(1, 10_000), Search(20, 500, log=True), "How many neighbours of each are kept, the nearest."
    ] = 200
    weights: Annotated[
        str,
        OneOf(("cosine", "tfidf", "bm25")),
        Search(),
        "What an interaction counts in a likeness: all the same, by rarity, or by rarity and the length of the row.",
    ] = "tfidf"
    amplify: Annotated[
        float, Between(0.1, 10), Search(0.5, 4), "The power of a likeness that a score adds up (Breese et al. 1998)."
    ] = 1.0
    bm25_k1: Annotated[
        float, Between(0.001, 1e4), Search(0.1, 200, log=True), "Of bm25: the lower, the less the length counts."
    ] = 100.0
    bm25_b: Annotated[
        float, Between(0, 1), Search(0, 1), "Of bm25: how much the length of a row counts, from 0 to 1."
    ] = 0.3


@dataclass(frozen=True, kw_only=True)
class UserNeighbourSettings(NeighbourSettings):
    """The same, with the values that suit neighbours among users."""

    neighbours: Annotated[
        int, Between(1, 10_000), Search(20, 500, log=True), "How many neighbours of each are kept, the nearest."
    ] = 100
    weights: Annotated[
        str,
        OneOf(("cosine", "tfidf", "bm25")),
        Search(),
        "What an interaction counts in a likeness: all the same, by rarity, or by rarity and the length of the row.",
    ] = "bm25"
    amplify: Annotated[
        float, Between(0.1, 10), Search(0.5, 4), "The power of a likeness that a score adds up (Breese et al. 1998)."
    ] = 2.0
    bm25_b: Annotated[
        float, Between(0, 1), Search(0, 1), "Of bm25: how much the length of a row counts, from 0 to 1."
    ] = 0.8


@dataclass(frozen=True)
class Weighting:
    """How much each feature counts for each of some rows.

    Attributes:
        settings: which weights.
        rarity: of each feature, float32 of shape (features,).
        length: the mean length of the rows learnt from.
    """

    settings: NeighbourSettings
    rarity: np.ndarray
    length: float

    @classmethod
    def of(cls, settings: NeighbourSettings, rows: Histories) -> Self:
        """Learnt from rows and their features: a feature of few rows is rare (Robertson and Zaragoza 2009)."""
        found = np.bincount(rows.items, minlength=rows.n_items)
        rarity = np.log1p((len(rows) - found + 0.5) / (found + 0.5))
        if settings.weights == "cosine":
            rarity = np.ones(rows.n_items)
        return cls(settings, rarity.astype(np.float32), float(rows.lengths.mean()))

    def scales(self, rows: Histories) -> np.ndarray:
        """What the length of each row makes of its weights, float32 of shape (rows,)."""
        if self.settings.weights == "bm25":
            k1, b = self.settings.bm25_k1, self.settings.bm25_b
            scales = (k1 + 1) / (k1 * (1 - b + b * rows.lengths / max(self.length, 1e-9)) + 1)
        else:
            squares = np.concatenate([[0.0], np.cumsum(np.square(self.rarity, dtype=np.float64)[rows.items])])
            scales = 1 / np.sqrt(np.maximum(squares[rows.starts[1:]] - squares[rows.starts[:-1]], 1e-12))
        return scales.astype(np.float32)

    def weighted(self, rows: Histories) -> Histories:
        """The same rows, their values what a common feature adds to a likeness, the scale of the other row left out."""
        values = np.square(self.rarity)[rows.items]
        return replace(rows, values=values * np.repeat(self.scales(rows), rows.lengths))


@dataclass(frozen=True)
class Others:
    """Those among whom neighbours are looked for.

    Attributes:
        having: who has each feature: int64 starts of shape (features + 1,), and int32 positions.
        scales: of each of them, float32 of shape (others,).
    """

    having: tuple[np.ndarray, np.ndarray]
    scales: np.ndarray

    @classmethod
    def of(cls, rows: Histories, weighting: Weighting) -> Self:
        matrix = sparse.csr_matrix((rows.values, rows.items, rows.starts), shape=(len(rows), rows.n_items)).tocsc()
        having = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32, copy=False)
        return cls(having, weighting.scales(rows))


class _Neighbours(Recommender):
    """Scores that neighbours add up, and a hint of popularity where none speaks.

    Attributes:
        counts: interactions of each item, float32 of shape (n_items,).
    """

    Settings = NeighbourSettings
    counts: np.ndarray

    def told(self, sums: sparse.csr_matrix) -> np.ndarray:
        """What neighbours say of the items, with what is known without them."""
        hint = _HINT * self.counts / max(1, self.counts.max(initial=0))
        return sums.toarray() + np.where(self.counts, hint, np.float32(-np.inf))

    def nearest(self, rows: Histories, others: Others, but: np.ndarray) -> sparse.csr_matrix:
        """The likeness of each row to its nearest neighbours among the others, shape (rows, others)."""
        k, scales = min(self.settings.neighbours, len(others.scales)), others.scales
        scales = np.pad(scales, (0, -len(scales) % STRIPE))

        def find(first: int, end: int) -> tuple[np.ndarray, np.ndarray]:
            near, likeness = np.zeros((end - first, k), np.int32), np.zeros((end - first, k), np.float32)
            near[:, 0] = but[first:end]
            nearest(rows_of(rows, first, end), others.having, scales, near, likeness)
            return near, likeness

        parts = in_blocks(find, len(rows), _BLOCK)
        near, likeness = (np.concatenate(part) for part in zip(*parts, strict=True))
        there = likeness > 0
        starts = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
        values = likeness[there] ** np.float32(self.settings.amplify)
        return sparse.csr_matrix((values, near[there], starts), shape=(len(rows), len(others.scales)))


class ItemNeighbours(_Neighbours):
    """Each item is spoken for by those of a history that are among its nearest neighbours (Sarwar et al. 2001).

    Attributes:
        spoken: for each item what it says of others, shape (n_items, n_items).
    """

    spoken: sparse.csr_matrix

    def fit(self, known: Known, held_out: Interactions | None, run: Run) -> Self:
        rows = Histories.of_users(turned(known.interactions))
        self.n_items, self.counts = len(rows), rows.lengths.astype(np.float32)
        weighting = Weighting.of(self.settings, rows)
        itself = np.arange(len(rows), dtype=np.int32)
        found = self.nearest(weighting.weighted(rows), Others.of(rows, weighting), itself)
        self.spoken = found.T.tocsr()
        return self

    def scores(self, asked: Asked) -> np.ndarray:
        return self.told(asked.histories.matrix() @ self.spoken)

    def arrays(self) -> dict[str, np.ndarray]:
        said = self.spoken
        return {"counts": self.counts, "starts": said.indptr, "items": said.indices, "values": said.data}

    def restore(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        self.counts = arrays["counts"]
        said = (arrays["values"], arrays["items"], arrays["starts"])
        self.spoken = sparse.csr_matrix(said, shape=(self.n_items, self.n_items))


class UserNeighbours(_Neighbours):
    """A row gets what its nearest neighbours among the users had to do with (Resnick et al. 1994).

    Attributes:
        known: the histories learnt from.
    """

    Settings = UserNeighbourSettings
    known: Histories

    def fit(self, known: Known, held_out: Interactions | None, run: Run) -> Self:
        self.forget()
        self.known = Histories.of_users(replace(known.interactions, times=None))
        self.n_items = self.known.n_items
        self._count()
        return self

    def scores(self, asked: Asked) -> np.ndarray:
        rows = self._weighting.weighted(asked.histories)
        near = self.nearest(rows, self._others, asked.users)
        return self.told(near @ self.known.matrix())

    def arrays(self) -> dict[str, np.ndarray]:
        return {"starts": self.known.starts, "items": self.known.items}

    def restore(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        values = np.ones(len(arrays["items"]), dtype=np.float32)
        self.known = Histories(arrays["starts"], arrays["items"], values, self.n_items)
        self._count()

    def _count(self) -> None:
        self.counts = np.bincount(self.known.items, minlength=self.n_items).astype(np.float32)

    @cached_property
    def _weighting(self) -> Weighting:
        return Weighting.of(self.settings, self.known)

    @cached_property
    def _others(self) -> Others:
        return Others.of(self.known, self._weighting)
