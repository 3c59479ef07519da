"""Copies are found whatever a careless hand did to them; texts that only sound alike are not."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.data.duplicates import clusters, exact, fold, place, summary
from headwater.data.groups import join
from headwater.data.records import Records

WORDS = [
    f"{a}{b}" for a in ("stone", "river", "quiet", "green", "north", "paper") for b in ("er", "ing", "s", "ly", "")
]
HAN = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳云腾致雨露结为霜"


def _essay(seed: int, words: int = 80) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=words))


@pytest.mark.parametrize(
    "copy",
    ["A FINE, film!", "  a\tfine\nfilm ", "a fine ﬁlm", "Ａ fine film", "«a fine film»"],
)
def test_exact_copies_differ_in_case_space_punctuation_or_form_only(copy: str):
    assert exact(["a fine film", copy, "a fine firm"]).tolist() == [0, 0, 2]


@pytest.mark.parametrize(("one", "other"), [("c++ code", "c code"), ("😀", "😡"), ("!!!", "???"), ("कि", "का")])
def test_what_carries_meaning_is_not_folded_away(one: str, other: str):
    assert fold(one) != fold(other)


@pytest.mark.parametrize("change", [
    lambda words: [*words[:40], "typo", *words[41:]],
    lambda words: [*words, *["sent", "from", "my", "new", "phone"]],
    lambda words: words[4:],
    lambda words: [word.upper() + "," for word in words],
])  # fmt: skip
def test_edited_copies_are_near_duplicates(change):
    texts = [_essay(seed) for seed in range(40)]
    edited = [" ".join(change(text.split(" "))) for text in texts]
    found = clusters([*texts, *edited])
    np.testing.assert_array_equal(found, np.tile(np.arange(40), 2))


def test_scripts_without_spaces_are_compared_by_characters():
    text = "".join(random.Random(0).choices(HAN, k=80))
    assert clusters([text, text[:60], f"{text[:50]}，{text[50:]}。谢谢", HAN]).tolist() == [0, 1, 0, 3]


def test_common_phrases_do_not_make_copies():
    frames = "the room was {} and the staff at the desk was {} but the breakfast was {} and we would {} come back"
    texts = [frames.format(*random.Random(seed).sample(WORDS, 4)) for seed in range(500)]
    assert len(set(clusters([f"{text} {_essay(row, 20)}" for row, text in enumerate(texts)]))) == 500


def test_short_texts_are_only_exact_copies():
    assert clusters(["very good film", "very good movie", "Very good film."]).tolist() == [0, 1, 0]


def test_pairs_are_copies_when_both_sides_are():
    essay, edited = _essay(1), _essay(1) + " thanks"
    pairs = [(essay, "a man sleeps"), (edited, "a man sleeps"), (essay, "a man runs"), ("a man sleeps", essay)]
    assert clusters(pairs).tolist() == [0, 0, 2, 3]
    assert exact([("a", "b c"), ("a b", "c"), ("A", "b c!")]).tolist() == [0, 1, 0]


def test_a_full_bucket_stays_one_cluster():
    essay = _essay(2).split(" ")
    texts = [" ".join([*essay[:row], "other", *essay[row + 1 :]]) for row in range(5, 60)]
    assert set(clusters(texts)) == {0}


def test_no_rows():
    assert clusters([]).tolist() == exact([]).tolist() == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=30))
def test_a_cluster_is_named_by_its_first_row_and_holds_the_exact_copies(texts: list[str]):
    found, same = clusters(texts), exact(texts)
    assert (found <= np.arange(len(texts))).all()
    assert (found[found] == found).all()
    assert (found[same] == found).all()


def test_join_follows_chains():
    assert join(6, np.array([[5, 3], [3, 1], [2, 4]])).tolist() == [0, 1, 2, 1, 2, 1]


def test_summary_tells_copies_and_contradictions_with_their_lines():
    texts, labels = ["good", "bad", "Good!", "fine", "good", "bad "], ["pos", "neg", "neg", "pos", "pos", "neg"]
    records = Records(pa.table({"text": texts}), files=("a.csv",), lines=np.arange(6) + 2)
    found = summary(exact(texts), records, texts, labels)
    assert (found["clusters"], found["rows"], found["largest"]) == (2, 5, 3)
    assert (found["conflicts"], found["conflict_rows"]) == (1, 3)
    assert found["conflict_examples"][0][1] == {"place": "a.csv:4", "label": "neg", "text": "Good!"}


def test_labels_in_another_order_do_not_contradict():
    records = Records(pa.table({"text": ["x", "x"]}))
    assert summary(np.array([0, 0]), records, ["x", "x"], [["a", "b"], ["b", "a"]])["conflicts"] == 0


def test_long_texts_are_cut_in_the_summary():
    records, texts = Records(pa.table({"text": ["x", "x"]})), [("y" * 200, "z"), ("y" * 200, "z")]
    example = summary(np.array([0, 0]), records, texts, ["a", "b"])["conflict_examples"][0][0]
    assert len(example["text"]) == 160


def test_place_tells_what_is_known():
    table = pa.table({"text": ["a", "b"]})
    assert place(Records(table), 1) == "row 2"
    assert place(Records(table, files=("b.parquet",)), 1) == "b.parquet, row 2"
    assert place(Records(table, files=("b.csv",), lines=np.array([2, 9])), 1) == "b.csv:9"
