"""Boxes that `headwater predict` writes as a file of COCO."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.cli.commands import type_in
from tests.data.annotating import SCENES, coco, fill, pictures, voc

import headwater
from headwater.application import Application
from headwater.data.raster import encode
from headwater.data.reading import read
from headwater.settings import DataSettings

CORNERS = ("left", "top", "right", "bottom")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pets")
    for row in range(20):
        boxes = [("cat", 2, 4, 20, 28), ("dog", 28, 8, 44, 24)]
        noise = np.random.default_rng(row).integers(0, 255, (32, 48, 3), np.uint8)
        annotation = voc(boxes, size=(48, 32))
        fill(folder / "pets", {f"JPEGImages/{row:03}.png": encode(noise), f"Annotations/{row:03}.xml": annotation})
    small = {"model": "yolo", "epochs": 1, "device": "cpu", "width": 4, "depth": 1}
    found: Application = headwater.adapt("object-detection", str(folder / "pets"), **small)
    found.threshold = 0.0  # type: ignore[attr-defined]
    found.save(folder / "run")
    return folder / "run"


def test_a_folder_of_images_is_answered_and_read_back(run: Path, tmp_path: Path) -> None:
    images = pictures(tmp_path / "images")
    (images / "e.png").write_bytes(b"no image")
    result = type_in("predict", run, images, "--to", tmp_path / "out.coco.json")
    assert result.exit_code == 0, result.output
    assert "5 rows written to" in result.stdout
    assert "1 without an answer, the first: row 5, this is no image that can be read" in result.stdout
    told = json.loads((tmp_path / "out.coco.json").read_text())
    assert [(one["id"], one["file_name"], one["width"], one["height"]) for one in told["images"]] == [
        (number, f"{name}.png", 48, 32) for number, name in enumerate(SCENES, 1)
    ]
    assert [one["file_name"] for one in told["unanswered"]] == ["e.png"]
    wanted = headwater.load(run).predict(str(images)).labels[:4]
    assert sum(map(len, wanted)) == len(told["annotations"]) > 0
    found = read(tmp_path / "out.coco.json", DataSettings()).column("objects")
    for known, boxes in zip(wanted, found, strict=True):
        assert [box["label"] for box in boxes] == [box["label"] for box in known]
        places = [[[box[corner] for corner in CORNERS] for box in some] for some in (boxes, known)]
        np.testing.assert_allclose(*places, atol=0.011)


def test_images_of_a_file_of_coco_keep_its_numbers(run: Path, tmp_path: Path) -> None:
    data = coco()
    for one in data["images"]:
        one["id"] += 100
        one["file_name"] = f"photos/{one['file_name']}"
    pictures(tmp_path / "photos")
    fill(tmp_path, {"asked.json": json.dumps(data | {"annotations": []})})
    result = type_in("predict", run, tmp_path / "asked.json", "--to", tmp_path / "out.json")
    assert result.exit_code == 0, result.output
    told = json.loads((tmp_path / "out.json").read_text())
    assert [(one["id"], one["file_name"]) for one in told["images"]] == [
        (one["id"], one["file_name"]) for one in data["images"]
    ]
    assert [(one["id"], one["name"]) for one in told["categories"]] == [(10, "cat"), (11, "dog")]
    assert {one["category_id"] for one in told["annotations"]} <= {10, 11}
    again = type_in("predict", run, tmp_path / "asked.json", "--to", tmp_path / "asked.json")
    assert "The answers would replace the data" in again.stderr


def test_columns_have_no_place_in_it(run: Path, tmp_path: Path) -> None:
    images = pictures(tmp_path / "images")
    result = type_in("predict", run, images, "--to", tmp_path / "out.json", "--keep", "image")
    assert result.exit_code == 2
    assert "--keep: A file of COCO has no place for columns of the data. Got ['image']" in result.stderr
