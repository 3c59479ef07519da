import numpy as np
import pytest
from PIL import Image as Pillow
from sklearn.feature_extraction.text import TfidfVectorizer
from tests.tiny import make_bert, make_vit

from headwater.data.pictures import Picture
from headwater.errors import NotFoundError
from headwater.recommendation import encoding
from headwater.settings import Settings

SETTINGS = Settings(device="cpu", feature_cache=False, offline=True)


def test_one_column_is_the_tf_idf_of_scikit_learn():
    texts = ["good film film", "bad film", "", "a good plot"]
    reference = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\w+").fit_transform(texts)
    np.testing.assert_allclose(encoding.word_vectors([texts]).toarray(), reference.toarray(), atol=1e-6)


def test_columns_weigh_alike_and_rows_have_length_one():
    found = encoding.word_vectors([["western town", "town"], ["western", ""], ["", ""]]).toarray()
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert found.shape == (2, 3)
    assert found[0, 2] ** 2 == pytest.approx(0.5)
    assert encoding.word_vectors([["", " "]]).shape == (2, 0)


def test_main_directions_keep_products():
    rows = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
    found = encoding.main_directions(rows, 99, seed=0)
    assert found.shape == (12, 5)
    np.testing.assert_allclose(found @ found.T, rows @ rows.T, atol=1e-4)
    assert encoding.main_directions(encoding.word_vectors([["", ""]]), 9, seed=0).tolist() == [[0], [0]]


def test_texts_through_an_encoder(tmp_path):
    folder = str(make_bert(tmp_path / "bert"))
    found = encoding.text_features(["good film", "", "bad plot"], folder, SETTINGS)
    assert found.shape == (3, 16)
    np.testing.assert_allclose(np.linalg.norm(found[[0, 2]], axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(found[1], found[[0, 2]].mean(axis=0), atol=1e-6)
    with pytest.raises(NotFoundError, match=r"the model's setting encoder: No foundation was found.*Got 'no-such'"):
        encoding.text_features(["good"], "no-such", SETTINGS)


def test_pictures_through_an_encoder(tmp_path):
    folder = str(make_vit(tmp_path / "vit"))
    Pillow.fromarray(np.full((40, 30, 3), 200, np.uint8)).save(tmp_path / "a.png")
    found = encoding.picture_features([None, Picture(str(tmp_path / "a.png"))], folder, SETTINGS)
    assert found.shape == (2, 16)
    np.testing.assert_allclose(found[0], found[1])
