"""Factorisation machines: users and items by their names and by what columns say of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Self

import numpy as np

from headwater.options import Between, OneOf
from headwater.ranges import Search
from headwater.recommendation.columns import Features
from headwater.recommendation.epochs import epochs
from headwater.recommendation.factors import ascending
from headwater.recommendation.interactions import Histories, Interactions
from headwater.recommendation.kernels_machines import Machine, Pace, Side, gather, learn
from headwater.recommendation.pairwise import Pairwise
from headwater.recommendation.recommender import Known
from headwater.run import Run


@dataclass(frozen=True, kw_only=True)
class MachineSettings:
    """What factorisation machines can be told."""

    section: ClassVar[str] = "Model"

    factors: Annotated[int, Between(1, 1024), Search(8, 128, log=True), "Numbers in a vector of a feature."] = 64
    loss: Annotated[
        str,
        OneOf(("bpr", "logistic")),
        Search(),
        "What is learnt from: pairs of items one of which should score higher, or a yes or no for each.",
    ] = "bpr"
    regularisation: Annotated[
        float, Between(0, 10), Search(0.003, 0.1, log=True), "The L2 penalty of the features that a step touches."
    ] = 0.04
    candidates: Annotated[
        int,
        Between(1, 1000),
        Search(1, 16, log=True),
        "Items drawn against an interaction; the one that scores best is learnt from (Zhang et al. 2013).",
    ] = 4


@dataclass(frozen=True, kw_only=True)
class FieldMachineSettings(MachineSettings):
    """The same, for vectors of which a feature has one for each field."""

    factors: Annotated[int, Between(1, 1024), Search(2, 32, log=True), "Numbers in a vector of a feature."] = 8
    regularisation: Annotated[
        float, Between(0, 10), Search(0.003, 0.1, log=True), "The L2 penalty of the features that a step touches."
    ] = 0.03


class FactorisationMachine(Pairwise):
    """A user's name and columns, an item's name and columns, and a product for each pair of them (Rendle 2010).

    A user or an item without an interaction is known by its columns alone.
    """

    Settings = MachineSettings
    cold = True
    own_passes = 50
    own_rate = 0.03
    by_field: ClassVar[bool] = False

    def fit(self, known: Known, held_out: Interactions | None, run: Run) -> Self:
        table, asked = known.interactions, run.settings
        rows = ascending(Histories.of_users(replace(table, times=None)))
        self.begin(rows, asked)
        users, items = Features.of(known.users, table.user_ids), Features.of(known.items, table.item_ids)
        sides, machine = self._sides(users, items), self._first(users, items, asked.seed)
        drawn, learnt = self.drawn(rows), {"vectors": machine.vectors, "weights": machine.weights}
        for epoch in epochs(run, self.passes, learnt, table):
            learn(sides, drawn, machine, self._pace(epoch), np.random.default_rng([asked.seed, epoch]))
        # The names of those who had nothing to do with one another have learnt nothing.
        alone = np.concatenate(
            [np.flatnonzero(rows.lengths == 0), np.flatnonzero(self.counts == 0) + len(users.fields)]
        )
        machine.vectors[alone], machine.weights[alone] = 0, 0
        self.users, self.items, self.biases = _tables(sides, machine)
        return self

    def _sides(self, users: Features, items: Features) -> tuple[Side, Side]:
        """The features of users and of items in one count, with the groups they are in."""
        ours, all_of = (users.n_fields, users.n_fields + items.n_fields) if self.by_field else (1, 1)
        theirs = items.features + np.int32(len(users.fields))
        first = ours if self.by_field else 0
        return (
            Side(users.starts, users.features, users.values, 0, ours),
            Side(items.starts, theirs, items.values, first, all_of),
        )

    def _first(self, users: Features, items: Features, seed: int) -> Machine:
        fields = np.concatenate([users.fields, items.fields + np.int32(users.n_fields)])
        groups = fields if self.by_field else np.zeros_like(fields)
        factors, random = self.settings.factors, np.random.default_rng(seed)
        vectors = random.standard_normal((len(fields), (int(groups.max()) + 1) * factors), dtype=np.float32)
        vectors *= np.float32(0.1 / np.sqrt(factors))
        return Machine(vectors, np.zeros(len(fields), dtype=np.float32), groups, factors)

    def _pace(self, epoch: int) -> Pace:
        steps = self.steps(epoch, learn_items=True)
        return Pace(steps.rate, steps.penalty, steps.candidates, self.settings.loss == "logistic")


class FieldAwareMachine(FactorisationMachine):
    """The same, with a vector for each field that a feature may meet (Juan et al. 2016)."""

    Settings = FieldMachineSettings
    own_passes = 30
    own_rate = 0.1
    by_field = True


def _tables(sides: tuple[Side, Side], machine: Machine) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors of users, vectors and biases of items, whose products are the scores but for a constant of each user."""
    users, items = sides
    own, met, factors = users.end - users.first, items.end - items.first, machine.factors
    room = np.zeros((machine.vectors.shape[1] // factors, machine.vectors.shape[1]), dtype=np.float32)
    by_user = np.empty((len(users.starts) - 1, own, met, factors), dtype=np.float32)
    by_item = np.empty((len(items.starts) - 1, own, met, factors), dtype=np.float32)
    biases = np.empty(len(by_item), dtype=np.float32)
    blocks = room.reshape(len(room), len(room), factors)
    for user in range(len(by_user)):
        gather(users, user, machine, room)
        by_user[user] = blocks[users.first : users.end, items.first : items.end]
    for item in range(len(by_item)):
        biases[item] = gather(items, item, machine, room)
        by_item[item] = blocks[items.first : items.end, users.first : users.end].transpose(1, 0, 2)
    return by_user.reshape(len(by_user), -1), by_item.reshape(len(by_item), -1), biases
