import numpy as np

from headwater.language.vocabulary import PADDING, SEPARATOR, UNKNOWN, Vocabulary


def test_the_most_frequent_tokens_come_first_and_ties_by_name():
    vocabulary = Vocabulary.learn(["b a c", "c b a", "c d"], size=6, min_count=2)
    assert vocabulary.known == ["c", "a", "b"]
    assert len(vocabulary) == 6
    assert Vocabulary.learn(["b a c", "c"], size=4, min_count=1).known == ["c"]


def test_unknown_and_empty_texts_have_one_token_at_least():
    encoded = Vocabulary(["a"]).encode(["zz a", "", " "], max_length=5)
    assert encoded.lengths.tolist() == [2, 1, 1]
    assert encoded.padded(np.array([2, 0])).tolist() == [[UNKNOWN, PADDING], [UNKNOWN, 3]]


def test_long_texts_are_cut_and_pairs_share_the_room():
    vocabulary = Vocabulary(["a", "b"])
    encoded = vocabulary.encode(["a " * 100_000, ("a " * 9, "b " * 9), ("a " * 9, "b")], max_length=5)
    assert encoded.lengths.tolist() == [5, 5, 5]
    assert encoded.padded(np.array([1, 2])).tolist() == [[3, 3, SEPARATOR, 4, 4], [3, 3, 3, SEPARATOR, 4]]


def test_no_texts():
    assert len(Vocabulary([]).encode([], max_length=5)) == 0
