"""Models of factors that learn from pairs of items, one of which a user had to do with: how new users are folded in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from headwater.recommendation.factors import FactorModel, ascending
from headwater.recommendation.interactions import Histories
from headwater.recommendation.kernels_bpr import Drawn, Steps, take_steps
from headwater.settings import Settings


class Pairwise(FactorModel):
    """A model of factors whose settings have `regularisation` and `candidates`.

    Attributes:
        counts: interactions of each item, int32 of shape (n_items,).
        rate: the learning rate of the first epoch; it falls to zero.
        passes: how many epochs there are.
    """

    reads = ("epochs", "learning_rate")
    counts: np.ndarray
    rate: float
    passes: int

    def begin(self, rows: Histories, settings: Settings) -> None:
        """Notes what there is to learn from, and how long and fast that goes."""
        self.forget()
        self.n_items, self.counts = rows.n_items, np.bincount(rows.items, minlength=rows.n_items).astype(np.int32)
        told = self.completed(settings, len(rows.items))
        self.passes, self.rate = int(told.epochs or 0), float(told.learning_rate or 0)

    def folded(self, histories: Histories) -> np.ndarray:
        """The steps of a fit from the mean user on, items held fast; each row draws the same numbers by itself."""
        rows, found = ascending(histories), np.tile(self._typical, (len(histories), 1))
        factors = found, self.items, np.nan_to_num(self.biases, neginf=0)
        steps, drawn = [self.steps(number, learn_items=False) for number in range(self.passes)], self.drawn(rows)
        for row in np.arange(len(rows)):
            draws, alone = np.random.default_rng(0), np.array([row])
            for one in steps:
                take_steps(drawn, alone, factors, one, draws)
        return found

    def steps(self, epoch: int, *, learn_items: bool) -> Steps:
        """How the steps of an epoch are taken."""
        rate = np.float32(self.rate * (1 - epoch / self.passes))
        return Steps(rate, np.float32(self.settings.regularisation), learn_items)

    def drawn(self, rows: Histories) -> Drawn:
        """What steps draw from; the items of each row ascend."""
        return Drawn(rows.starts, rows.items, self._pool, self.settings.candidates)

    def often(self) -> np.ndarray:
        """How often each item is drawn against interactions, beside the others: all alike that somebody had."""
        return (self.counts > 0).astype(np.int32)

    def arrays(self) -> dict[str, np.ndarray]:
        return {**super().arrays(), "counts": self.counts}

    def facts(self) -> dict[str, Any]:
        return {"rate": self.rate, "passes": self.passes}

    def restore(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        super().restore(arrays, facts)
        self.counts, self.rate, self.passes = arrays["counts"], facts["rate"], facts["passes"]

    @cached_property
    def _pool(self) -> np.ndarray:
        return np.repeat(np.arange(self.n_items, dtype=np.int32), self.often())
