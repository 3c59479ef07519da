"""Factorisation of ratings against a plain loop and a closed form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.recommendation.planted import COLD_ITEM, COLD_USER, everyone, planted
from tests.recommendation.shelves import run_in

from headwater.recommendation.interactions import Histories
from headwater.recommendation.kernels_ratings import Learnt, Pace, rate_users
from headwater.recommendation.ratings import (
    BiasedFactorisation,
    ImplicitBiasedFactorisation,
    SvdppSettings,
    SvdSettings,
)  # fmt: skip
from headwater.recommendation.recommender import Asked, Known

BOTH = pytest.mark.parametrize("model", [
    BiasedFactorisation(SvdSettings(factors=4)), ImplicitBiasedFactorisation(SvdppSettings(factors=4)),
], ids=["svd", "svdpp"])  # fmt: skip


@pytest.mark.parametrize("implies", [True, False])
def test_an_epoch_is_that_of_a_plain_loop(implies: bool):
    random, width = np.random.default_rng(0), 3
    rows = Histories.of_lists([[0, 2], [], [1, 0, 3]], 4, [[5.0, 3.0], [], [4.0, 1.0, 2.0]])
    users, items, implied = (random.standard_normal((n, width + 1)).astype(np.float32) * 0.3 for n in (3, 4, 4))
    items[:, -1], implied[:, -1] = 1, 0
    learnt = Learnt(users, items, implied if implies else implied[:0], random.standard_normal(4).astype(np.float32))
    p, q, y, b = (
        users[:, :-1].astype(float),
        items[:, :-1].astype(float),
        implied[:, :-1].astype(float),
        learnt.biases + 0.0,
    )
    mean, rate, reg, bias_reg, implied_reg, own = 3.0, 0.05, 0.1, 0.02, 0.3, users[:, -1].astype(float)
    order = np.array([2, 1, 0])
    for user in order:
        rated, given = rows.of(user), rows.values[rows.starts[user] : rows.starts[user + 1]]
        share = 1 / np.sqrt(max(1, len(rated)))
        z, pull = share * y[rated].sum(axis=0) * implies, np.zeros(width)
        for item, value in zip(rated, given, strict=True):
            error = value - (mean + own[user] + b[item] + (p[user] + z) @ q[item])
            own[user] += rate * (error - bias_reg * own[user])
            b[item] += rate * (error - bias_reg * b[item])
            pull += error * q[item]
            p[user], q[item] = (
                p[user] + rate * (error * q[item] - reg * p[user]),
                q[item] + rate * (error * (p[user] + z) - reg * q[item]),
            )
        y[rated] += rate * (share * pull - implied_reg * y[rated])
    pace = Pace(*map(np.float32, (rate, reg, bias_reg, implied_reg)))
    rate_users((rows.starts, rows.items, rows.values), order, learnt, np.float32(mean), pace)
    np.testing.assert_allclose(learnt.users, np.column_stack([p, own]), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(learnt.items, np.column_stack([q, np.ones(4)]), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(learnt.biases, b, rtol=1e-4)
    if implies:
        np.testing.assert_allclose(learnt.implied[:, :-1], y, rtol=1e-4, atol=1e-6)


@BOTH
def test_answers_are_ratings(model: BiasedFactorisation, tmp_path: Path):
    known = planted(rated=True)
    model.fit(Known(known), None, run_in(tmp_path, epochs=80))
    histories = Histories.of_users(known)
    for asked in (everyone(known), Asked.new(histories)):
        found = model.ratings(asked.take(known.users), known.items)
        assert found.min() >= 1
        assert found.max() <= 5
        assert np.sqrt(np.mean((found - known.values) ** 2)) < 0.75 < known.values.std()
    lone = everyone(known).take(np.array([COLD_USER, 0]))
    assert np.isfinite(model.ratings(lone, np.array([0, COLD_ITEM]))).all()


@BOTH
def test_a_new_user_gets_the_factors_that_fit_the_history_best(model: BiasedFactorisation, tmp_path: Path):
    known = planted(rated=True)
    model.fit(Known(known), None, run_in(tmp_path, epochs=20))
    rated, given = np.array([3, 8, 10]), np.array([5.0, 1.0, 2.0])
    history = Histories.of_lists([rated.tolist()], model.n_items, [given.tolist()])
    others, z = model.items[rated].astype(float), np.zeros(5)
    if model.implies:
        z = model.implied[rated].sum(axis=0) / np.sqrt(3)
    penalties = np.diag([model.settings.regularisation] * 4 + [model.settings.bias_regularisation]) * 3
    missing = given - model.biases[rated] - others @ z
    expected = np.linalg.solve(others.T @ others + penalties, others.T @ missing) + z
    np.testing.assert_allclose(model.factors(Asked.new(history))[0][0], expected, rtol=1e-3, atol=1e-4)


@BOTH
def test_a_new_user_with_fewer_ratings_than_factors_has_sane_scores_without_a_penalty(
    model: BiasedFactorisation, tmp_path: Path
):
    own = type(model.settings)(factors=4, regularisation=0.0, bias_regularisation=0.0)
    free = type(model)(own).fit(Known(planted(rated=True)), None, run_in(tmp_path, epochs=20))
    scores = free.scores(Asked.new(Histories.of_lists([[3], [5, 8]], free.n_items, [[5.0], [1.0, 4.0]])))
    assert np.abs(scores[:, :COLD_ITEM]).max() < 50


@BOTH
def test_an_item_that_nobody_rated_tells_nothing_of_taste(model: BiasedFactorisation, tmp_path: Path):
    model.fit(Known(planted(rated=True)), None, run_in(tmp_path, epochs=20))
    assert not model.items[COLD_ITEM, :-1].any()
    vector = model.factors(Asked.new(Histories.of_lists([[COLD_ITEM]], model.n_items, [[5.0]])))[0][0]
    np.testing.assert_allclose(vector[:-1], 0, atol=1e-6)
    assert vector[-1] > 0
