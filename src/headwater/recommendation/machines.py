"""Factorisation machines: users and items by their names and by what columns say of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Self

import numpy as np

from headwater.options import Between, OneOf
from headwater.ranges import Search
from headwater.recommendation.columns import Features
from headwater.recommendation.epochs import epochs
from headwater.recommendation.factors import FactorModel, ascending
from headwater.recommendation.interactions import Histories, Interactions
from headwater.recommendation.kernels_bpr import Drawn
from headwater.recommendation.kernels_machines import Machine, Pace, gather, learn
from headwater.recommendation.recommender import Known
from headwater.run import Run


@dataclass(frozen=True, kw_only=True)
class MachineSettings:
    """What factorisation machines can be told."""

    section: ClassVar[str] = "Model"

    factors: Annotated[
        int, Between(1, 1024), Search(4, 128, log=True), "Numbers in each vector of a feature."
    ] = 64
    loss: Annotated[
        str,
        OneOf(("bpr", "logistic")),
        Search(),
        "What is learnt from: pairs of items of which one is preferred, or yes and no.",
    ] = "bpr"
    regularisation: Annotated[
        float, Between(0, 10), Search(0.001, 0.1, log=True), "The L2 penalty of the features that a step touches."
    ] = 0.02
    candidates: Annotated[
        int,
        Between(1, 1000),
        Search(1, 16, log=True),
        "How many items are drawn against an interaction; the one that scores best is learnt from.",
    ] = 4


class FactorisationMachine(FactorModel):
    """x"""

    Settings = MachineSettings
    reads = ("epochs", "learning_rate")
    cold = True
    passes: ClassVar[int] = 30
    rate: ClassVar[float] = 0.05
    field_aware: ClassVar[bool] = False

    def fit(self, known: Known, held_out: Interactions | None, run: Run) -> Self:
        table, asked = known.interactions, run.settings
        rows = ascending(Histories.of_users(replace(table, times=None)))
        users, items = Features.of(known.users, table.user_ids), Features.of(known.items, table.item_ids)
        counts = np.bincount(rows.items, minlength=rows.n_items)
        random = np.random.default_rng(asked.seed)
        machine = self._first(users, items, random)
        U=(users.starts, users.features, users.values); I=(items.starts, items.features + np.int32(len(users.fields)), items.values)
        owners = np.repeat(np.arange(len(rows), dtype=np.int32), rows.lengths)
        drawn = Drawn(rows.starts, rows.items, owners, np.flatnonzero(counts).astype(np.int32))
        total=asked.epochs or self.passes; rate=self.rate if asked.learning_rate is None else asked.learning_rate
        for epoch in epochs(run, total, {"vectors": machine.vectors, "weights": machine.weights}, table):
            pace = Pace(np.float32(rate * (1 - epoch / total)), np.float32(self.settings.regularisation), self.settings.candidates, self.settings.loss == "logistic")
            learn(U, I, drawn, machine, pace, np.random.default_rng([asked.seed, epoch]))
        G,k=machine.vectors.shape[1:]; self.n_items=rows.n_items
        machine.vectors[np.flatnonzero(rows.lengths==0)]=0
        c=np.flatnonzero(counts==0)+len(users.fields); machine.vectors[c]=0; machine.weights[c]=0
        S=np.zeros((G,G,k),np.float32)
        self.users=np.zeros((len(users),G*G*k),np.float32);self.items=np.zeros((len(items),G*G*k),np.float32);self.biases=np.zeros(len(items),np.float32)
        for r in range(len(users)):
            gather(U,r,machine,S); self.users[r]=S.ravel()
        for r in range(len(items)):
            self.biases[r]=gather(I,r,machine,S); self.items[r]=S.transpose(1,0,2).ravel()
        return self

    def _first(self, users: Features, items: Features, random: np.random.Generator) -> Machine:
        fields = np.concatenate([users.fields, items.fields + users.n_fields]).astype(np.int32)
        groups = fields if self.field_aware else np.zeros_like(fields)
        shape = (len(fields), int(groups.max()) + 1, self.settings.factors)
        vectors = random.standard_normal(shape, dtype=np.float32) * np.float32(0.1 / np.sqrt(self.settings.factors))
        return Machine(vectors, np.zeros(len(fields), dtype=np.float32), groups)

    def folded(self, histories): raise NotImplementedError

class FieldAwareMachine(FactorisationMachine):
    """x"""
    field_aware = True
