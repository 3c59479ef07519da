"""ALS and BPR against the formulas of their papers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.recommendation.planted import everyone, planted
from tests.recommendation.shelves import run_in

from headwater.recommendation.factorisation import AlsSettings, AlternatingLeastSquares
from headwater.recommendation.factors import ascending, first_vectors
from headwater.recommendation.interactions import Histories
from headwater.recommendation.kernels_bpr import Drawn, Steps, take_steps
from headwater.recommendation.recommender import Asked, Known

ALPHA, PENALTY, WIDTH = 3.0, 0.05, 3


def _solved(weights: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Hu et al. 2008, equation 4, row by row; the penalty as the page has it."""
    rows, typical = [], weights.sum() / np.count_nonzero(weights.sum(axis=1))
    for row in weights:
        confidence, eye = np.diag(1 + row), np.eye(others.shape[1])
        left = others.T @ confidence @ others + PENALTY * (row.sum() + 2.5 * typical) * eye
        rows.append(np.linalg.solve(left, others.T @ confidence @ (row > 0)))
    return np.array(rows)


def test_als_is_that_of_the_paper(tmp_path: Path):
    # With three factors three steps of conjugate gradient are the solution itself.
    known, epochs = planted(), 4
    weights = Histories.of_users(known).matrix().toarray().astype(float) * ALPHA
    random = np.random.default_rng(0)
    users, items = (first_vectors(random, count, WIDTH).astype(float) for count in weights.shape)
    for _ in range(epochs):
        users = _solved(weights, items)
        items = _solved(weights.T, users)
    told = weights.sum(axis=1) > 0
    settings = AlsSettings(factors=WIDTH, alpha=ALPHA, regularisation=PENALTY)
    model = AlternatingLeastSquares(settings).fit(Known(known), None, run_in(tmp_path, epochs=epochs))
    expected = _solved(weights, items)[told] @ items.T
    np.testing.assert_allclose(model.scores(everyone(known))[told, :-1], expected[:, :-1], atol=1e-3)


def test_als_knows_a_user_by_the_history_alone(tmp_path: Path):
    known = planted()
    model = AlternatingLeastSquares().fit(Known(known), None, run_in(tmp_path))
    asked = everyone(known)
    np.testing.assert_allclose(model.scores(Asked.new(asked.histories)), model.scores(asked), rtol=1e-3, atol=1e-4)


def test_als_takes_one_user_of_one_item(tmp_path: Path):
    lone = planted().take(np.array([0]))
    scores = AlternatingLeastSquares().fit(Known(lone), None, run_in(tmp_path)).scores(everyone(lone))
    assert np.isfinite(scores).sum() == len(lone.user_ids)


@pytest.mark.parametrize("learn_items", [True, False])
def test_a_step_of_bpr_is_that_of_the_paper(learn_items: bool):
    random = np.random.default_rng(0)
    users, items, biases = (random.standard_normal(shape).astype(np.float32) for shape in ((1, 4), (2, 4), (2,)))
    was, rate, penalty = (users[0].copy(), items.copy(), biases.copy()), 0.1, 0.02
    drawn = Drawn(np.array([0, 1]), *(np.array([place], dtype=np.int32) for place in (0, 1)), 1)
    steps = Steps(np.float32(rate), np.float32(penalty), learn_items)
    take_steps(drawn, np.array([0]), (users, items, biases), steps, np.random.default_rng(0))
    lead = was[0] @ (was[1][0] - was[1][1]) + was[2][0] - was[2][1]
    pull = 1 / (1 + np.exp(lead))
    step = rate * np.array([[pull], [-pull]])
    np.testing.assert_allclose(
        users[0], (1 - rate * penalty) * was[0] + rate * pull * (was[1][0] - was[1][1]), rtol=1e-5
    )
    if learn_items:
        np.testing.assert_allclose(items, (1 - rate * penalty) * was[1] + step * was[0], rtol=1e-5)
        np.testing.assert_allclose(biases, (1 - rate * penalty) * was[2] + step[:, 0], rtol=1e-5)
    else:
        np.testing.assert_array_equal(items, was[1])
        np.testing.assert_array_equal(biases, was[2])


def test_bpr_learns_from_the_best_scored_of_the_items_drawn():
    users, items, biases = np.ones((1, 1), np.float32), np.zeros((40, 1), np.float32), np.zeros(40, np.float32)
    items[39] = 1
    pool = np.arange(1, 40, dtype=np.int32)
    drawn = Drawn(np.array([0, 1]), np.zeros(1, np.int32), pool, 400)
    steps = Steps(np.float32(0.1), np.float32(0), True)
    take_steps(drawn, np.array([0]), (users, items, biases), steps, np.random.default_rng(0))
    assert np.flatnonzero(biases).tolist() == [0, 39]


def test_bpr_takes_no_step_where_a_user_has_everything():
    users, items, biases = np.ones((1, 2), np.float32), np.ones((2, 2), np.float32), np.zeros(2, np.float32)
    both = np.arange(2, dtype=np.int32)
    drawn = Drawn(np.array([0, 2]), both, both, 2)
    take_steps(
        drawn,
        np.array([0]),
        (users, items, biases),
        Steps(np.float32(0.1), np.float32(0), True),
        np.random.default_rng(0),
    )
    assert (users == 1).all()
    assert (biases == 0).all()


def test_items_ascend_with_their_values():
    histories = Histories.of_lists([[2, 0], [1]], 3, [[5.0, 4.0], [3.0]])
    sorted_ones = ascending(histories)
    assert sorted_ones.items.tolist() == [0, 2, 1]
    assert sorted_ones.values.tolist() == [4.0, 5.0, 3.0]
    assert histories.items.tolist() == [2, 0, 1]
