"""From annotated images to a report, and from new images to boxes."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from tests.data.annotating import fill, voc
from tests.data.drawing import saved

import headwater
from headwater import catalog
from headwater.data.boxes import Boxes
from headwater.data.pictures import Picture
from headwater.doors import outputs
from headwater.errors import DataError, SettingError
from headwater.run import scratch
from headwater.settings import Settings
from headwater.vision import threads
from headwater.vision.detection.task import ObjectDetection
from headwater.vision.detection.usual import UsualBoxes
from headwater.vision.locator import Scenes

TASK = catalog.Task(
    "object-detection", "headwater.vision.detection.task:ObjectDetection", ("Image",), ("Boxes",),
    "Where are which things in an image?", "usual-boxes", "usual-boxes", extra="vision",
)  # fmt: skip
MODEL = catalog.Model(
    "usual-boxes", "object-detection", "headwater.vision.detection.usual:UsualBoxes", "Usual.", "vision"
)
SIZE = (48, 32)


@pytest.fixture(autouse=True)
def _in_the_catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    if TASK.name not in {task.name for task in catalog.TASKS}:
        monkeypatch.setattr(catalog, "TASKS", (*catalog.TASKS, TASK))
    if MODEL.name not in {model.name for model in catalog.MODELS}:
        monkeypatch.setattr(catalog, "MODELS", (*catalog.MODELS, MODEL))


def image(random: np.random.Generator) -> bytes:
    from PIL import Image

    return saved(Image.fromarray(random.integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8)))


def annotated(folder: Path, number: int = 40) -> Path:
    """Cats at the left of noise, and in every second picture a dog at the right."""
    random = np.random.default_rng(0)
    for row in range(number):
        shift = random.integers(0, 3, 4)
        cat = ("cat", *(np.array([2, 4, 20, 28]) + shift).tolist())
        dog = ("dog", *(np.array([28, 8, 44, 24]) - shift).tolist())
        boxes = [cat, dog] if row % 2 else [cat]
        boxes += [("cat", 5, 5, 5, 9)] if row == 3 else []
        fill(folder, {f"JPEGImages/{row:03}.png": image(random), f"Annotations/{row:03}.xml": voc(boxes, size=SIZE)})
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return annotated(tmp_path_factory.mktemp("pets") / "pets")


@pytest.fixture
def adapted(folder: Path, tmp_path: Path) -> Any:
    return headwater.adapt("object-detection", str(folder), model="usual-boxes", to=tmp_path / "run")


def test_a_folder_in_a_run_folder_out(
    adapted: Any, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "headwater"):
        headwater.load(tmp_path / "run").evaluate(str(folder))
    assert "pets: Pascal VOC annotations of 40 images" in caplog.messages
    report = adapted.report
    assert report.primary == "map50"
    assert report.metrics["map50"].value > 0.8
    assert report.rows["test"] == 8
    assert sum(report.rows.values()) == 40
    assert [row["class"] for row in report.per_class] == ["cat", "dog"]
    assert report.quarantine["boxes"]["count"] == 1
    lines = (tmp_path / "run" / "quarantine.jsonl").read_text().splitlines()
    assert [json.loads(line)["reason"] for line in lines] == [
        f"box 3 (cat) of {folder}/JPEGImages/003.png has no area: 5, 5 to 5, 9"
    ]
    assert json.loads(lines[0])["file"] == f"{folder}/Annotations/003.xml"
    assert '<svg class="drawn"' in (tmp_path / "run" / "report.html").read_text()
    assert "1 box was set aside" in str(report)


def test_threads_keep_every_answer_in_its_place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(epochs=1, image_size=64, device="cpu", precision="fp32")
    application = ObjectDetection("yolo", settings, width=4, depth=1).fit(str(folder))
    application.threshold = 0.0
    random = np.random.default_rng(7)
    rows = [image(random) for _ in range(40)]
    rows[5], rows[36] = b"no image", None
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 1)
    alone = application.predict(rows)
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 4)
    shared = application.predict(rows)
    assert (shared.labels, shared.reasons) == (alone.labels, alone.reasons)
    assert [row for row, boxes in enumerate(shared.labels) if boxes is None] == [5, 36]
    assert len({str(boxes) for boxes in shared.labels}) > 30


def test_answers_are_boxes_in_pixels_of_each_picture(adapted: Any, tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    large = np.full((64, 96, 3), 9, np.uint8)
    found = adapted.predict([image(random), None, b"no image", large])
    assert [None if boxes is None else [box["label"] for box in boxes] for boxes in found.labels] == [
        ["cat", "dog"], None, None, ["cat", "dog"]
    ]  # fmt: skip
    assert found.reasons == [None, "the image in column image is missing", "this is no image that can be read", None]
    small, wide = found.labels[0][0], found.labels[3][0]
    assert list(small) == ["label", "score", "left", "top", "right", "bottom"]
    assert wide["right"] == pytest.approx(2 * small["right"], abs=0.02)
    again = headwater.load(tmp_path / "run")
    assert again.predict([large]).labels == found.labels[3:]
    assert again.threshold == adapted.threshold > 0


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_answers_are_written_a_row_an_image(
    adapted: Any, folder: Path, tmp_path: Path, suffix: str, monkeypatch
) -> None:
    monkeypatch.setattr("headwater.transfer.supervised._PART", 7)
    told = outputs.write(outputs.answers(adapted, str(folder / "JPEGImages"), ["image"]), tmp_path / f"a.{suffix}")
    assert told.startswith("40 rows written")
    if suffix == "parquet":
        table = parquet.read_table(tmp_path / "a.parquet")
        assert table.schema.field("prediction").type == adapted.answer_type
        rows = table.to_pylist()
    elif suffix == "jsonl":
        rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    else:
        from pandas import read_csv

        rows = read_csv(tmp_path / "a.csv").to_dict("records")
        rows = [{**row, "prediction": json.loads(row["prediction"])} for row in rows]
    assert rows[0]["image"].endswith("000.png")
    assert rows[0]["prediction"][0]["label"] == "cat"


def test_parts_in_which_nothing_is_found_have_the_type_of_the_others(adapted: Any, folder: Path) -> None:
    adapted.threshold = 2.0
    nothing = adapted.predict(str(folder / "JPEGImages"))
    assert nothing.labels == [[]] * 40
    assert nothing.to_arrow().schema.field("prediction").type == adapted.answer_type


def test_usual_boxes_are_where_they_usually_are(folder: Path) -> None:
    pictures = [Picture(str(path)) for path in sorted((folder / "JPEGImages").iterdir())[:4]]
    place = np.array([[10, 10, 20, 20], [30, 10, 40, 20]], np.float32)
    known = [Boxes(place, np.array([0, 0])), Boxes(place + 2, np.array([0, 0])), Boxes(place[:1], np.array([1]))]
    empty = Boxes(np.empty((0, 4), np.float32), np.empty(0, np.int64))
    with scratch(Settings()) as run:
        model = UsualBoxes().fit(Scenes(pictures, [*known, empty], 3), Scenes([], [], 3), run)
        nothing = UsualBoxes().fit(Scenes([], [], 2), Scenes([], [], 2), run)
    [found] = model.answers(pictures[:1])
    assert found.labels.tolist() == [0, 1]
    assert found.scores is not None
    assert found.scores.tolist() == [1.0, 0.25]
    assert np.allclose(found.places, [[21, 11, 31, 21], [10, 10, 20, 20]])
    assert len(nothing.answers(pictures[:1])[0]) == 0


def test_what_cannot_be_learnt_from_is_refused(folder: Path, tmp_path: Path) -> None:
    images = str(folder / "JPEGImages")
    with pytest.raises(
        DataError, match=r"No COCO, Pascal VOC or YOLO annotation was found\. Got 'images alone'\. Accepted: a \.json"
    ):
        headwater.adapt("object-detection", images, model="usual-boxes")
    rows = {"image": [b"a"] * 4, "boxes": ["[]"] * 4, "objects": ["[]"] * 4}
    with pytest.raises(DataError, match=r"The target column is not clear.*Name it with --target"):
        headwater.adapt("object-detection", rows, model="usual-boxes")
    with pytest.raises(SettingError, match=r"Boxes are one column\. Got \('boxes', 'objects'\)"):
        headwater.adapt("object-detection", rows, model="usual-boxes", target=("boxes", "objects"))
    app = ObjectDetection("usual-boxes").fit(str(folder))
    with pytest.raises(DataError, match=r"No row has both an image and a known target.*Check --image and --target"):
        ObjectDetection("usual-boxes").fit(str(folder), pa.table({"image": ["gone.png"], "objects": ["[]"]}))
    with pytest.raises(DataError, match=r"There is no row to measure on\. Give images with their targets"):
        app.evaluate(pa.table({"image": pa.array([], pa.string()), "objects": pa.array([], pa.string())}))


def test_boxes_that_cannot_be_used_stop_learning_and_measuring(folder: Path) -> None:
    app = ObjectDetection("usual-boxes").fit(str(folder))
    random = np.random.default_rng(1)
    box = {"label": "cat", "left": 2, "top": 4, "right": 20, "bottom": 28}
    rows = {"image": [image(random) for _ in range(10)], "objects": [[box, {**box, "right": 1}]] * 10}
    told = r"10 of 20 boxes \(50\.0 %\) cannot be used, more than 5\.0 %"
    with pytest.raises(DataError, match=told):
        app.evaluate(rows)
    with pytest.raises(DataError, match=r"10 of 10 boxes \(100\.0 %\) cannot be used"):
        headwater.adapt("object-detection", {**rows, "objects": [[{**box, "right": 1}]] * 10}, model="usual-boxes")


def test_rows_of_other_classes_are_set_aside(folder: Path) -> None:
    app = ObjectDetection("usual-boxes").fit(str(folder))
    random = np.random.default_rng(1)
    box = {"label": "cat", "left": 2, "top": 4, "right": 20, "bottom": 28}
    rows = {"image": [image(random) for _ in range(30)], "objects": [[box]] * 29 + [[{**box, "label": "cow"}]]}
    report = app.evaluate(rows)
    assert report.quarantine["count"] == 1
    assert report.quarantine["examples"][0]["reason"] == "the label 'cow' was not in training"
    assert app.marks(app.labelled(headwater.data.reading.read(rows, Settings()))[0]).right.shape == (29,)
