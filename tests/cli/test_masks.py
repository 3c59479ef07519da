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
from headwater.doors import answer_folder, masks, outputs
from headwater.doors.answer_folder import Answered
from headwater.errors import DataError, NotFoundError, ResourceError, SettingError
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


def test_the_names_of_images_are_no_column_to_keep(application, images):
    with pytest.raises(NotFoundError, match=r"Got 'masc'\. Accepted: image, label\. Name one of these with --keep"):
        next(outputs.answers(application, str(images), ["masc"]))


def test_masks_have_the_names_of_their_images(application, images, tmp_path):
    told = masks.write(application, str(images), tmp_path / "masks")
    assert told == f"4 masks written to {tmp_path / 'masks'}, 1 image without one, the first: " \
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


def test_a_folder_without_any_answer_is_a_failure(application, tmp_path):
    (tmp_path / "torn.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"No row could be answered\. Got 'row 1, .*manifest\.csv\.$"):
        masks.write(application, str(tmp_path / "torn.png"), tmp_path / "masks")


def test_the_numbers_of_masks_have_names(application):
    assert masks.names_of(application) == {0: 0, 1: 1, 2: 2}


def test_what_was_written_is_read_back_as_masks(application, images, tmp_path):
    masks.write(application, str(images / "a"), tmp_path / "data" / "masks")
    (tmp_path / "data" / "images").symlink_to(images / "a")
    found = read(tmp_path / "data", Settings())
    field = Mask.of(found, "mask", "image")
    field = field.learn(field.cells(found))
    assert set(field.classes) <= {0, 1, 2}
    assert [np.shape(one) for one in field.answers(found)[0]] == [(32, 32)] * 2


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


def test_earlier_masks_that_no_image_has_now_are_gone(application, tmp_path):
    masks.write(application, table(3)["image"], tmp_path / "masks")
    masks.write(application, table(1)["image"], tmp_path / "masks")
    assert sorted(file.name for file in (tmp_path / "masks").iterdir()) == ["000001.png", "classes.txt", "manifest.csv"]


@pytest.mark.parametrize(
    "manifest", ["image,label\nwedding.png,joy\n", "row,image,mask,reason\n1,wedding.png,,none\n", "\xff"]
)
def test_a_table_of_another_kind_makes_no_folder_ours(application, tmp_path, manifest):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "wedding.png").write_bytes(table(1)["image"][0])
    (tmp_path / "photos" / "manifest.csv").write_text(manifest, "latin-1")
    with pytest.raises(SettingError, match="This folder holds other files, among which masks would be lost: "):
        masks.write(application, table(1)["image"], tmp_path / "photos")
    assert (tmp_path / "photos" / "wedding.png").read_bytes() == table(1)["image"][0]


def test_masks_do_not_come_among_their_images(application, images):
    for folder in (images, images / "a", images.parent):
        with pytest.raises(SettingError, match="The masks would stand among the images that they are of"):
            masks.write(application, str(images), folder)
    assert (images / "a" / "0.png").read_bytes() == table(4)["image"][0]


def test_what_an_interrupted_run_left_is_taken_away(application, tmp_path, monkeypatch):
    rows, whole = iter(range(9)), answer_folder.write_whole

    def interrupted(path, content):
        if next(rows) == 1:
            path.with_name(f".{path.name}.99.partial").write_bytes(b"half")
            raise KeyboardInterrupt
        whole(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(answer_folder, "write_whole", interrupted)
        with pytest.raises(KeyboardInterrupt):
            masks.write(application, table(3)["image"], tmp_path / "masks")
    masks.write(application, table(1)["image"], tmp_path / "masks")
    assert sorted(file.name for file in (tmp_path / "masks").iterdir()) == ["000001.png", "classes.txt", "manifest.csv"]


def test_names_are_plain_short_and_no_two_alike():
    names = answer_folder._Names(".png")
    given = [
        "a/frame.jpg",
        "b/frame.png",
        "c/frame-2.png",
        "C:\\d\\Frame.bmp",
        "x/" + "雪" * 120 + ".jpg",
        "",
        "x/..",
        "manifest.csv",
    ]
    found = [names.of(Answered(row, name, None, None, None)) for row, name in enumerate(given)]
    assert found[:4] == ["frame.png", "frame-2.png", "frame-2-2.png", "Frame-3.png"]
    assert found[4] == "雪" * 66 + ".png"
    assert found[5:] == ["000005.png", "000006.png", "manifest.png"]
    assert answer_folder._Names(".csv").of(Answered(1, "manifest.txt", None, None, None)) == "manifest-2.csv"


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
    assert " %" in capsys.readouterr().out
    assert isinstance(headwater.load(tmp_path / "run").predict(str(images / "a")), Predictions)
