"""The audit says what is in the data and what is odd about it."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from tests.data.drawing import clouds, picture

from headwater.data.audit import audit
from headwater.data.reading import read
from headwater.data.records import Records
from headwater.settings import DataSettings


def _audit(texts: list[Any], labels: list[Any], **columns: list[Any]) -> dict[str, Any]:
    return audit(Records(pa.table({"label": labels, **columns})), texts, labels)


def _texts(rows: int) -> list[str]:
    return [f"some words on subject {row}" for row in range(rows)]


def test_sizes_and_classes():
    found = _audit(["one two", None, "three", "one, two"], ["a", "b", None, "c"])
    assert (found["rows"], found["empty"], found["unlabelled"]) == (4, 1, 1)
    assert found["classes"] == {"a": 1, "b": 1, "c": 1}
    assert found["lengths"]["words"] == {"0": 1, "5": 1, "25": 2, "50": 2, "75": 2, "95": 2, "100": 2}
    assert (found["duplicates"]["clusters"], found["duplicates"]["conflicts"]) == (1, 1)
    assert json.loads(json.dumps(found)) == found


def test_columns_are_told_with_their_types():
    found = _audit(["x", "y"], ["a", "b"], tags=[["p"], ["q"]], price=[1.5, None])
    assert found["columns"][1:] == [
        {"name": "tags", "type": "list<item: string>", "empty": 0, "distinct": None},
        {"name": "price", "type": "double", "empty": 1, "distinct": 1},
    ]


@pytest.mark.parametrize(
    ("text", "scripts"),
    [
        ("很好 ok", {"Han": 0.5, "Latin": 0.5}),
        ("хорошо", {"Cyrillic": 1.0}),
        ("جيد", {"Arabic": 1.0}),
        ("123 😀", {}),
    ],
)
def test_scripts_are_shares_of_the_letters(text: str, scripts: dict[str, float]):
    assert _audit([text], ["a"])["scripts"] == scripts


def test_no_rows():
    assert _audit([], [])["lengths"] == {"words": {}, "characters": {}}


def test_clean_data_has_no_warnings():
    assert _audit(_texts(40), ["yes", "no", "no", "yes"] * 10)["warnings"] == []


def test_pairs_and_several_labels():
    found = _audit([("a b", "c"), ("d", "e")], [["x", "y"], []])
    assert found["classes"] == {"x": 1, "y": 1}
    assert found["lengths"]["characters"]["100"] == 5


def test_a_column_that_numbers_the_rows_is_named():
    found = _audit(_texts(40), ["yes", "no", "no", "yes"] * 10, number=list(range(40)))
    assert found["warnings"] == ["Column number numbers the rows: it tells nothing of new ones."]


def test_columns_that_say_the_label_are_named():
    found = _audit(_texts(40), ["yes", "no", "no", "yes"] * 10, code=[1, 0, 0, 1] * 10, other=[1, 0] * 20)
    assert found["warnings"] == ["Columns label, code say the same as the label: none of them may be an input."]


def test_texts_that_contain_their_label_are_told():
    labels = ["sport", "world", "world", "sport"] * 10
    found = _audit([f"[{label}] {text}" for label, text in zip(labels, _texts(40), strict=True)], labels)
    assert found["warnings"] == ["100% of the texts contain their own label: a model may only learn to find it."]


def test_labels_without_letters_are_not_looked_for():
    assert _audit([f"1 of {row}" for row in range(4)], ["1", "0", "0", "1"])["warnings"] == []


def test_files_in_folders_of_classes_are_not_told_to_be_sorted(tmp_path):
    for row in range(40):
        (tmp_path / f"{row // 20}").mkdir(exist_ok=True)
        (tmp_path / f"{row // 20}" / f"{row}.txt").write_text(f"text number {row * 7919}")
    records = read(tmp_path, DataSettings())
    assert audit(records, records.column("text"), records.column("label"))["warnings"] == []


def test_rows_sorted_by_label_are_told():
    assert "sorted by their label" in _audit(_texts(40), ["yes"] * 20 + ["no"] * 20)["warnings"][0]


def test_neighbours_that_share_several_labels_are_not_called_sorted():
    frames = [["road", "sky"]] * 20 + [["road", "car", "sky"]] * 20
    assert not any("sorted" in warning for warning in _audit(_texts(40), frames)["warnings"])


def _of_pictures(pictures: list[Any], labels: list[Any], **columns: list[Any]) -> dict[str, Any]:
    return audit(Records(pa.table({"label": labels, **columns})), pictures, labels)


def test_pictures_are_told_by_size_colour_and_format():
    images = [clouds(seed, 30 + seed, 20) for seed in range(3)]
    pictures = [
        picture(images[0]),
        None,
        picture(images[1], "JPEG"),
        picture(images[2].convert("L")),
        picture(images[0]),
    ]
    found = _of_pictures(pictures, ["a", "b", "a", "b", "b"])
    assert (found["rows"], found["empty"], found["classes"]) == (5, 1, {"b": 3, "a": 2})
    assert found["lengths"] == {
        "width": {"0": 30, "5": 30, "25": 30, "50": 30, "75": 31, "95": 32, "100": 32},
        "height": dict.fromkeys(("0", "5", "25", "50", "75", "95", "100"), 20),
    }
    assert (found["scripts"], found["pictures"]) == ({}, {"grey": 0.25, "formats": {"PNG": 3, "JPEG": 1}})
    assert (found["duplicates"]["clusters"], found["duplicates"]["conflicts"], found["warnings"]) == (1, 1, [])
    assert found["duplicates"]["conflict_examples"][0][0]["text"].startswith("an image of")
    assert json.loads(json.dumps(found)) == found


def test_columns_of_images_number_no_rows():
    labels = ["yes", "no", "no", "yes"] * 10
    pictures = [picture(clouds(seed % 3)) for seed in range(40)]
    paths = [f"{row}.png" for row in range(40)]
    contents = [one.content for one in pictures]
    stored = [{"bytes": content, "path": None} for content in contents]
    found = _of_pictures(pictures, labels, path=paths, content=contents, stored=stored, code=paths[::-1])
    assert found["warnings"] == []
    assert [column["distinct"] for column in found["columns"]] == [2, 40, 3, None, 40]
    table = pa.table({"image": pa.array(contents, pa.large_binary())})
    assert audit(Records(table), pictures, labels)["columns"][0]["distinct"] is None
