"""Semantic segmentation from data to report and masks."""

from __future__ import annotations

import io
import json
import tracemalloc

import numpy as np
import pytest
from PIL import Image
from tests.vision.segmentation.scenes import drawn, table

import headwater
from headwater.data.image_field import Image as ImageField
from headwater.data.mask_field import Mask
from headwater.data.pictures import look
from headwater.data.raster import encode
from headwater.errors import DataError, SettingError
from headwater.settings import Settings
from headwater.vision import threads
from headwater.vision.segmentation.task import SemanticSegmentation

FAST = {
    "epochs": 3,
    "batch_size": 8,
    "device": "cpu",
    "precision": "fp32",
    "learning_rate": 0.01,
    "image_augment": "light",
}


def application(**settings):
    return SemanticSegmentation("unet", Settings(**{**FAST, **settings}), width=8, depth=2)


@pytest.fixture(scope="module")
def fitted():
    return application(epochs=6).fit(table(40))


def folder_of(tmp_path, rows=24):
    for kind in ("images", "masks"):
        (tmp_path / "data" / kind).mkdir(parents=True)
        for row, content in enumerate(table(rows)[kind.removesuffix("s")]):
            (tmp_path / "data" / kind / f"{row:02}.png").write_bytes(content)
    (tmp_path / "data" / "classes.txt").write_text("ground\nsquare\nbar\n")
    return tmp_path / "data"


def pixels(answer):
    return np.asarray(Image.open(io.BytesIO(answer)))


def test_masks_are_found_and_measured(fitted):
    report = fitted.evaluate(table(20, seed=1))
    assert report.primary == "mean_iou"
    assert report.score.value > 0.7
    assert set(report.baselines) == {"mean map", "majority"}
    assert report.gain["real"]
    assert [row["class"] for row in report.per_class] == [0, 1, 2]
    assert len(report.pictures["rows"]) == 9
    assert json.loads(report.to_json())["pictures"]["legend"][0]["class"] == 0
    assert report.rows == {"test": 20}
    assert report.notes == []


def test_threads_keep_every_answer_in_its_place(fitted, monkeypatch):
    rows = table(40, seed=3)["image"]
    rows[5], rows[36] = b"no image", None
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 1)
    alone = fitted.predict({"image": rows})
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 4)
    shared = fitted.predict({"image": rows})
    assert (shared.labels, shared.reasons) == (alone.labels, alone.reasons)
    assert [row for row, answer in enumerate(shared.labels) if answer is None] == [5, 36]
    assert len(set(shared.labels)) > 30


def test_images_are_answered_for_without_masks_of_theirs(fitted, tmp_path):
    folder = folder_of(tmp_path, rows=3)
    (folder / "masks" / "00.png").unlink()
    (folder / "masks" / "01.png").write_bytes(b"broken")
    (folder / "masks" / "other.png").write_bytes((folder / "masks" / "02.png").read_bytes())
    found = fitted.predict(folder)
    assert found.reasons == [None, None, None]
    assert all(found.labels)


def test_an_answer_is_an_indexed_png_of_the_images_size(fitted):
    images = [*table(2)["image"], None, b"no image", encode(np.zeros((9, 70, 3), np.uint8))]
    found = fitted.predict(images)
    assert [None if one is None else pixels(one).shape for one in found.labels] == [
        (32, 32),
        (32, 32),
        None,
        None,
        (9, 70),
    ]
    assert found.reasons[2:4] == ["the image in column image is missing", "this is no image that can be read"]
    assert set(np.unique(pixels(found.labels[0]))) <= {0, 1, 2}
    assert (pixels(found.labels[0]) == drawn(2)[1][0]).mean() > 0.85
    assert found.to_arrow().column("prediction").type == "binary"


def test_it_is_the_same_when_it_is_read_back(fitted, tmp_path):
    fitted.save(tmp_path / "run")
    again = headwater.load(tmp_path / "run")
    images = table(3, seed=2)["image"]
    assert again.predict(images).labels == fitted.predict(images).labels
    assert again.evaluate(table(5)).metrics == fitted.evaluate(table(5)).metrics


def test_marks_are_the_overlaps_of_pictures(fitted):
    from headwater.data.reading import read

    marks = fitted.marks(read(table(6, seed=3), fitted.settings))
    assert marks.right.shape == (6,)
    assert 0.5 < marks.right.min() <= marks.right.max() <= 1


def test_classes_that_training_never_saw_are_void_and_told(fitted):
    given = table(4, seed=4)
    strange = pixels(given["mask"][0]).copy()
    strange[10:14, 10:14] = 9
    given["mask"][0] = encode(strange)
    report = fitted.evaluate(given)
    assert report.notes == [
        "16 test pixels are of a class that no training row has (9): they count as void."
    ]  # fmt: skip
    bare = {"image": table(1)["image"], "mask": [encode(np.zeros((32, 32), np.uint8))]}
    assert fitted.evaluate(bare).notes == ["No test pixel is of the class 1, 2: means leave them out."]


