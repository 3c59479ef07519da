"""What every model of content, sequences, features and hybrids keeps to."""

import numpy as np
import pytest
from tests.recommendation.tastes import COLD, USERS, films, known, run_in
from tests.tiny import make_bert, make_vit

from headwater.data.pictures import Picture
from headwater.options import options_of
from headwater.recommendation.adversarial import Gan
from headwater.recommendation.content import ImageEmbedding, Lsa, TextEmbedding, Tfidf
from headwater.recommendation.features import CnnFeatures
from headwater.recommendation.hybrid import Hybrid
from headwater.recommendation.interactions import Histories
from headwater.recommendation.recommender import Asked
from headwater.recommendation.sequence import Gru, Lstm, Rnn, Sasrec

NETWORK = {"width": 8}
MODELS = {
    Tfidf: {}, Lsa: {}, TextEmbedding: {"encoder": "bert"}, ImageEmbedding: {"encoder": "vit"},
    Hybrid: {"encoder": "bert"}, CnnFeatures: {**NETWORK, "encoder": None}, Gan: NETWORK,
    Rnn: NETWORK, Lstm: NETWORK, Gru: NETWORK, Sasrec: {**NETWORK, "layers": 1},
}  # fmt: skip


@pytest.fixture(scope="module")
def encoders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoders")
    return {"bert": str(make_bert(folder / "bert")), "vit": str(make_vit(folder / "vit"))}


@pytest.fixture(scope="module")
def world():
    return known(films(cover=[Picture.of(np.full((40, 40, 3), 10 + 12 * n, np.uint8)).content for n in range(20)]))


@pytest.fixture(scope="module", params=MODELS, ids=lambda kind: kind.__name__)
def model(request, encoders, world, tmp_path_factory):
    return fitted(request.param, encoders, world, tmp_path_factory.mktemp("run"))


def fitted(kind, encoders, world, folder, **run):
    settings = {
        **MODELS[kind],
        **({"encoder": encoders[MODELS[kind]["encoder"]]} if MODELS[kind].get("encoder") else {}),
    }
    return kind(kind.Settings(**settings)).fit(world, None, run_in(folder, **{"epochs": 2, "image_size": 32, **run}))


def asked(world):
    return Asked(Histories.of_users(world.interactions), np.arange(USERS, dtype=np.int32))


def test_scores_are_single_numbers_for_every_item(model, world):
    scores = model.scores(asked(world))
    assert scores.shape == (USERS, 20)
    assert scores.dtype == np.float32
    assert not np.isnan(scores).any()
    assert np.isfinite(scores[:, list(COLD)]).all() == model.cold
    assert model.n_items == 20


def test_nobody_and_someone_without_a_history_are_answered(model):
    nobody = Asked.new(Histories.of_lists([], n_items=20))
    empty = model.scores(Asked.new(Histories.of_lists([[], [0]], n_items=20)))[0]
    assert model.scores(nobody).shape == (0, 20)
    assert np.isfinite(np.delete(empty, COLD)).all()
    assert np.delete(empty, COLD).std() > 0


def test_rows_do_not_depend_on_one_another(model, world):
    whole = asked(world)
    some = np.array([5, 0, 17])
    np.testing.assert_allclose(model.scores(whole.take(some)), model.scores(whole)[some], atol=1e-5, rtol=1e-4)


def test_a_new_user_has_the_scores_of_a_known_one(model, world):
    if isinstance(model, CnnFeatures):
        pytest.skip("what is known of a user beside the history counts as well")
    whole = asked(world)
    np.testing.assert_array_equal(model.scores(whole), model.scores(Asked.new(whole.histories)))


def test_a_loaded_model_is_the_saved_one(model, world, tmp_path):
    model.save(tmp_path)
    loaded = type(model).load(tmp_path)
    assert loaded.settings == model.settings
    np.testing.assert_array_equal(loaded.scores(asked(world)), model.scores(asked(world)))


def test_the_same_seed_is_the_same_model_and_nothing_given_is_changed(model, encoders, world, tmp_path):
    before = [values.copy() for values in (world.interactions.users, world.interactions.items)]
    again = fitted(type(model), encoders, world, tmp_path / "again")
    np.testing.assert_array_equal(again.scores(asked(world)), model.scores(asked(world)))
    for kept, values in zip(before, (world.interactions.users, world.interactions.items), strict=True):
        np.testing.assert_array_equal(kept, values)


def test_settings_tell_what_they_are(model):
    for option in options_of(model.Settings):
        assert option.sentence.endswith(".")
        assert option.limit is not None or option.kind is str
