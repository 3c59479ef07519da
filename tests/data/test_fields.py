"""Cells to targets and back: what counts as a label, what does not, and why."""

from __future__ import annotations

import datetime
import decimal
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from headwater.data.fields import Category, Labels, Text, find_target, find_text, from_json, tidy, to_json
from headwater.data.records import Problem, Records
from headwater.errors import DataError


def records(**columns: list[Any]) -> Records:
    return Records(pa.table(columns))


@pytest.mark.parametrize(
    ("cell", "label"),
    [
        (datetime.date(2024, 2, 1), "2024-02-01"), (decimal.Decimal("1.50"), "1.50"), (float("nan"), None),
        (2.5, 2.5), (True, True), (None, None), ("\u3000", None),
    ],
)  # fmt: skip
def test_labels_are_what_json_can_hold(cell: Any, label: Any) -> None:
    assert tidy(cell) == label
    assert json.loads(json.dumps(tidy(cell))) == label


def test_a_class_is_known_by_its_text() -> None:
    field = Category(("label",)).learn([1.0, 2, None, "2"])
    targets, reasons = field.encode(["1", 3, None])
    assert targets.tolist() == [0, -1, -1]
    assert reasons == {1: "the label '3' was not in training", 2: "the label is missing"}


def test_numbers_are_classes_in_the_order_of_their_size() -> None:
    assert Category(("label",)).learn([10, 9, 2]).classes == (2, 9, 10)
    assert Category(("label",)).learn(["b", "a", "b"]).classes == ("a", "b")


def test_flags_are_zero_or_one() -> None:
    field = Labels(("a", "b")).learn([])
    cells = field.cells(records(a=["1", "0", "true", "x"], b=["0", "0", None, "1"]))
    assert cells == [["a"], [], None, None]
    targets, reasons = field.encode(cells)
    assert targets.tolist() == [[1, 0], [0, 0], [0, 0], [0, 0]]
    assert reasons == dict.fromkeys((2, 3), "a label column holds neither 0 nor 1")


def test_a_text_is_cut_into_labels() -> None:
    field = Labels(("tags",), separator="|")
    assert field.cells(records(tags=["a| b |", None])) == [["a", "b"], None]
    assert field.learn([["b", "a"], None, []]).classes == ("a", "b")
    assert field.encode([None])[1] == {0: "the labels are missing (write | where none holds)"}


def test_both_texts_of_a_pair_must_be_there() -> None:
    values, reasons = Text(("a", "b")).values(records(a=["x", "x", "x"], b=["y", None, " "]))
    assert values == [("x", "y"), None, None]
    assert reasons == {1: "the text in column b is missing", 2: "the text in column b is empty"}


def test_what_is_no_text_is_said() -> None:
    assert Text(("a",)).values(records(a=[3]))[1] == {0: "column a holds int, not text"}


def test_a_row_that_was_not_read_has_no_second_reason() -> None:
    torn = Records(pa.table({"a": [None, "x"]}), {0: Problem("cut off")})
    assert Text(("a",)).values(torn) == ([None, "x"], {})


def test_a_plain_list_takes_the_names_of_the_field() -> None:
    assert Text(("review",)).named(records(text=["x"])).columns == ["review"]
    assert Text(("review",)).named(records(other=["x"])).columns == ["other"]


@pytest.mark.parametrize("field", [Text(("a", "b")), Category(("y",), (1, 2.5)), Labels(("y",), ("a",), "|")])
def test_fields_are_read_back(field: Any) -> None:
    assert from_json(json.loads(json.dumps(to_json(field)))) == field


def test_decoding_names_classes() -> None:
    assert Category(("y",), ("a", "b")).decode(np.array([[0.4, 0.6]])) == ["b"]
    assert Labels(("y",), ("a", "b")).decode(np.array([[0.5, 0.6], [0.4, 0.1]])) == [["a", "b"], []]


def test_the_usual_names_of_a_target() -> None:
    assert find_target(records(text=["x"], Label=["y"])) == "Label"
    with pytest.raises(DataError, match=r"No column has a usual name of a target. Got \['text'\]. Name the label"):
        find_target(records(text=["x"]))
    with pytest.raises(DataError, match=r"Several columns could be the target. Got \['label', 'class'\]"):
        find_target(records(label=["x"], **{"class": ["y"]}))


def test_the_text_is_the_column_of_most_characters() -> None:
    table = records(id=["a1"], body=["a long text"], label=["a label that is longer than the text"])
    assert find_text(table, ["label"]) == "body"
    with pytest.raises(DataError, match="No column holds text"):
        find_text(records(number=[1], label=["x"]), ["label"])


@pytest.mark.parametrize("image", ["ants/1.jpg", b"GIF89a", {"path": "1.png", "bytes": None}])
def test_paths_and_bytes_of_images_are_no_text(image: object) -> None:
    with pytest.raises(DataError, match=r"Column image holds images, not text\. .*--task image-classification"):
        find_text(records(image=[image], label=["x"]), ["label"])
    assert find_text(records(image=[image], caption=["an ant"]), []) == "caption"


def test_a_table_without_rows_has_no_text() -> None:
    with pytest.raises(DataError, match=r"column names but no rows\. Got \['a'\]\. Give rows below them"):
        find_text(records(a=[]), [])


def test_single_texts_are_no_pairs() -> None:
    with pytest.raises(
        DataError, match=r"A pair of texts is read here.*Accepted: the columns title, body\. Give a file"
    ):
        Text(("title", "body")).named(records(text=["x"]))
