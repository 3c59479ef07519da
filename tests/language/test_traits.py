"""What a person can check of texts."""

from __future__ import annotations

import numpy as np

from headwater.language.traits import text_traits


def test_lengths_words_and_scripts_of_each_text():
    traits = text_traits(["Good, good film", "Фильм and film", "很好", "!?"])
    assert traits.numbers["characters"].tolist() == [15, 14, 2, 2]
    assert traits.numbers["words"].tolist() == [4, 3, 2, 2]
    assert traits.words[0] == {"good", ",", "film"}
    scripts = traits.shares["script"]
    np.testing.assert_allclose(scripts["Latin"], [1, 7 / 12, 0, 0])
    np.testing.assert_allclose(scripts["Cyrillic"], [0, 5 / 12, 0, 0])
    np.testing.assert_allclose(scripts["Han"], [0, 0, 1, 0])


def test_a_pair_is_both_of_its_texts():
    assert text_traits([("a film", "a plot")]).words == [{"a", "film", "plot"}]
