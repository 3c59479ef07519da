"""The best few against a sort of everything."""

from __future__ import annotations

import numpy as np
import pytest

from headwater.recommendation import topk
from headwater.recommendation.interactions import Histories


def _sorted(scores: np.ndarray, k: int) -> np.ndarray:
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    order[np.take_along_axis(scores, order, axis=1) == -np.inf] = -1
    return np.pad(order, ((0, 0), (0, k - order.shape[1])), constant_values=-1)


@pytest.mark.parametrize("n_items", [1, 7, 64, 65, 1000, 4099])
@pytest.mark.parametrize("k", [1, 10, 100])
@pytest.mark.parametrize("steps", [3, 10_000], ids=["many equals", "few equals"])
def test_the_best_are_those_of_a_sort(n_items: int, k: int, steps: int, monkeypatch: pytest.MonkeyPatch):
    random = np.random.default_rng(n_items)
    scores = random.integers(0, steps, (9, n_items)).astype(np.float32)
    seen = Histories.of_lists([np.flatnonzero(row < 0.2).tolist() for row in random.random((9, n_items))], n_items)
    allowed = random.random(n_items) < 0.9
    monkeypatch.setattr(topk, "CELLS", 4 * n_items)
    found = topk.best(lambda first, end: scores[first:end].copy(), seen, k, allowed=allowed)
    left = np.where((seen.matrix().toarray() > 0) | ~allowed, -np.inf, scores)
    np.testing.assert_array_equal(found.items, _sorted(left, k))
    everything = topk.best(lambda first, end: scores[first:end].copy(), seen, k, but_seen=False)
    np.testing.assert_array_equal(everything.items, _sorted(scores, k))
    there = found.items >= 0
    np.testing.assert_array_equal(found.scores[there], left[np.nonzero(there)[0], found.items[there]])
    assert (found.scores[~there] == -np.inf).all()


def test_of_factors(monkeypatch: pytest.MonkeyPatch):
    random = np.random.default_rng(0)
    users, items, biases = (random.standard_normal(shape).astype(np.float32) for shape in ((20, 4), (300, 4), (300,)))
    biases[::3] = -np.inf
    monkeypatch.setattr(topk, "CELLS", 600)
    found = topk.best(topk.product(users, items, biases), Histories.of_lists([[]] * 20, 300), 5)
    np.testing.assert_array_equal(found.items, _sorted(users @ items.T + biases, 5))


def test_nobody_gets_nothing():
    found = topk.best(lambda first, end: np.empty((0, 4)), Histories.of_lists([], 4), 3)
    assert found.items.shape == found.scores.shape == (0, 3)