def test_a_folder_is_learnt_and_bad_masks_are_set_aside(tmp_path):
    folder = folder_of(tmp_path)
    (folder / "masks" / "03.png").write_bytes(b"no mask")
    (folder / "masks" / "05.png").write_bytes(encode(np.zeros((5, 5), np.uint8)))
    (folder / "masks" / "07.png").unlink()
    made = headwater.adapt(
        "semantic-segmentation", str(folder), model="fcn", to=str(tmp_path / "run"), quarantine_share=0.5,
        width=4, **FAST,
    )  # fmt: skip
    assert made.target.classes == ("ground", "square", "bar")
    reasons = [json.loads(line)["reason"] for line in (tmp_path / "run" / "quarantine.jsonl").read_text().splitlines()]
    assert sorted(reasons) == [
        "the mask has 5 x 5 pixels, and its picture 32 x 32 as a person sees it",
        "this is no mask that can be read",
        "this picture has no mask of its name",
    ]
    assert {"report.html", "report.json", "README.md"} <= {file.name for file in (tmp_path / "run").iterdir()}


@pytest.mark.parametrize("number", [3, 4])
def test_settings_that_do_not_fit_are_refused(number):
    given = table(6)
    with pytest.raises(SettingError, match="A mask is one column"):
        application(target=("image", "mask")).fit(given)
    with pytest.raises(SettingError, match="label_separator has a part only with tasks of the field Category"):
        application(label_separator="|").fit(given)
    with pytest.raises(DataError, match="There is no target column"):
        application().fit({"image": given["image"], "other": [number] * 6})


def test_folders_of_classes_are_no_masks(tmp_path):
    for row, content in enumerate(table(6)["image"]):
        (tmp_path / "xy"[row % 2]).mkdir(exist_ok=True)
        (tmp_path / "xy"[row % 2] / f"{row}.png").write_bytes(content)
    with pytest.raises(DataError, match=r"No mask of these images was found\. Got 'images in folders'\. .*1_mask\.png"):
        headwater.adapt("semantic-segmentation", tmp_path, model="unet")


def test_what_is_void_can_be_said():
    made = application(mask_void=("2", "255"), epochs=1).fit(table(12))
    assert made.target.classes == (0, 1)
    assert made.target.void == ("2", "255")


class Noisy:
    """Stands for a model whose answers cannot be made smaller, and counts how many it gave at once."""

    def __init__(self):
        self.counts = []

    def answers(self, inputs):
        self.counts.append(len(inputs))
        random = np.random.default_rng(0)
        return [random.integers(0, 200, (one.height, one.width)).astype(np.int16) for one in look(inputs)]


@pytest.fixture
def large():
    """An application of 200 classes, and 48 rows of images of 300 by 400 pixels, one of which is none."""
    app = application()
    app.field, app.locator = ImageField(("image",)), Noisy()
    app.target = Mask(("mask",), "image", tuple(range(200)))
    images = [encode(np.full((300, 400), shade, np.uint8)) for shade in range(48)]
    images[5] = b"no image"
    return app, {"image": images}


def test_the_answers_that_are_held_at_once_are_bounded_by_their_bytes(large, monkeypatch):
    app, rows = large
    monkeypatch.setattr("headwater.vision.locating._BYTES", 1_500_000)
    list(app.parts(rows))  # what is read once, such as Pillow's own tables, is no answer
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        sizes = [len(predictions) for _, predictions in app.parts(rows)]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sizes == [4, 5, *[4] * 9, 3]  # of 360,000 bytes each
    whole = 48 * 300 * 400
    assert peak - before < 0.8 * whole < 3 * whole, "less than the masks of all, and far less than their class maps"
    assert max(app.locator.counts) == 4


def test_parts_answer_every_row_in_its_place(large, monkeypatch):
    app, rows = large
    rows = {"image": rows["image"][:12]}
    whole = app.predict(rows)
    monkeypatch.setattr("headwater.vision.locating._BYTES", 1)
    parts = list(app.parts(rows))
    assert [len(records) for records, _ in parts] == [1] * 12
    assert [row for records, _ in parts for row in records.column("image")] == rows["image"]
    found = [reason for _, predictions in parts for reason in predictions.reasons]
    assert found == whole.reasons == [*[None] * 5, "this is no image that can be read", *[None] * 6]
    assert [label is None for _, one in parts for label in one.labels] == [reason is not None for reason in found]
    assert [len(one) for _, one in app.parts({"image": []})] == [0]
