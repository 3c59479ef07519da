"""`ease` and `popularity` equal what their definitions give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from tests.recommendation.shelves import interactions, random_pairs, run_in

from headwater.errors import ResourceError, SettingError
from headwater.recommendation import autoencoder
from headwater.recommendation.autoencoder import Ease, EaseSettings
from headwater.recommendation.interactions import Histories
from headwater.recommendation.popularity import Popularity
from headwater.recommendation.recommender import Asked, Known

KNOWN = interactions(random_pairs(40, 12, 0.4), items=13)


@pytest.fixture
def ease(tmp_path: Path) -> Ease:
    return Ease(EaseSettings(regularisation=5.0)).fit(Known(KNOWN), None, run_in(tmp_path))


def test_weights_are_the_best_without_a_diagonal(ease: Ease) -> None:
    """Each column is a ridge regression of an item on all others."""
    histories = Histories.of_users(KNOWN).matrix().toarray()[:, :12]
    for item in range(12):
        others = np.delete(np.arange(12), item)
        left = histories[:, others]
        solved = np.linalg.solve(left.T @ left + 5 * np.eye(11), left.T @ histories[:, item])
        np.testing.assert_allclose(ease.weights[others, item], solved, atol=1e-5)
    assert not ease.weights.diagonal().any()


def test_large_matrices_are_solved_in_single_precision(ease: Ease, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autoencoder, "_EXACT", 4)
    histories = Histories.of_users(KNOWN).matrix()[:, :12]
    np.testing.assert_allclose(autoencoder.solved(histories, 5.0), ease.weights[:12, :12], atol=1e-4)


def test_an_empty_history_gets_what_is_popular(ease: Ease) -> None:
    scores = ease.scores(Asked.new(Histories.of_lists([[]], 13)))[0]
    counts = np.bincount(KNOWN.items, minlength=13)
    assert counts[scores.argmax()] == counts.max()
    assert np.isfinite(scores[:12]).all()


def test_an_item_that_nobody_had_gets_no_score(ease: Ease) -> None:
    assert ease.scores(Asked.new(Histories.of_lists([[1, 2]], 13)))[0, 12] == -np.inf


def test_a_known_user_is_like_a_new_one_with_the_same_history(ease: Ease) -> None:
    histories = Histories.of_users(KNOWN)
    known = ease.scores(Asked(histories, np.arange(40, dtype=np.int32)))
    np.testing.assert_array_equal(known, ease.scores(Asked.new(histories)))


@pytest.mark.parametrize("kind", [Ease, Popularity])
def test_what_is_loaded_is_what_was_saved(kind: type, tmp_path: Path) -> None:
    model = kind().fit(Known(KNOWN), None, run_in(tmp_path))
    model.save(tmp_path)
    asked = Asked.new(Histories.of_lists([[0], [3, 4]], 13))
    np.testing.assert_array_equal(kind.load(tmp_path).scores(asked), model.scores(asked))


def test_popularity_is_the_share_of_users(tmp_path: Path) -> None:
    model = Popularity().fit(Known(KNOWN), None, run_in(tmp_path))
    scores = model.scores(Asked.new(Histories.of_lists([[], [1]], 13)))
    np.testing.assert_allclose(scores[0, :12], np.bincount(KNOWN.items, minlength=13)[:12] / 40)
    np.testing.assert_array_equal(scores[0], scores[1])
    assert scores[0, 12] == -np.inf


def test_more_items_than_memory_holds_are_refused() -> None:
    with pytest.raises(ResourceError, match=r"ease holds a matrix of 10,000,000 x 10,000,000 items"):
        autoencoder.refuse_large(10_000_000)


def test_a_matrix_without_an_inverse_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autoencoder, "_EXACT", 1)
    same = sparse.csr_matrix(np.ones((100_000, 3), np.float32))
    with pytest.raises(SettingError, match="The matrix of items cannot be inverted with so little regularisation"):
        autoencoder.solved(same, 1e-3)
    assert np.isfinite(autoencoder.solved(same, 1.0)).all()
