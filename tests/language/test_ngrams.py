import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from headwater.language.ngrams import Ngrams

TEXTS = ["the cat sat on the mat", "a cat, a hat", "the  hat\nsat", "x", "猫は マット の上", "cat cat cat"]


@pytest.mark.parametrize("min_rows", [1, 2])
@pytest.mark.parametrize(
    ("grams", "reference"),
    [
        ({"low": 1, "high": 3, "words": True}, {"analyzer": "word", "token_pattern": r"[a-z]+|[^\sa-z]"}),
        ({"low": 2, "high": 5, "words": False, "bounded": True}, {"analyzer": "char_wb"}),
    ],
)
def test_counts_equal_those_of_scikit_learn(grams, reference, min_rows):
    ours = Ngrams(**grams, min_rows=min_rows).learn(TEXTS)
    theirs = CountVectorizer(ngram_range=(grams["low"], grams["high"]), min_df=min_rows, **reference)
    expected = theirs.fit_transform(TEXTS)
    assert sorted(ours.names()) == sorted(theirs.vocabulary_)
    columns = [theirs.vocabulary_[name] for name in ours.names()]
    np.testing.assert_array_equal(ours.counts(TEXTS).toarray(), expected.toarray()[:, columns])


def test_characters_run_across_words_when_unbounded():
    grams = Ngrams(3, 3, words=False).learn(["a b"])
    assert grams.names() == [" a ", " b ", "a b"]


def test_unknown_units_and_rows_without_any_count_nothing():
    grams = Ngrams(1, 2, words=True).learn(["a b", "b c"])
    assert grams.counts(["zz", "", "c zz b", "a b"]).toarray().tolist() == [
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 1, 1, 0, 0],
        [1, 1, 0, 1, 0],
    ]


@pytest.mark.parametrize("words", [True, False])
def test_nothing_to_learn_gives_an_empty_vocabulary(words):
    grams = Ngrams(2, 3, words=words, min_rows=2).learn(["ab", "cd"])
    assert grams.counts(["ab cd", "x"]).shape[0] == 2
    assert len(Ngrams(1, 2, words=words, min_rows=9).learn(["ab"])) == 0
    assert len(Ngrams(1, 2, words=words).learn([])) == 0


def test_state_round_trip():
    grams = Ngrams(1, 2, words=True, min_rows=2).learn(TEXTS)
    again = Ngrams.from_state(*grams.state())
    assert again.names() == grams.names()
    np.testing.assert_array_equal(again.counts(TEXTS).toarray(), grams.counts(TEXTS).toarray())
