"""Factorisation machines against sums over all pairs of features, and against gradients by differences."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.recommendation.planted import columns, everyone, found_share, planted
from tests.recommendation.shelves import run_in

from headwater.data.records import Records
from headwater.recommendation.columns import Features
from headwater.recommendation.ids import Ids
from headwater.recommendation.kernels_bpr import Drawn
from headwater.recommendation.kernels_machines import Machine, Pace, Side, gather, learn, pairs
from headwater.recommendation.machines import FactorisationMachine, MachineSettings
from headwater.recommendation.recommender import Known

FACTORS = 3
GROUPS = {"fm": [0] * 7, "ffm": [0, 0, 1, 2, 2, 3, 3]}
"""Of seven features, the first three of users, the others of items."""


def _sides(kind: str) -> tuple[Side, Side]:
    """One user of two features; two items of two and three."""
    spans = (0, 2, 2, 4) if kind == "ffm" else (0, 1, 0, 1)
    users = Side(np.array([0, 2]), np.array([1, 2], np.int32), np.array([1, 0.5], np.float32), *spans[:2])
    features, values = np.array([3, 5, 4, 5, 6], np.int32), np.array([1, 1, 1, 0.7, 0.7], np.float32)
    return users, Side(np.array([0, 2, 5]), features, values, *spans[2:])


def _machine(kind: str) -> Machine:
    random, groups = np.random.default_rng(1), np.array(GROUPS[kind], dtype=np.int32)
    vectors = random.standard_normal((7, (groups.max() + 1) * FACTORS)).astype(np.float32)
    return Machine(vectors, random.standard_normal(7).astype(np.float32), groups, FACTORS)


def _score(kind: str, machine: Machine, item: int) -> float:
    """Rendle 2010, equation 1, and Juan et al. 2016, equation 4, without a global bias."""
    users, items = _sides(kind)
    span = slice(items.starts[item], items.starts[item + 1])
    features = [*users.features, *items.features[span]]
    values = [*users.values, *items.values[span]]
    total = sum(machine.weights[feature] * value for feature, value in zip(features, values, strict=True))
    vectors = machine.vectors.reshape(7, -1, FACTORS).astype(float)
    for one, other in itertools.combinations(range(len(features)), 2):
        f, g = features[one], features[other]
        product = vectors[f, machine.groups[g]] @ vectors[g, machine.groups[f]]
        total += product * values[one] * values[other]
    return float(total)


@pytest.mark.parametrize("kind", GROUPS)
def test_a_score_is_the_sum_over_all_pairs_of_features(kind: str):
    (users, items), machine = _sides(kind), _machine(kind)
    mine, its = (np.zeros((machine.groups.max() + 1, machine.vectors.shape[1]), np.float32) for _ in range(2))
    for item in range(2):
        alone = gather(users, 0, machine, mine) + gather(items, item, machine, its)
        assert alone + pairs(users, mine, items, its) == pytest.approx(_score(kind, machine, item), rel=1e-4)


def _loss(kind: str, machine: Machine, *, logistic: bool) -> float:
    had, lacked = (_score(kind, machine, item) for item in range(2))
    if logistic:
        return float(np.log1p(np.exp(-had)) + np.log1p(np.exp(lacked)))
    return float(np.log1p(np.exp(lacked - had)))


@pytest.mark.parametrize("kind", GROUPS)
@pytest.mark.parametrize("logistic", [False, True], ids=["bpr", "logistic"])
def test_a_step_goes_down_the_gradient(kind: str, logistic: bool):
    machine, rate, eps = _machine(kind), 1e-2, 1e-3
    machine.vectors[5] = machine.vectors[5] * 0.1  # a feature of both items, which gets two steps one after the other
    before = Machine(machine.vectors.copy(), machine.weights.copy(), machine.groups, FACTORS)
    drawn, owners = (
        Drawn(np.array([0, 1]), *(np.array([place], np.int32) for place in (0, 1)), 1),
        np.zeros(1, np.int32),
    )
    pace = Pace(np.float32(rate), np.float32(0), logistic)
    learn(_sides(kind), drawn, owners, machine, pace, np.random.default_rng(0))
    for values, now in ((before.vectors, machine.vectors), (before.weights, machine.weights)):
        for place in np.ndindex(values.shape):
            losses = []
            for step in (eps, -eps):
                values[place] += step
                losses.append(_loss(kind, before, logistic=logistic))
                values[place] -= step
            gradient = (losses[0] - losses[1]) / (2 * eps)
            assert (values[place] - now[place]) / rate == pytest.approx(gradient, abs=0.03)


def test_a_machine_is_its_tables(tmp_path: Path):
    items, users = columns()
    model = FactorisationMachine(MachineSettings(factors=4, loss="logistic", candidates=1))
    model.fit(Known(planted(), items, users), None, run_in(tmp_path, epochs=60))
    assert found_share(model.scores(everyone(planted()))) > 0.9
    assert model.users.shape == (len(users), 4)


def test_columns_become_words_categories_and_bins():
    ids = Ids([f"i{place}" for place in range(40)])
    table = Records(pa.table({
        "item_id": [f"i{place}" for place in range(40)],
        "title": [f"Tale {place} of {'Cats' if place < 3 else 'Dogs'}" for place in range(40)],
        "tags": [["a", "b"] if place % 2 else None for place in range(40)],
        "price": [float(place) ** 2 for place in range(39)] + [None],
        "year": [1990 + place % 3 for place in range(40)],
        "cover": [b"png"] * 40,
    }))  # fmt: skip
    found = Features.of(table, ids)
    assert found.n_fields == 4
    assert np.bincount(found.fields).tolist() == [40, 2, 16, 3]
    first, last = (found.features[found.starts[row] : found.starts[row + 1]] for row in (0, 39))
    assert first[0] == 0
    assert found.fields[first].tolist() == [0, 1, 2, 3]
    assert found.fields[last].tolist() == [0, 1, 3]
    assert first[1] != last[1]
    assert Features.of(None, ids).values.tolist() == [1.0] * 40


def test_several_words_of_a_cell_count_less_each():
    table = Records(pa.table({"kinds": ["x y", "x y", "z", "z"]}))
    found = Features.of(table, Ids([1, 2, 3, 4]))
    np.testing.assert_allclose(found.values[found.starts[0] : found.starts[1]], [1, 0.5**0.5, 0.5**0.5])


def test_a_number_that_is_none_leaves_the_bins_of_the_others():
    numbers = [float(row) for row in range(40)]
    ids = Ids([f"i{row}" for row in range(41)])
    empty, broken = (Features.of(Records(pa.table({"price": [*numbers, last]})), ids) for last in (None, math.nan))
    assert len(broken.fields) == len(empty.fields) == 41 + 16
    assert broken.features.tolist() == empty.features.tolist()
