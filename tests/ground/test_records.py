"""Records keep every row in its place; fields turn columns into inputs and answers into labels."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from headwater.data import fields
from headwater.data.fields import Category, Labels, Text
from headwater.data.records import Problem, Records
from headwater.errors import DataError, NotFoundError


@pytest.fixture
def records() -> Records:
    table = pa.table({"text": ["one", None, "three", ""], "label": ["a", None, "b", None], "id": [1, None, 3, 4]})
    return Records(table, {1: Problem("ragged", "a.csv", 3)}, "a.csv", ("a.csv",), lines=np.array([2, 3, 5, 6]))


def test_rows_keep_problems_and_places(records: Records) -> None:
    marked = records.with_problems({3: "empty", 1: "another reason"})
    assert marked.usable.tolist() == [0, 2]
    assert str(marked.problems[3]) == "a.csv:6: empty"
    assert str(marked.problems[1]) == "a.csv:3: ragged"
    picked = marked.take([3, 0])
    assert picked.column("text") == ["", "one"]
    assert list(picked.problems) == [0]
    assert picked.problem(1, "x").line == 2


def test_an_unknown_column_names_the_near_ones(records: Records) -> None:
    with pytest.raises(
        NotFoundError, match=r"a\.csv: There is no column of this name\. Got 'txt'.*Did you mean text\?"
    ):
        records.column("txt")
    with pytest.raises(NotFoundError, match="Name one of these, or rename the one that is meant"):
        records.column("photo")


def test_text_tells_why_a_row_has_none(records: Records) -> None:
    values, reasons = Text(("text",)).values(records)
    assert values == ["one", None, "three", None]
    assert reasons == {3: "the text in column text is empty"}
    _, numbers = Text(("id",)).values(records)
    assert numbers[0] == "column id holds int, not text"


def test_pairs_need_both_sides() -> None:
    pair = Records(pa.table({"a": ["x", "y"], "b": ["z", None]}))
    values, reasons = Text(("a", "b")).values(pair)
    assert values == [("x", "z"), None]
    assert reasons == {1: "the text in column b is missing"}


def test_categories_match_by_text_and_keep_their_type() -> None:
    field = Category(("label",)).learn([3, 1.0, None, 2])
    assert field.classes == (1, 2, 3)
    targets, reasons = field.encode(["1", 2, 9, None])
    assert targets.tolist() == [0, 1, -1, -1]
    assert reasons == {2: "the label '9' was not in training", 3: "the label is missing"}
    assert field.decode(np.array([[0.1, 0.2, 0.7]])) == [3]


def test_labels_from_lists_flags_and_cut_text() -> None:
    table = Records(pa.table({"a": ["1", "0", "x"], "b": [True, False, True], "tags": ["u|v", "", None]}))
    flags = Labels(("a", "b")).learn([])
    assert flags.cells(table) == [["a", "b"], [], None]
    assert flags.encode(flags.cells(table))[1] == {2: "a label column holds neither 0 nor 1"}
    cut = Labels(("tags",), separator="|")
    assert cut.cells(table) == [["u", "v"], [], None]
    assert cut.learn(cut.cells(table)).classes == ("u", "v")
    assert Labels(("t",), ("u",)).encode([["w"]])[1] == {0: "the label 'w' was not in training"}
    assert Labels(("t",), ("u", "v")).decode(np.array([[0.9, 0.5], [0.1, 0.2]])) == [["u", "v"], []]


def test_fields_survive_json() -> None:
    for field in (Text(("a", "b")), Category(("c",), (1, 2)), Labels(("d",), ("x",), "|")):
        assert fields.from_json(fields.to_json(field)) == field


def test_columns_are_found_by_name_and_content() -> None:
    found = Records(pa.table({"id": ["1", "2"], "review": ["a long text", "more text"], "Label": ["x", "y"]}))
    assert fields.find_target(found) == "Label"
    assert fields.find_text(found, ["Label"]) == "review"
    with pytest.raises(DataError, match=r"No column has a usual name of a target.*--target COLUMN"):
        fields.find_target(Records(pa.table({"a": ["x"]}), name="b.csv"))
    with pytest.raises(DataError, match="Several columns could be the target"):
        fields.find_target(Records(pa.table({"label": ["x"], "class": ["x"]})))
    with pytest.raises(DataError, match=r"No column holds text.*--text COLUMN"):
        fields.find_text(Records(pa.table({"a": [1]})), [])
