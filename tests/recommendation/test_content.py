import numpy as np
import pytest
from sklearn.linear_model import Ridge as Reference
from tests.recommendation.tastes import COLD, films, known, run_in
from tests.tiny import make_bert, make_vit

from headwater.recommendation.content import (
    ImageEmbedding,
    ImageEmbeddingSettings,
    Lsa,
    LsaSettings,
    TextEmbedding,
    TextEmbeddingSettings,
    Tfidf,
)  # fmt: skip
from headwater.recommendation.encoding import word_vectors
from headwater.recommendation.interactions import Histories
from headwater.recommendation.popularity import average_history
from headwater.recommendation.recommender import Asked, Known

HAD = Histories.of_lists([[0, 2, 8], [1], []], n_items=20)


@pytest.fixture(scope="module")
def world():
    return known()


def fitted(model, world, tmp_path):
    return model.fit(world, None, run_in(tmp_path / "run"))


def test_tfidf_is_the_cosine_with_the_mean_of_a_history(world, tmp_path):
    model = fitted(Tfidf(Tfidf.Settings(prior=0)), world, tmp_path)
    titles, years = world.items.column("title"), world.items.column("year")
    vectors = word_vectors([titles, years]).toarray()
    centred = vectors - vectors.mean(axis=0)
    scores = model.scores(Asked.new(HAD))
    for row in (0, 1):
        wanted = centred[HAD.of(row)].sum(axis=0) @ centred.T
        # All but a constant of the row, which moves no item past another.
        np.testing.assert_allclose(np.diff(scores[row]), np.diff(wanted), atol=1e-5)


def test_a_user_is_the_ridge_on_what_was_had_and_what_was_not(world, tmp_path):
    model = fitted(Lsa(LsaSettings(prior=0, strength=0.7, factors=5)), world, tmp_path)
    there = np.setdiff1d(np.arange(20), COLD)
    had = HAD.matrix().toarray()
    reference = Reference(alpha=0.7).fit(model.features[there], had[:2, there].T).predict(model.features).T
    found = model.scores(Asked.new(HAD))[:2]
    np.testing.assert_allclose(np.diff(found), np.diff(reference), atol=1e-4)


def test_the_prior_adds_the_average_user(world, tmp_path):
    alone, both = (fitted(Lsa(LsaSettings(prior=prior, strength=1.0)), world, tmp_path) for prior in (0.0, 2.0))
    average = average_history(world.interactions)
    np.testing.assert_allclose(average, Histories.of_users(world.interactions).matrix().toarray().mean(axis=0))
    more = 2 * np.asarray(average @ alone.told @ alone.features.T)
    wanted = alone.scores(Asked.new(HAD)) + more
    np.testing.assert_allclose(both.scores(Asked.new(HAD)), wanted, atol=1e-4)


@pytest.mark.parametrize("profile", ["ridge", "mean"])
def test_texts_of_an_encoder_tell_tastes(profile, world, tmp_path):
    settings = TextEmbeddingSettings(encoder=str(make_bert(tmp_path / "bert")), profile=profile, prior=0)
    scores = fitted(TextEmbedding(settings), world, tmp_path).scores(Asked.new(HAD))
    assert scores[0, COLD[0]] > scores[0, COLD[1]]
    assert scores[1, COLD[0]] < scores[1, COLD[1]]


def test_pictures_of_an_encoder_tell_tastes(world, tmp_path):
    shades = [np.full((40, 40, 3), 250 if item % 2 else 20, np.uint8) for item in range(20)]
    pictures = films(cover=[png(shade) for shade in shades])
    settings = ImageEmbeddingSettings(encoder=str(make_vit(tmp_path / "vit")), prior=0)
    model = fitted(ImageEmbedding(settings), Known(world.interactions, pictures), tmp_path)
    scores = model.scores(Asked.new(HAD))
    assert scores[0, COLD[0]] > scores[0, COLD[1]]
    assert scores[1, COLD[0]] < scores[1, COLD[1]]


def png(pixels):
    from headwater.data.pictures import Picture

    return Picture.of(pixels).content


def test_an_item_without_words_is_the_average_one(world, tmp_path):
    titles = [None if item == 7 else title for item, title in enumerate(world.items.column("title"))]
    years = [None if item == 7 else year for item, year in enumerate(world.items.column("year"))]
    folder = str(make_bert(tmp_path / "bert"))
    table = films(title=titles, year=years)
    model = TextEmbedding(TextEmbeddingSettings(encoder=folder))
    fitted(model, Known(world.interactions, table), tmp_path)
    np.testing.assert_allclose(model.features[7], 0, atol=1e-6)
