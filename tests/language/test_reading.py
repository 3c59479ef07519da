"""How well a vocabulary fits texts."""

from __future__ import annotations

import numpy as np
from tests.tiny import make_bert

from headwater.foundation.text import TextEncoder
from headwater.language.reading import text_reading


def test_pieces_unknown_ones_and_cut_texts_are_counted(tmp_path):
    encoder = TextEncoder.load(make_bert(tmp_path / "tiny"), "tiny", max_length=6)
    found = text_reading(encoder, ["good film", "good zebra", "film " * 5, "film " * 4])
    np.testing.assert_allclose(found.numbers["pieces a word"], 1)
    shares = found.shares["for this model"]
    np.testing.assert_allclose(shares["pieces unknown to it"], [0, 0.5, 0, 0])
    np.testing.assert_allclose(shares["texts longer than the 6 tokens it reads"], [0, 0, 1, 0])


def test_of_pairs_both_texts_count(tmp_path):
    encoder = TextEncoder.load(make_bert(tmp_path / "tiny"), "tiny", max_length=6)
    lengths, unknown, cut = encoder.pieces([("good film", "zebra"), ("good film", "a plot")])
    assert (lengths.tolist(), unknown.tolist(), cut.tolist()) == ([3, 4], [1, 0], [False, True])


def test_long_texts_are_counted_without_a_warning(tmp_path, caplog):
    encoder = TextEncoder.load(make_bert(tmp_path / "tiny"), "tiny")
    assert encoder.pieces(["film " * 5000])[0].tolist() == [5000]
    assert not caplog.records
