"""Whatever the rule, no copy of a held-out row trains, and every row is somewhere or accounted for."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.data.duplicates import clusters
from headwater.data.records import Records
from headwater.data.splitting import Splits, cautions, split, straddlers
from headwater.errors import DataError, NotFoundError, SettingError
from headwater.settings import Settings


def _split(texts: list[Any], labels: list[Any], columns: dict[str, list[Any]] | None = None, **chosen: Any) -> Splits:
    wanted = {"want_test": chosen.pop("want_test", True), "want_valid": chosen.pop("want_valid", True)}
    table = pa.table({"row": list(range(len(texts))), **(columns or {})})
    records = Records(table, name="data", files=("a.csv",), lines=np.arange(len(texts)) + 2)
    return split(records, texts, labels, Settings(**chosen), **wanted)


def _texts(rows: int) -> list[str]:
    return [f"text number {row}" for row in range(rows)]


def _assert_no_straddling(splits: Splits, texts: list[Any]) -> None:
    copies = clusters(texts)
    parts = [set(copies[part]) for part in (splits.train, splits.valid, splits.test)]
    assert len(set.union(*parts)) == sum(map(len, parts))


def _drawn_rows(seed: int) -> list[tuple[int, int]]:
    draw = np.random.default_rng(seed)
    return list(zip(draw.integers(0, 41, rows := draw.integers(60, 121)), draw.integers(0, 3, rows), strict=True))


rows_with_copies = st.integers(0, 100_000).map(_drawn_rows)


@settings(max_examples=20, deadline=None)
@given(rows_with_copies, st.integers(0, 9))
def test_stratified_parts_cover_all_rows_once_and_keep_copies_together(rows: list[tuple[int, int]], seed: int):
    texts, labels = [f"text {text}" for text, _ in rows], [label for _, label in rows]
    texts += [f"one more {row}" for row in range(12)]
    labels += [0, 1, 2] * 4
    splits = _split(texts, labels, seed=seed)
    assert sorted([*splits.train, *splits.valid, *splits.test]) == list(range(len(texts)))
    assert set(labels) == {labels[row] for row in splits.train}
    _assert_no_straddling(splits, texts)


@settings(max_examples=20, deadline=None)
@given(rows_with_copies, st.sampled_from(["group", "time", "split"]), st.integers(0, 9))
def test_the_users_rule_holds_and_only_copies_are_dropped(rows: list[tuple[int, int]], rule: str, seed: int):
    texts = [f"text {text}" for text, _ in rows] + _texts(60)
    values = {
        "group": [row % 12 for row in range(len(texts))],
        "time": [row * 7 % len(texts) for row in range(len(texts))],
        "split": [("train", "valid", "test")[row % 3] for row in range(len(texts))],
    }[rule]
    splits = _split(texts, [row % 2 for row in range(len(texts))], {"rule": values}, seed=seed, **{rule: "rule"})
    kept = np.concatenate([splits.train, splits.valid, splits.test])
    copies = clusters(texts)
    dropped = np.setdiff1d(np.arange(len(texts)), kept)
    assert len(set(kept.tolist())) == len(kept)
    assert set(copies[dropped]) <= set(copies[np.concatenate([splits.valid, splits.test])])
    assert len(dropped) == sum(splits.findings["dropped"].values())
    assert splits.findings["dropped"]["test"] == 0
    _assert_no_straddling(splits, texts)
    _assert_rule(rule, np.array(values), splits)


def _assert_rule(rule: str, values: np.ndarray, splits: Splits) -> None:
    train, valid, test = (values[part] for part in (splits.train, splits.valid, splits.test))
    if rule == "time":
        assert train.max() <= valid.min() <= valid.max() <= test.min()
    if rule == "group":
        assert len({*train, *valid, *test}) == len(set(train)) + len(set(valid)) + len(set(test))
    if rule == "split":
        assert [set(train), set(valid), set(test)] == [{"train"}, {"valid"}, {"test"}]


def test_shares_hold_for_the_whole_and_for_each_class():
    labels = ["common"] * 800 + ["seldom"] * 150 + ["scarce"] * 50
    splits = _split(_texts(1000), labels, test_share=0.2, valid_share=0.1)
    assert [len(splits.train), len(splits.valid), len(splits.test)] == [720, 80, 200]
    assert [labels[row] for row in splits.test].count("scarce") == 10
    assert [labels[row] for row in splits.valid].count("seldom") == 12


def test_a_seed_gives_one_split_and_another_seed_another():
    one, same, other = (_split(_texts(50), [0, 1] * 25, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.test, same.test)
    assert one.findings == same.findings
    assert one.test.tolist() != other.test.tolist()


def test_findings_are_json():
    texts = [*_texts(40), "text number 1"]
    findings = _split(texts, [0, 1] * 20 + [0]).findings
    assert json.loads(json.dumps(findings)) == findings
    assert findings["rule"] == "stratified"
    assert findings["duplicates"]["clusters"] == findings["duplicates"]["conflicts"] == 1
    assert findings["duplicates"]["conflict_examples"][0][1]["place"] == "a.csv:42"
    assert sum(findings["rows"].values()) == 41


def test_classes_with_fewer_rows_than_parts_stay_in_train_and_are_named():
    splits = _split(_texts(42), ["a", "b"] * 20 + ["rare", "rare"])
    assert splits.findings["rare_classes"] == ["rare"]
    assert {40, 41} <= set(splits.train.tolist())


def test_several_labels_are_spread():
    cells = [["a"] * (row % 2) + ["b"] * (row % 5 == 0) for row in range(200)]
    splits = _split(_texts(200), cells)
    assert [sum("b" in cells[row] for row in part) for part in (splits.valid, splits.test)] == [3, 8]


def test_text_pairs_are_split():
    pairs = [(f"text number {row}", "the same question") for row in range(40)]
    assert len(_split(pairs, [0, 1] * 20).test) == 8


def test_only_the_wanted_parts_are_cut():
    splits = _split(_texts(40), [0, 1] * 20, want_test=False)
    assert (len(splits.train), len(splits.valid), len(splits.test)) == (36, 4, 0)
    splits = _split(_texts(40), [0, 1] * 20, want_test=False, want_valid=False)
    assert (len(splits.train), len(splits.valid), len(splits.test)) == (40, 0, 0)


def test_a_column_may_leave_parts_to_be_cut_from_train():
    names = ["Train", "TEST", "train", "training", "train"] * 20
    splits = _split(_texts(100), [0, 1] * 50, {"part": names}, split="part")
    assert splits.test.tolist() == list(range(1, 100, 5))
    assert len(splits.valid) == 8


def test_copies_across_the_users_own_parts_leave_the_less_held_out_one():
    names = ["train"] * 20 + ["dev"] * 10 + ["test"] * 10
    texts = _texts(40)
    texts[0], texts[1], texts[20] = texts[30], texts[25], texts[31]
    splits = _split(texts, [0, 1] * 20, {"part": names}, split="part")
    assert splits.findings["dropped"] == {"train": 2, "valid": 1, "test": 0}
    assert splits.findings["dropped_places"] == ["a.csv:2", "a.csv:3", "a.csv:22"]


def test_groups_that_share_a_copy_stay_together():
    texts = _texts(100)
    texts[5] = texts[95]
    groups = [row // 5 for row in range(100)]
    for seed in range(5):
        splits = _split(texts, [0, 1] * 50, {"who": groups}, group="who", seed=seed)
        part = next(part for part in (splits.train, splits.valid, splits.test) if 5 in part)
        assert set(range(5, 10)) | set(range(95, 100)) <= set(part.tolist())


def test_a_common_short_text_does_not_tie_all_groups_into_one():
    texts = ["thanks" if row % 10 == 0 else f"text number {row}" for row in range(100)]
    splits = _split(texts, [0, 1] * 50, {"who": [row // 10 for row in range(100)]}, group="who")
    assert len(splits.test) == 20
    assert splits.findings["dropped"]["train"] == 7


def test_classes_of_one_group_are_named():
    who = [row // 4 for row in range(60)]
    labels = ["rare" if row < 4 else "ab"[row % 2] for row in range(60)]
    splits = _split(_texts(60), labels, {"who": who}, group="who")
    assert splits.findings["classes_of_one_group"] == ["rare"]
    assert cautions(splits.findings) == [
        "Class rare occurs in one group of column who only: whoever learns from it has no other row to be measured on, "
        "neither in the test rows nor in folds of the training rows, so no figure tells how well it is found."
    ]
    assert json.loads(json.dumps(splits.findings)) == splits.findings
    assert _split(_texts(60), labels, {"who": who}).findings["classes_of_one_group"] == []
    tags = [[label, f"only {group}"] for label, group in zip(labels, who, strict=True)]
    several = cautions(_split(_texts(60), tags, {"who": who}, group="who").findings)
    assert several[0].startswith("Classes only 0, rare, only 1, only 2, only 3 and 11 more each occur in one group of")


def test_rows_without_a_group_are_groups_of_their_own():
    splits = _split(_texts(60), [0, 1] * 30, {"who": ["x"] * 10 + [None] * 50}, group="who")
    assert (len(splits.train), len(splits.valid), len(splits.test)) == (43, 5, 12)


def test_classes_that_training_never_sees_are_named():
    splits = _split(_texts(40), [0, 1] * 19 + [2, 2], {"when": list(range(40))}, time="when")
    assert splits.findings["unseen_classes"] == ["2"]


def test_straddlers_are_exact_and_near_copies_of_the_other_rows():
    essay = " ".join(f"word{number}" for number in range(60))
    assert straddlers(["a fine film", essay, "dull"], ["A FINE FILM", f"{essay} bye"]).tolist() == [0, 1]
    assert straddlers(["a"], []).tolist() == []


@pytest.mark.parametrize("rules", [("split", "group"), ("group", "time"), ("split", "time")])
def test_contradictory_rules_are_refused(rules: tuple[str, str]):
    with pytest.raises(SettingError, match=f"{rules[0]} and {rules[1]} contradict each other"):
        _split(_texts(10), [0, 1] * 5, {"x": [1] * 10}, **dict.fromkeys(rules, "x"))


@pytest.mark.parametrize("labels", [["only"] * 10, []])
def test_one_class_is_refused(labels: list[Any]):
    with pytest.raises(DataError, match="The target needs at least two classes"):
        _split(_texts(len(labels)), labels)


def test_rows_without_any_label_are_refused():
    with pytest.raises(DataError, match=r"No row has a label\. Got '10 rows with an empty target'"):
        _split(_texts(10), [[]] * 10)


def test_a_part_that_no_part_is_called_is_named_with_its_line():
    with pytest.raises(
        DataError, match=r"a\.csv:4: Column part is to say the part .* Got 'eval'\. Accepted: train, valid"
    ):
        _split(_texts(10), [0, 1] * 5, {"part": ["train", "test", "eval", *["train"] * 7]}, split="part")


def test_test_rows_may_not_come_twice():
    with pytest.raises(SettingError, match="The test rows come twice: from column part"):
        _split(_texts(10), [0, 1] * 5, {"part": ["train", "test"] * 5}, split="part", want_test=False)


@pytest.mark.parametrize("rule", ["split", "group", "time"])
def test_a_missing_column_is_answered_with_the_near_one(rule: str):
    with pytest.raises(NotFoundError, match="Did you mean author"):
        _split(_texts(10), [0, 1] * 5, {"author": ["x"] * 10}, **{rule: "autor"})


def test_too_few_groups_are_refused():
    with pytest.raises(DataError, match=r"Column who leaves too few groups for train and valid and test.* Got 1"):
        _split(_texts(10), [0, 1] * 5, {"who": ["x"] * 10}, group="who")


def test_one_point_in_time_is_refused():
    with pytest.raises(DataError, match="Column day holds one point in time only"):
        _split(_texts(10), [0, 1] * 5, {"day": ["2024-01-31"] * 10}, time="day")


def test_too_few_rows_are_refused():
    with pytest.raises(DataError, match=r"4 rows leave too few valid rows.* Got 0\. Accepted: 2 rows or more"):
        _split(_texts(4), [0, 1] * 2)


def test_near_copies_are_told_where_they_leave_too_few_rows():
    sentence = (
        r"8 rows, of which only 2 are no copies or near copies of others, leave too few .* rows.* Give more rows, or"
    )
    with pytest.raises(DataError, match=sentence):
        _split(["one fine text"] * 4 + ["another dull one"] * 4, [0, 1] * 4)


def test_training_rows_of_one_class_are_refused():
    with pytest.raises(DataError, match="The train rows of this split hold one class only"):
        _split(_texts(40), [0] * 30 + [1] * 10, {"when": list(range(40))}, time="when")


def test_rows_without_a_target_are_divided_at_random_and_copies_move_together():
    texts = [*_texts(40), *_texts(10)]
    splits = _split(texts, [None] * 50)
    assert sorted([*splits.train, *splits.valid, *splits.test]) == list(range(50))
    assert splits.findings["rule"] == "random"
    assert splits.findings["unseen_classes"] == splits.findings["rare_classes"] == []
    _assert_no_straddling(splits, texts)
