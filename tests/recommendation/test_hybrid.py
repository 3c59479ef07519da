import numpy as np
import pytest
from PIL import Image as Pillow
from tests.recommendation.tastes import COLD, films, known, run_in
from tests.tiny import make_bert, make_vit

from headwater.recommendation.hybrid import Hybrid, HybridSettings
from headwater.recommendation.interactions import Histories
from headwater.recommendation.recommender import Asked, Known
from headwater.recommendation.ridge import Ridge

HAD = Histories.of_lists([[0, 2, 8], [1], []], n_items=20)
THERE = np.setdiff1d(np.arange(20), COLD)


def fitted(tmp_path, world=None, **settings):
    told = HybridSettings(**{"encoder": None, "strength": 0.5, "shrinkage": 3.0, **settings})
    return Hybrid(told).fit(world or known(), None, run_in(tmp_path / "run"))


def ease(world):
    matrix = Histories.of_users(world.interactions).matrix().toarray()[:, THERE].astype(np.float64)
    inverse = np.linalg.inv(matrix.T @ matrix + 3.0 * np.eye(len(THERE)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


def test_known_items_have_the_scores_of_ease(tmp_path):
    wanted = HAD.matrix().toarray()[:2, THERE] @ ease(known())
    np.testing.assert_allclose(fitted(tmp_path).scores(Asked.new(HAD))[:2, THERE], wanted, atol=1e-5)


def test_a_cold_item_is_a_mix_of_known_ones(tmp_path):
    world = known()
    model = fitted(tmp_path, world)
    features = model._features(world, run_in(tmp_path / "other"))
    mix = Ridge.of(features[THERE], 0.5).tell(features[list(COLD)], np.eye(len(THERE)))
    np.testing.assert_allclose(mix.sum(axis=1), 1)
    scores = model.scores(Asked.new(HAD))
    np.testing.assert_allclose(scores[:, list(COLD)], scores[:, THERE] @ mix.T, atol=1e-5)
    # In a history it counts as that mix.
    alone = model.scores(Asked.new(Histories.of_lists([[COLD[0]]], n_items=20)))[0, THERE]
    np.testing.assert_allclose(alone, mix[0] @ ease(world), atol=1e-5)


def test_many_items_have_factors(tmp_path):
    world = known()
    model = fitted(tmp_path, world, dense_items=1, factors=18)
    assert model.left.shape == model.right.shape == (20, 18)
    matrix = Histories.of_users(world.interactions).matrix().toarray()[:, THERE].astype(np.float64)
    shrunk = np.linalg.solve(matrix.T @ matrix + 3.0 * np.eye(len(THERE)), matrix.T @ matrix)
    wanted = HAD.matrix().toarray()[:2, THERE] @ shrunk
    np.testing.assert_allclose(model.scores(Asked.new(HAD))[:2, THERE], wanted, atol=1e-4)


@pytest.mark.parametrize("dense_items", [1, 100])
def test_tastes_reach_cold_items_and_empty_histories_get_what_most_have(dense_items, tmp_path):
    model = fitted(tmp_path, dense_items=dense_items, strength=None)
    scores = model.scores(Asked.new(HAD))
    assert scores[0, COLD[0]] > scores[0, COLD[1]]
    assert scores[1, COLD[0]] < scores[1, COLD[1]]
    assert np.isfinite(scores).all()
    assert scores[2].std() > 0


def test_pictures_and_texts_stand_beside_words(tmp_path):
    Pillow.fromarray(np.zeros((40, 40, 3), np.uint8)).save(tmp_path / "a.png")
    world = Known(known().interactions, films(cover=[str(tmp_path / "a.png")] * 20))
    model = Hybrid(
        HybridSettings(encoder=str(make_bert(tmp_path / "bert")), image_encoder=str(make_vit(tmp_path / "vit")))
    )
    assert model._features(world, run_in(tmp_path / "run")).shape == (20, 9 + 16 + 16)


def test_all_items_count_where_a_matrix_of_items_would_be_too_large(tmp_path):
    known_items, all_items = len(THERE), len(THERE) + len(COLD)
    assert fitted(tmp_path, dense_items=all_items).right is None
    model = fitted(tmp_path / "more", dense_items=known_items, factors=4)
    assert (model.left.shape, model.right.shape) == ((all_items, 4), (all_items, 4))
