"""Masks that are written to a folder, and read back as data."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from tests.vision.segmentation.scenes import table

import headwater
from headwater.application import Predictions
from headwater.data.mask_field import Mask
from headwater.data.reading import read
from headwater.doors import masks
from headwater.errors import ResourceError, SettingError
from headwater.settings import Settings
from headwater.vision.segmentation.task import SemanticSegmentation


@pytest.fixture(scope="module")
def application():
    return SemanticSegmentation("unet", Settings(epochs=1, device="cpu"), width=4, depth=1).fit(table(12))


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    for row, content in enumerate(table(4)["image"]):
        place = folder / ("a" if row < 2 else "b")
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{row % 2}.png").write_bytes(content)
    (folder / "b" / "torn.png").write_bytes(b"no image")
    return folder


def test_masks_have_the_names_of_their_images(application, images, tmp_path):
    told = masks.write(application, str(images), tmp_path / "masks")
    assert told == f"4 masks written to {tmp_path / 'masks'}, 1 images without one, the first: " \
                   "row 5, this is no image that can be read"  # fmt: skip
    names = sorted(file.name for file in (tmp_path / "masks").iterdir())
    assert names == ["0-2.png", "0.png", "1-2.png", "1.png", "classes.txt", "manifest.csv"]
    with (tmp_path / "masks" / "manifest.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(Path(row["image"]).parent.name, row["mask"], row["reason"]) for row in rows] == [
        ("a", "0.png", ""), ("a", "1.png", ""), ("b", "0-2.png", ""), ("b", "1-2.png", ""),
        ("b", "", "this is no image that can be read"),
    ]  # fmt: skip
    assert (tmp_path / "masks" / "classes.txt").read_text() == "0 0\n1 1\n2 2\n"


def test_what_was_written_is_read_back_as_masks(application, images, tmp_path):
    masks.write(application, str(images / "a"), tmp_path / "data" / "masks")
    (tmp_path / "data" / "images").symlink_to(images / "a")
    found = read(tmp_path / "data", Settings())
    field = Mask.of(found, "mask", "image", ["no"]).learn([[0, 1, 2]])
    known = [np.asarray(one) for one in field.answers(found)[0]]
    assert [one.shape for one in known] == [(32, 32)] * 2


def test_images_without_a_name_are_numbered(application, tmp_path):
    masks.write(application, table(2)["image"], tmp_path / "masks")
    assert (tmp_path / "masks" / "000002.png").is_file()


def test_masks_replace_earlier_ones_and_no_files_of_others(application, tmp_path):
    for _ in range(2):
        masks.write(application, table(1)["image"], tmp_path / "masks")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("")
    with pytest.raises(SettingError, match="This folder holds other files, among which masks would be lost"):
        masks.write(application, table(1)["image"], tmp_path / "other")
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="The masks cannot be written"):
        masks.write(application, table(1)["image"], tmp_path / "file" / "below")


def test_the_command_writes_a_folder_or_a_table(application, images, tmp_path, capsys):
    from typer.main import get_command

    from headwater.cli import app

    application.save(tmp_path / "run")
    given = [str(tmp_path / "run"), str(images / "a"), "--to"]
    for to in (str(tmp_path / "masks"), str(tmp_path / "answers.jsonl")):
        get_command(app)(["predict", *given, to], standalone_mode=False)
    assert "2 masks written to" in capsys.readouterr().out
    assert (tmp_path / "answers.jsonl").read_text().count('"prediction": "iVBORw0KGgo') == 2
    get_command(app)(["predict", *given[:2]], standalone_mode=False)
    assert "bytes" in capsys.readouterr().out
    assert isinstance(headwater.load(tmp_path / "run").predict(str(images / "a")), Predictions)
