"""Neighbours against sums over dense matrices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.recommendation.planted import everyone
from tests.recommendation.shelves import interactions, random_pairs, run_in

from headwater.recommendation.interactions import Histories
from headwater.recommendation.kernels import STRIPE, nearest
from headwater.recommendation.neighbours import (
    ItemNeighbours,
    NeighbourSettings,
    UserNeighbours,
    UserNeighbourSettings,
)  # fmt: skip
from headwater.recommendation.recommender import Asked, Known


def _likeness(rows: np.ndarray, settings: NeighbourSettings) -> np.ndarray:
    """Of each row of zeros and ones to each other, by the formulas."""
    n, found = len(rows), rows.sum(axis=0)
    rarity = np.log(1 + (n - found + 0.5) / (found + 0.5))
    if settings.weights == "bm25":
        lengths = rows.sum(axis=1, keepdims=True) / rows.sum(axis=1).mean()
        k1, b = settings.bm25_k1, settings.bm25_b
        weighted = rows * rarity * (k1 + 1) / (k1 * (1 - b + b * lengths) + 1)
    else:
        weighted = rows * rarity if settings.weights == "tfidf" else rows.astype(float)
        weighted = weighted / np.maximum(np.linalg.norm(weighted, axis=1, keepdims=True), 1e-12)
    return weighted @ weighted.T


def _nearest(likeness: np.ndarray, settings: NeighbourSettings) -> np.ndarray:
    """The largest of each row, raised to a power; the row's own place has none."""
    likeness = np.where(np.eye(len(likeness), dtype=bool), 0, likeness)
    kept = np.zeros_like(likeness)
    for row, near in enumerate(np.argsort(-likeness, axis=1, kind="stable")[:, : settings.neighbours]):
        kept[row, near] = likeness[row, near] ** settings.amplify
    return kept


@pytest.mark.parametrize(
    ("weights", "k", "amplify"),
    [("cosine", 100, 1.0), ("tfidf", 3, 1.0), ("tfidf", 100, 2.0), ("bm25", 3, 2.0), ("bm25", 100, 1.0)],
)
def test_both_are_sums_over_nearest_neighbours(weights: str, k: int, amplify: float, tmp_path: Path):
    known = interactions(random_pairs(30, 37, 0.2), users=30, items=37)
    asked, seen = everyone(known), Histories.of_users(known).matrix().toarray()
    settings = NeighbourSettings(neighbours=k, weights=weights, amplify=amplify, bm25_k1=1.5, bm25_b=0.4)
    model = ItemNeighbours(settings).fit(Known(known), None, run_in(tmp_path))
    expected = seen @ _nearest(_likeness(seen.T, settings), settings).T
    np.testing.assert_allclose(model.scores(asked), expected, rtol=1e-4, atol=1e-5)
    settings = UserNeighbourSettings(neighbours=k, weights=weights, amplify=amplify, bm25_k1=1.5, bm25_b=0.4)
    model = UserNeighbours(settings).fit(Known(known), None, run_in(tmp_path))
    expected = _nearest(_likeness(seen, settings), settings) @ seen
    np.testing.assert_allclose(model.scores(asked), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("n_others", [1, 16, 50, 300])
@pytest.mark.parametrize("k", [1, 4, 40])
def test_the_nearest_are_those_of_a_sort_and_of_equals_the_first(n_others: int, k: int):
    random = np.random.default_rng(n_others + k)
    has = random.random((n_others, 6)) < 0.5
    asked = random.random((5, 6)) < 0.5
    left = Histories.of_lists([np.flatnonzero(row).tolist() for row in asked], 6)
    right = Histories.of_lists([np.flatnonzero(row).tolist() for row in has.T], n_others)
    scales = np.zeros(-(-n_others // STRIPE) * STRIPE, dtype=np.float32)
    scales[:n_others] = random.integers(1, 3, n_others)
    near, likeness = np.zeros((5, k), np.int32), np.zeros((5, k), np.float32)
    near[:, 0] = [-1, 0, -1, 0, 0]
    totals = (asked @ has.T.astype(int)) * scales[:n_others]
    totals[near[:, 0] == 0, 0] = 0
    nearest((left.starts, left.items, left.values), (right.starts, right.items), scales, near, likeness)
    for row, total in enumerate(totals):
        there = likeness[row] > 0
        expected = [place for place in np.argsort(-total, kind="stable")[:k] if total[place] > 0]
        assert near[row, there].tolist() == sorted(expected)
        assert likeness[row, there].tolist() == total[sorted(expected)].tolist()


def test_a_history_is_judged_like_a_known_user_with_the_same(tmp_path: Path):
    known = interactions(random_pairs(30, 37, 0.2))
    asked = everyone(known)
    model = ItemNeighbours().fit(Known(known), None, run_in(tmp_path))
    np.testing.assert_array_equal(model.scores(Asked.new(asked.histories)), model.scores(asked))


def test_items_that_no_neighbour_speaks_for_stand_by_popularity(tmp_path: Path):
    known = interactions([(0, 0), (0, 1), (1, 2), (2, 2), (1, 3)])
    for model in (ItemNeighbours(), UserNeighbours()):
        scores = model.fit(Known(known), None, run_in(tmp_path)).scores(Asked.new(Histories.of_lists([[0], []], 4)))
        assert scores[0, 1] > scores[0, 2] > scores[0, 3] > 0
        assert scores[1].argmax() == 2
