import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from headwater.language import vectoriser
from headwater.language.vectoriser import TfidfVectoriser, latent

TEXTS = ["the cat sat on the mat", "a cat and a hat", "the hat sat", "cat cat cat"]


def test_weights_equal_those_of_scikit_learn():
    ours = TfidfVectoriser().learn(TEXTS)
    blocks = []
    for kind, options in zip(
        ours.grams,
        ({"token_pattern": r"\w+", "ngram_range": (1, 2)}, {"analyzer": "char_wb", "ngram_range": (2, 5)}),
        strict=True,
    ):
        reference = TfidfVectorizer(sublinear_tf=True, vocabulary=kind.names(), **options)
        blocks.append(reference.fit_transform(TEXTS).toarray() / np.sqrt(2))
    np.testing.assert_allclose(ours.features(TEXTS).toarray(), np.hstack(blocks), atol=1e-6)


def test_the_script_decides_the_kinds():
    assert [kind.words for kind in TfidfVectoriser().learn(["房间很大", "很好"]).grams] == [False]
    assert [kind.words for kind in TfidfVectoriser().learn(TEXTS).grams] == [True, False]


def test_pairs_have_both_sides_and_what_they_share():
    pairs = TfidfVectoriser().learn([("cat", "cat"), ("cat", "dog")])
    features = pairs.features([("cat", "cat"), ("cat", "dog")]).toarray()
    width = features.shape[1] // 3
    np.testing.assert_allclose(features[:, 2 * width :], features[:, :width] * features[:, width : 2 * width])
    assert features[0, 2 * width :].any()
    assert not features[1, 2 * width :].any()
    assert pairs.features([]).shape == (0, 3 * width)


def test_rows_are_of_length_one_or_empty():
    lengths = np.linalg.norm(TfidfVectoriser().learn(TEXTS).features([*TEXTS, "ζζζ"]).toarray(), axis=1)
    np.testing.assert_allclose(lengths, [1, 1, 1, 1, 0], atol=1e-6)


def test_parts_and_samples_change_nothing_but_memory(monkeypatch):
    whole = TfidfVectoriser().learn(TEXTS)
    expected = whole.features(TEXTS).toarray()
    monkeypatch.setattr(vectoriser, "_PART", 2)
    np.testing.assert_array_equal(whole.features(TEXTS).toarray(), expected)
    monkeypatch.setattr(vectoriser, "_VOCABULARY_CHARACTERS", 40)
    assert set(TfidfVectoriser().learn(TEXTS).grams[0].names()) < set(whole.grams[0].names())


def test_latent_directions_bring_like_texts_together():
    texts = [f"{word} {word}s number {row}" for row in range(20) for word in ("film", "plot", "song")]
    seen = latent(texts, seed=1)
    assert seen.shape == (60, 59)
    assert seen.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(seen, axis=1), 1, rtol=1e-5)
    alike = seen @ seen.T
    same = np.equal.outer(np.arange(60) % 3, np.arange(60) % 3) & ~np.eye(60, dtype=bool)
    assert alike[same].mean() > alike[~same].mean() + 0.2
    np.testing.assert_array_equal(latent(texts, seed=1), seen)


def test_latent_directions_of_one_word_are_one():
    assert latent(["a", "a"]).shape == (2, 1)


def test_few_rows_and_many_have_the_same_main_directions(monkeypatch):
    texts = [f"{word} {word}s of number {row % 7} or {row}" for row in range(30) for word in ("film", "plot", "song")]
    exact = vectoriser._main_directions(TfidfVectoriser().learn(texts).features(texts), 5, 0)
    monkeypatch.setattr(vectoriser, "_EXACT", 10)
    drawn = vectoriser._main_directions(TfidfVectoriser().learn(texts).features(texts), 5, 0)
    np.testing.assert_allclose(drawn @ drawn.T, exact @ exact.T, atol=5e-3)
