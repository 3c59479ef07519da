"""The user's own files are held apart from the training rows, and every row left out is counted and told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.data.drawing import clouds, saved

from headwater.data.fields import Category, Image, Text, find_image
from headwater.data.preparing import Prepared, prepare
from headwater.data.records import Records
from headwater.errors import DataError
from headwater.settings import Settings

FIELDS = (Text(("text",)), Category(("label",)))


def rows(first: int, last: int) -> list[tuple[str, str]]:
    return [(f"text number {row}", "ab"[row % 2]) for row in range(first, last)]


def table(path: Path, cells: list[tuple[str, str]]) -> str:
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in cells))
    return str(path)


def prepared(tmp_path: Path, **own: Any) -> Prepared:
    names = {name: table(tmp_path / f"{name}.csv", cells) for name, cells in own.items()}
    data = table(tmp_path / "data.csv", rows(0, 40))
    return prepare(data, Settings(**names), lambda _: FIELDS, want_test=True)


def texts(part: Any) -> set[str]:
    return set(part.column("text"))


def test_own_files_are_the_parts(tmp_path: Path) -> None:
    found = prepared(tmp_path, valid=rows(100, 110), test=rows(200, 220))
    assert (len(found.train), len(found.valid), len(found.test)) == (40, 10, 20)
    assert found.findings["split"]["rows"] == {"train": 40, "valid": 10, "test": 20}
    assert found.fields[1].classes == ("a", "b")


def test_no_copy_of_an_own_test_row_is_left_elsewhere(tmp_path: Path) -> None:
    alone = prepared(tmp_path)
    trained, chosen = sorted(texts(alone.train))[:2], sorted(texts(alone.valid))[:1]
    found = prepared(tmp_path, test=[*rows(200, 220), *((text, "a") for text in trained + chosen)])
    assert texts(found.train) & texts(found.test) == set()
    assert texts(found.valid) & texts(found.test) == set()
    assert sum(found.findings["split"]["dropped"].values()) == 3
    assert sum(found.findings["split"]["rows"].values()) == 40 + 20


def test_no_copy_of_a_test_row_is_left_in_an_own_valid_file(tmp_path: Path) -> None:
    found = prepared(tmp_path, valid=[*rows(100, 110), *rows(0, 20)])
    assert found.findings["split"]["dropped"]["valid"] > 0
    assert texts(found.valid) & texts(found.test) == set()
    assert texts(found.train) & texts(found.valid) == set()
    assert len(found.train) > 0


def test_a_test_file_of_training_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data.csv: Every train row is a copy of a test row\. Give test rows that"):
        prepared(tmp_path, test=rows(0, 40))


def test_labels_that_training_lacks_are_told_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"5 of 25 rows \(20.0 %\) cannot be used.*'c' was not in training"):
        prepared(tmp_path, test=[*rows(200, 220), *((f"new {row}", "c") for row in range(5))])


def test_rows_left_out_of_own_files_are_counted(tmp_path: Path) -> None:
    found = prepared(tmp_path, valid=[*rows(100, 120), ("", "a")], test=[*rows(200, 220), ("new", "c")])
    assert (len(found.valid), len(found.test)) == (20, 20)
    reasons = [problem.reason for problem in found.problems]
    assert reasons == ["the text in column text is missing", "the label 'c' was not in training"]
    assert found.problems[1].file == str(tmp_path / "test.csv")
    summary = found.findings["quarantine"]
    assert (summary["count"], summary["share"]) == (2, 2 / 82)


def test_an_own_file_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"No row of the test file can be used\. Give rows with an input"):
        prepared(tmp_path, test=[])


def test_rows_of_memory_are_told_by_their_number(tmp_path: Path) -> None:
    texts_of, labels = zip(*rows(0, 40), strict=True)
    data = {"text": ["", *texts_of[1:]], "label": list(labels)}
    found = prepare(data, Settings(), lambda _: FIELDS, want_test=True)
    assert [(problem.file, problem.line) for problem in found.problems] == [(None, 1)]
    assert str(found.problems[0]) == "row 1: the text in column text is empty"


def test_what_was_found_is_shown(tmp_path: Path) -> None:
    lines = str(prepared(tmp_path)).splitlines()
    assert lines[:3] == ["input    text", "target   label", "classes  2: a 20, b 20"]
    assert lines[4].startswith("split    stratified: ")


def test_where_no_validation_rows_are_wanted_all_but_the_test_rows_train(tmp_path: Path) -> None:
    data = table(tmp_path / "data.csv", rows(0, 40))
    found = prepare(data, Settings(), lambda _: FIELDS, want_test=True, want_valid=False)
    assert (len(found.train), len(found.valid), len(found.test)) == (32, 0, 8)


def test_a_file_of_validation_rows_is_read_even_where_none_would_be_held_out(tmp_path: Path) -> None:
    data, own = table(tmp_path / "data.csv", rows(0, 40)), table(tmp_path / "valid.csv", rows(100, 110))
    found = prepare(data, Settings(valid=own), lambda _: FIELDS, want_test=True, want_valid=False)
    assert len(found.valid) == 10


def test_pictures_are_prepared_as_texts_are(tmp_path: Path) -> None:
    for row in range(40):
        (tmp_path / "ab"[row % 2]).mkdir(exist_ok=True)
        image = clouds(row // 2 if row < 20 else row)
        (tmp_path / "ab"[row % 2] / f"{row}.jpg").write_bytes(saved(image, "JPEG", quality=75 + row % 2 * 20))
    (tmp_path / "a" / "x.png").write_bytes(saved(clouds(99))[:200])

    def find(records: Records) -> tuple[Image, Category]:
        return Image((find_image(records, ["label"]),)), Category(("label",))

    found = prepare(tmp_path, Settings(quarantine_share=0.1), find, want_test=True)
    assert [problem.reason for problem in found.problems] == ["the image is damaged"]
    assert found.problems[0].file == str(tmp_path / "a" / "x.png")
    assert sum(map(len, (found.train, found.valid, found.test))) == 40
    copies = found.findings["split"]["duplicates"]
    assert (copies["clusters"], copies["rows"], copies["conflicts"]) == (10, 20, 10)
    numbers = [
        {int(Path(path).stem) for path in part.column("image")} for part in (found.train, found.valid, found.test)
    ]
    assert all((row in part) == (row + 1 in part) for part in numbers for row in range(0, 20, 2))
    assert "input    image" in str(found)


def test_folders_that_divide_the_rows_are_believed(tmp_path: Path) -> None:
    for row in range(60):
        folder = tmp_path / ("train", "test")[row >= 40] / "ab"[row % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{row}.png").write_bytes(saved(clouds(row), "PNG"))

    def find(records: Records) -> tuple[Image, Category]:
        return Image((find_image(records, ["label", "split"]),)), Category(("label",))

    found = prepare(tmp_path, Settings(), find, want_test=True)
    assert {int(Path(path).stem) for path in found.test.column("image")} == set(range(40, 60))
    assert len(found.train) + len(found.valid) == 40
    assert "split" in found.findings["split"]["rule"]
    shared = prepare(tmp_path, Settings(group="image"), find, want_test=True)
    assert "split" not in shared.findings["split"]["rule"]


def test_a_class_of_one_group_is_warned_of() -> None:
    rows = [{"text": f"text number {row} of all", "label": "rare" if row < 4 else "ab"[row % 2], "who": row // 4}
            for row in range(60)]  # fmt: skip

    def find(records: Records) -> tuple[Text, Category]:
        return Text(("text",)), Category(("label",))

    found = prepare(rows, Settings(group="who"), find, want_test=True)
    assert "warning  Class rare occurs in one group of column who only" in str(found)
    assert found.findings["audit"]["warnings"][-1].startswith("Class rare occurs")
