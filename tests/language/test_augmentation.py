"""Altered copies of texts: a share of the words, spaces kept, the same for the same seed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.language.augmentation import altered, drop_words, swap_words
from headwater.language.words import words_of
from headwater.run import Run
from headwater.settings import Settings

TEXTS = ["a very good film, and a fine plot", "房间很大也很干净", "so bad 👎🏽!", "मुझे यह फिल्म पसंद है"]


def _words(text: str) -> list[str]:
    return [word.text for word in words_of(text)]


def _altered(inputs: list[Any], method: str, tmp_path: Path, draw: int = 0, **given: Any) -> list[Any]:
    return altered(inputs, method, draw, Run(Settings(**given), tmp_path), None)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.floats(0.01, 0.9), st.integers(0, 5))
def test_dropping_leaves_out_the_share_and_never_all(text: str, strength: float, seed: int):
    before = _words(text)
    after = _words(drop_words(text, strength, np.random.default_rng(seed)))
    left_out = min(max(1, round(strength * len(before))), len(before) - 1) if before else 0
    # Two words that stood apart by a sign may now be one, as `wi-fi` becomes `wifi`.
    assert len(after) <= max(len(before) - left_out, 0)
    assert bool(after) == bool(before)


@settings(max_examples=60, deadline=None)
@given(st.text("ab 很好,!", max_size=40), st.floats(0.01, 0.9), st.integers(0, 5))
def test_swapping_keeps_every_word_and_every_space(text: str, strength: float, seed: int):
    after = swap_words(text, strength, np.random.default_rng(seed))
    assert Counter(after) == Counter(text)
    if "很" in text or "好" in text:
        return  # beside them no space parts two words
    assert [place for place, one in enumerate(words_of(after)) if not one.text[0].isalnum()] == [
        place for place, one in enumerate(words_of(text)) if not one.text[0].isalnum()
    ]


@pytest.mark.parametrize("method", ["word-dropout", "word-swap"])
def test_every_text_of_two_words_is_altered_and_repeats_by_its_seed(method: str, tmp_path: Path):
    given = list(TEXTS)
    first = _altered(given, method, tmp_path)
    assert given == TEXTS
    assert all(copy and copy != text for copy, text in zip(first, TEXTS, strict=True))
    assert _altered(TEXTS, method, tmp_path) == first
    assert _altered(TEXTS * 3, method, tmp_path, draw=1) != _altered(TEXTS * 3, method, tmp_path)
    assert _altered(TEXTS * 3, method, tmp_path, seed=1) != _altered(TEXTS * 3, method, tmp_path)


@pytest.mark.parametrize("method", ["word-dropout", "word-swap"])
@pytest.mark.parametrize("text", ["good", "👍", "好", " ", "?!"[:1], "\u0301"])
def test_what_cannot_be_altered_gives_no_copy(method: str, text: str, tmp_path: Path):
    assert _altered([text], method, tmp_path) == [None]


def test_equal_words_have_no_other_order(tmp_path: Path):
    assert _altered(["good good good"], "word-swap", tmp_path) == [None]


@pytest.mark.parametrize("method", ["word-dropout", "word-swap"])
def test_of_a_pair_each_side_is_altered_by_itself(method: str, tmp_path: Path):
    ((left, right),) = _altered([("one two three", "four five six")], method, tmp_path)
    assert set(left.split()) < {"one", "two", "three", "x"}
    assert set(right.split()) < {"four", "five", "six", "x"}
    assert left != "one two three"
    assert right != "four five six"
    assert _altered([("one", "four five")], method, tmp_path)[0][0] == "one"


def test_more_strength_alters_more(tmp_path: Path):
    text = " ".join(f"w{number}" for number in range(40))
    lengths = [len(_altered([text], "word-dropout", tmp_path, augment_strength=s)[0].split()) for s in (0.1, 0.5)]
    assert lengths == [36, 20]
