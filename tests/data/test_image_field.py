"""Cells to pictures: where a path leads, what bytes are, and why a row has no picture."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.data.drawing import clouds, saved

from headwater.data.fields import Image, Text, find_image, from_json, to_json
from headwater.data.pictures import Picture
from headwater.data.reading import read
from headwater.data.records import Problem, Records
from headwater.errors import DataError, NotFoundError
from headwater.settings import DataSettings

PNG = saved(clouds(0))
FIELD = Image(("image",))


def records(**columns: list[Any]) -> Records:
    return Records(pa.table(columns))


def test_bytes_are_pictures():
    values, reasons = FIELD.values(records(image=[PNG, b"no image", None, PNG[:80]]))
    assert values == [Picture(content=PNG), None, None, None]
    assert reasons == {
        1: "this is no image that can be read",
        2: "the image in column image is missing",
        3: "the image is damaged",
    }


def test_cells_of_the_hub_are_pictures(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(PNG)
    cells = [
        {"bytes": PNG, "path": "elsewhere.png"},
        {"bytes": None, "path": str(tmp_path / "a.png")},
        {"bytes": None, "path": None},
        None,
    ]
    values, reasons = FIELD.values(records(image=cells))
    assert values == [Picture(content=PNG), Picture(str(tmp_path / "a.png")), None, None]
    assert reasons == dict.fromkeys((2, 3), "the image in column image is missing")


def test_paths_of_a_manifest_are_relative_to_it(tmp_path: Path, monkeypatch):
    (tmp_path / "data" / "some").mkdir(parents=True)
    (tmp_path / "data" / "some" / "a.png").write_bytes(PNG)
    with zipfile.ZipFile(tmp_path / "data" / "all.zip", "w") as archive:
        archive.writestr("b//c.png", PNG)
    manifest = tmp_path / "data" / "rows.csv"
    manifest.write_text(f"photo,label\nsome/a.png,x\n all.zip!/b//c.png,y\n{tmp_path}/data/some/a.png,x\nb.png,y\n,y\n")
    monkeypatch.chdir(tmp_path)
    values, reasons = Image(("photo",)).values(read("data/rows.csv", DataSettings()))
    paths = ["data/some/a.png", "data/all.zip!/b//c.png", f"{tmp_path}/data/some/a.png"]
    assert values == [*map(Picture, paths), None, None]
    assert reasons == {
        3: "there is no such file: data/b.png",
        4: "the image in column photo is missing",
    }
    monkeypatch.chdir(tmp_path / "data")
    assert Image(("photo",)).values(read("rows.csv", DataSettings()))[0][0] == Picture("some/a.png")


def test_paths_in_memory_are_taken_as_they_are(tmp_path: Path, monkeypatch):
    (tmp_path / "a.png").write_bytes(PNG)
    monkeypatch.chdir(tmp_path)
    given = FIELD.named(read(["a.png", Path("b.png"), None], DataSettings()))
    assert FIELD.values(given) == (
        [Picture("a.png"), None, None],
        {1: "there is no such file: b.png", 2: "the image in column image is missing"},
    )


def test_what_is_no_image_is_said():
    assert FIELD.values(records(image=[3]))[1] == {0: "column image holds int, not an image"}
    assert FIELD.values(records(image=["  "]))[1] == {0: "the image in column image is missing"}
    with pytest.raises(NotFoundError, match="There is no column of this name"):
        FIELD.values(records(photo=["a.png"]))


def test_a_row_that_was_not_read_has_no_second_reason():
    torn = Records(pa.table({"image": [None, PNG]}), {0: Problem("cut off")})
    assert FIELD.values(torn) == ([None, Picture(content=PNG)], {})


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["text"], ["photo"]),
        (["image"], ["photo"]),
        (["image", "label"], ["photo", "label"]),
        (["photo", "image"], ["photo", "image"]),
        (["text", "label"], ["text", "label"]),
        (["other"], ["other"]),
    ],
)
def test_images_take_the_name_of_the_field(given: list[str], named: list[str]):
    assert Image(("photo",)).named(records(**{name: ["a.png"] for name in given})).columns == named


def test_the_field_is_read_back():
    assert from_json(json.loads(json.dumps(to_json(Image(("photo",)))))) == Image(("photo",))
    assert from_json(json.loads(json.dumps(to_json(Text(("image",)))))) == Text(("image",))


@pytest.mark.parametrize(
    "cells",
    [[PNG, None], ["a/b.JPG", None, "c.webp ", "?"], [{"bytes": PNG, "path": None}], [{"path": "a"}]],
    ids=["bytes", "paths", "hub", "paths of the hub"],
)
def test_the_column_of_images_is_found(cells: list[Any]):
    rows = len(cells)
    table = records(number=[*range(rows)], note=["see a.png below"] * rows, photo=cells, label=["b.png"] * rows)
    assert find_image(table, ["label"]) == "photo"


def test_columns_of_images_that_are_none_or_several():
    with pytest.raises(
        DataError, match=r"No column holds images\. Got \['text'\]\. Name the column of images with --image COLUMN"
    ):
        find_image(records(text=["a", "b.png"]), [])
    with pytest.raises(DataError, match=r"Several columns hold images\. Got \['left', 'right'\]\. Name the column"):
        find_image(records(left=["a.png"], right=["b.png"]), [])
    with pytest.raises(DataError, match=r"column names but no rows\. Got \['image'\]\. Give rows below them"):
        find_image(records(image=[]), [])
