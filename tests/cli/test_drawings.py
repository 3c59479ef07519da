"""Boxes that are drawn on images, in a folder with a table."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.data.annotating import fill, voc

import headwater
from headwater.data.masks import class_colours
from headwater.data.pictures import Picture
from headwater.data.raster import encode
from headwater.doors import drawings
from headwater.errors import DataError, ResourceError, SettingError
from headwater.vision.detection.drawing import drawn

GREY = np.full((120, 160, 3), 90, np.uint8)
CLASSES = ["cat", "dog"]
BOX = {"label": "dog", "score": 0.875, "left": 40.0, "top": 60.0, "right": 120.0, "bottom": 100.0}


def pixels(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def is_drawn(found, x, y, label=1):
    return np.abs(found[y, x] - class_colours(2)[label]).max() < 40


def test_a_box_is_drawn_where_it_is_in_the_colour_of_its_class():
    found = pixels(drawn(Picture.of(GREY), [BOX], CLASSES))
    assert found.shape == GREY.shape
    for x, y in ((40, 80), (119, 80), (100, 60), (80, 99)):
        assert is_drawn(found, x, y)
    for x, y in ((80, 80), (36, 80), (124, 80), (80, 104)):
        np.testing.assert_allclose(found[y, x], 90, atol=4)
    assert is_drawn(found, 40, 55), "what it is stands above it"
    assert not is_drawn(found, 40, 55, 0)


def test_the_surest_box_lies_on_top():
    other = BOX | {"label": "cat", "score": 0.5}
    found = pixels(drawn(Picture.of(GREY), [BOX, other], CLASSES))
    assert is_drawn(found, 40, 80)


def test_boxes_at_the_edges_are_drawn_within():
    whole = {"label": "cat", "left": 0.0, "top": 0.0, "right": 160.0, "bottom": 120.0}
    thin = {"label": "雪", "left": 159.5, "top": 3.0, "right": 160.0, "bottom": 3.2}
    found = pixels(drawn(Picture.of(GREY), [whole, thin], CLASSES))
    assert is_drawn(found, 0, 60, 0)
    assert is_drawn(found, 159, 60, 0)
    assert is_drawn(found, 80, 119, 0)
    np.testing.assert_allclose(pixels(drawn(Picture.of(GREY[..., 0]), [], CLASSES)), 90, atol=2)


def test_boxes_are_drawn_on_images_as_people_see_them():
    turned = Image.fromarray(GREY)
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    turned.save(stream, "JPEG", exif=exif)
    box = BOX | {"left": 10.0, "right": 60.0, "top": 100.0, "bottom": 150.0}
    found = pixels(drawn(Picture(content=stream.getvalue()), [box], CLASSES))
    assert found.shape == (160, 120, 3)
    assert is_drawn(found, 30, 149)


def test_large_images_are_drawn_smaller():
    found = pixels(drawn(Picture.of(np.full((30, 4096), 90, np.uint8)), [BOX | {"top": 4.0, "right": 4000.0}], CLASSES))
    assert found.shape == (15, 2048, 3)
    assert is_drawn(found, 1999, 8)


def test_an_image_that_is_gone_is_told(tmp_path):
    with pytest.raises(DataError, match="A picture that was there before cannot be read any more"):
        drawn(Picture(str(tmp_path / "gone.png")), [], CLASSES)


@pytest.fixture(scope="module")
def application(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pets") / "pets"
    for row in range(20):
        boxes = [("cat", 2, 4, 20, 28), ("dog", 28, 8, 44, 24)]
        noise = np.random.default_rng(row).integers(0, 255, (32, 48, 3), np.uint8)
        annotation = voc(boxes, size=(48, 32))
        fill(folder, {f"JPEGImages/{row:03}.png": encode(noise), f"Annotations/{row:03}.xml": annotation})
    return headwater.adapt("object-detection", str(folder), model="yolo", epochs=1, device="cpu", width=4, depth=1)


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    for place in ("a", "b"):
        (folder / place).mkdir(parents=True)
        (folder / place / "one.png").write_bytes(encode(GREY))
    (folder / "b" / "torn.png").write_bytes(b"no image")
    return folder


def test_the_folder_has_an_image_for_every_answer(application, images, tmp_path):
    application.threshold = 0.0
    told = drawings.write(application, str(images), tmp_path / "drawn")
    assert told == (
        f"2 images with boxes written to {tmp_path / 'drawn'}, 1 image without one, the first: "
        "row 3, this is no image that can be read"
    )
    assert sorted(file.name for file in (tmp_path / "drawn").iterdir()) == ["manifest.csv", "one-2.jpg", "one.jpg"]
    with (tmp_path / "drawn" / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["row"], Path(row["image"]).parent.name, row["drawn"], row["reason"]) for row in rows] == [
        ("1", "a", "one.jpg", ""), ("2", "b", "one-2.jpg", ""), ("3", "b", "", "this is no image that can be read"),
    ]  # fmt: skip
    wanted = application.predict(str(images)).labels
    assert [json.loads(row["boxes"]) for row in rows[:2]] == wanted[:2]
    assert rows[2]["boxes"] == ""
    assert pixels((tmp_path / "drawn" / "one.jpg").read_bytes()).shape == GREY.shape


def test_drawings_replace_earlier_ones_and_no_files_of_others(application, images, tmp_path):
    for _ in range(2):
        drawings.write(application, [encode(GREY)], tmp_path / "drawn")
    assert (tmp_path / "drawn" / "000001.jpg").is_file()
    with pytest.raises(SettingError, match="This folder holds other files, among which images with boxes would be"):
        drawings.write(application, [encode(GREY)], images)
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="The images with boxes cannot be written to this folder"):
        drawings.write(application, str(images), tmp_path / "file" / "below")


def test_the_command_writes_a_folder_or_a_table(application, images, tmp_path, capsys):
    from typer.main import get_command

    from headwater.cli import app

    application.save(tmp_path / "run")
    shutil.rmtree(images / "b")
    for to in ("drawn", "answers.jsonl"):
        get_command(app)(
            ["predict", str(tmp_path / "run"), str(images), "--to", str(tmp_path / to)], standalone_mode=False
        )
    told = capsys.readouterr().out
    assert "1 images with boxes written to" in told
    assert "1 row written to" in told
    assert (tmp_path / "drawn" / "one.jpg").is_file()
