"""Words stand where they stood, and nothing of a text is lost between them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.language.words import joined, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's  great!!!", ["It's", "great", "!!!"]),
        ("房间很大 WiFi", ["房", "间", "很", "大", "WiFi"]),
        ("ดีมาก", ["ดี", "ม", "า", "ก"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("می‌خواهم", ["می‌خواهم"]),
        ("👨‍👩‍👧 👍🏽 🇩🇪🇫🇷 1️⃣", ["👨‍👩‍👧", "👍🏽", "🇩🇪", "🇫🇷", "1️⃣"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_words_of_any_language_are_whole(text: str, words: list[str]):
    assert [word.text for word in words_of(text)] == words


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_words_and_spaces_are_the_text(text: str):
    words = words_of(text)
    whole = "".join(word.space + word.text for word in words)
    assert text.startswith(whole)
    assert all(text[word.start : word.end] == word.text for word in words)
    assert not any(character.isalnum() for character in text[len(whole) :])


@pytest.mark.parametrize(
    ("text", "dropped", "left"),
    [
        ("a very good film", 1, "a good film"),
        ("good film.", 1, "good."),
        ("great, film", 1, "great film"),
        ("very (good) film", 1, "very good) film"),
        ("wi-fi", 1, "wifi"),
        ("房间很大", 1, "房很大"),
        ("  first second", 0, "second"),
        ("one\n\ntwo three", 1, "one three"),
    ],
)
def test_what_is_left_keeps_its_spaces(text: str, dropped: int, left: str):
    words = words_of(text)
    assert joined(words, [place != dropped for place in range(len(words))]) == left
