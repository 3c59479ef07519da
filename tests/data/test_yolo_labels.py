"""YOLO: shares become pixels, classes get their names, and lines that do not fit are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.data.annotating import SCENES, as_yolo, fill, pictures, yolo

from headwater.data.box_field import Located
from headwater.data.reading import read
from headwater.data.yolo_labels import read_labels
from headwater.errors import DataError
from headwater.settings import DataSettings

FIELD = Located(("objects",), ("cat", "dog"))


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ({"data.yaml": "names:\n  0: cat\n  1: dog\n"}, ["cat", "dog"]),
        ({"data.yaml": "names: [cat, dog]"}, ["cat", "dog"]),
        ({"labels/classes.txt": "cat\ndog\n\n"}, ["cat", "dog"]),
        ({"obj.names": "\ufeffcat\ndog"}, ["cat", "dog"]),
        ({"other.yaml": "a: 3"}, ["0", "1"]),
        ({}, ["0", "1"]),
    ],
)
def test_where_the_names_of_classes_are(tmp_path: Path, files: dict[str, str], names: list[str]) -> None:
    folder = fill(as_yolo(tmp_path), files)
    (folder / "classes.txt").unlink()
    assert FIELD.cells(read(folder, DataSettings()))[0] == names


def test_a_damaged_file_of_names_is_a_clear_error(tmp_path: Path) -> None:
    folder = fill(as_yolo(tmp_path), {"data.yaml": "names: [cat, dog\nx"})
    (folder / "classes.txt").unlink()
    with pytest.raises(DataError, match="These names of classes are no YAML that can be read"):
        read(folder, DataSettings())


def test_labels_beside_their_pictures_and_pictures_without(tmp_path: Path) -> None:
    pictures(tmp_path)
    fill(tmp_path, {f"{name}.txt": yolo(SCENES[name]) for name in "acd"})
    assert [len(cell) for cell in FIELD.cells(read(tmp_path, DataSettings()))] == [2, 0, 1, 2]
    pictures(tmp_path / "more", "a")
    records = read(tmp_path, DataSettings())
    assert FIELD.lacking(records) == {4: FIELD.lack}  # nobody has looked into that folder


def test_labels_without_a_picture(tmp_path: Path) -> None:
    folder = fill(
        as_yolo(tmp_path), {"labels/z.txt": yolo(SCENES["a"]), "labels/y/z.txt": "", "train.txt": "images/a.png"}
    )
    records = read(folder, DataSettings())
    assert {row: str(problem) for row, problem in records.problems.items()} == {
        4: f"{folder}/labels/z.txt: there is no picture z"
    }


def test_lines_that_are_no_boxes() -> None:
    lines = b"0 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.2\n7 0.5 0.5 0.2 0.2\n0 0.5 x 0.2 0.2\n\n-1 0.5 0.5 1 1\n0.5 0 0 1 1\n"
    lines += b"0 nan 0 1 1"
    things = read_labels(lines, (100, 100), {0: "cat", 1: "dog"})
    assert isinstance(things, list)
    assert [one["flaw"] for one in things] == [
        None,
        "(line 2) holds 4 numbers, where a class and four shares are needed",
        "(line 3) has the class 7, which has no name",
        "(line 4) holds words that are no numbers, where a class and four shares are needed",
        "(line 6) has the class -1, which has no name",
        "(line 7) has the class 0.5, which has no name",
        "(line 8) holds words that are no numbers, where a class and four shares are needed",
    ]
    assert read_labels(b"some words here", (9, 9), {}) == (
        "no line of the file of labels is a box: (line 1) holds words that are no numbers, "
        "where a class and four shares are needed"
    )  # fmt: skip
    assert read_labels(b"\0\0\1", (9, 9), {}) == "the file of labels is no text"
    assert read_labels(b"", (9, 9), {}) == []
    assert read_labels(b" " * (1 << 24) + b"1", (9, 9), {}) == "the file has more than 16,777,216 bytes"


def test_scores_and_outlines() -> None:
    things = read_labels(b"0 0.5 0.5 0.2 0.4 0.99\n0 0.1 0.2 0.5 0.1 0.3 0.6\n", (100, 10), {})
    assert isinstance(things, list)
    places = [[round(one[edge], 6) for edge in ("left", "top", "right", "bottom")] for one in things]
    assert places == [[40, 3, 60, 7], [10, 1, 50, 6]]
