"""Found boxes as a file of COCO, and what it is read back as."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.data.annotating import SCENES, coco, fill, pictures

from headwater.data.coco import Numbers, numbers_in
from headwater.data.coco_writing import CocoSheet
from headwater.data.reading import read
from headwater.data.writing import PredictionWriter
from headwater.errors import DataError
from headwater.settings import DataSettings

CATEGORIES = {"cat": 1, "dog": 2}


def rows(*names: str) -> pa.Table:
    listed = [
        {"id": number, "file_name": f"{name}.png", "width": 48, "height": 32, "reason": None, "prediction": [
            {"label": label, "score": 0.5, "left": left, "top": top, "right": right, "bottom": bottom}
            for label, left, top, right, bottom in SCENES[name]
        ]}
        for number, name in enumerate(names, 1)
    ]  # fmt: skip
    return pa.Table.from_pylist(listed)


def written(path: Path, *tables: pa.Table) -> dict[str, Any]:
    with PredictionWriter(path, lambda stored: CocoSheet(stored, CATEGORIES, "a test")) as writer:
        for table in tables:
            writer.write(table)
    return json.loads(path.read_text())


def test_what_is_written_is_read_back_as_the_same_boxes(tmp_path: Path) -> None:
    pictures(tmp_path)
    told = written(tmp_path / "out.coco.json", rows("a", "b"), rows("c", "d").set_column(0, "id", pa.array([3, 4])))
    found = read(tmp_path / "out.coco.json", DataSettings())
    assert found.problems == {}
    assert [[(box["label"], box["left"], box["top"], box["right"], box["bottom"]) for box in cell]
            for cell in found.column("objects")] == list(SCENES.values())  # fmt: skip
    assert [one["id"] for one in told["annotations"]] == list(range(1, 6))
    assert told["annotations"][0] == {
        "id": 1, "image_id": 1, "category_id": 1, "bbox": [4.0, 4.0, 16.0, 16.0], "area": 256.0, "iscrowd": 0,
        "score": 0.5,
    }  # fmt: skip
    assert told["categories"] == [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    assert told["info"] == {"description": "a test"}


def test_an_image_without_an_answer_is_not_one_with_nothing_in_it(tmp_path: Path) -> None:
    torn = {"id": 2, "file_name": "torn.png", "width": None, "height": None, "prediction": None, "reason": "torn"}
    told = written(tmp_path / "out.json", pa.concat_tables([rows("b"), pa.Table.from_pylist([torn])],
                                                           promote_options="permissive"))  # fmt: skip
    assert [one["id"] for one in told["images"]] == [1]
    assert told["unanswered"] == [{"id": 2, "file_name": "torn.png", "reason": "torn"}]


def test_a_box_without_a_score_is_sure(tmp_path: Path) -> None:
    box = {"label": "dog", "score": None, "left": 0.0, "top": 0.0, "right": 1.5, "bottom": 2.0}
    one = {"id": 1, "file_name": "a", "width": 2, "height": 2, "prediction": [box], "reason": None}
    assert written(tmp_path / "out.json", pa.Table.from_pylist([one]))["annotations"][0]["score"] == 1.0


def test_no_image_makes_a_whole_file(tmp_path: Path) -> None:
    told = written(tmp_path / "out.json")
    assert (told["images"], told["annotations"], told["unanswered"]) == ([], [], [])


def test_the_numbers_of_a_file_are_known(tmp_path: Path) -> None:
    pictures(tmp_path)
    damaged = coco()
    damaged["images"] += [{"id": "x", "file_name": "a.png"}, {"id": 9, "file_name": "gone.png"}, {"id": 8}, None]
    damaged["images"] += [{"id": 7, "file_name": "a.png"}]
    damaged["categories"] += [{"id": 5}, {"id": True, "name": "owl"}, 3]
    fill(tmp_path, {"all.json": json.dumps(damaged)})
    found = numbers_in(tmp_path / "all.json")
    paths = [str(tmp_path / f"{name}.png") for name in SCENES]
    assert found == Numbers(
        dict(zip(paths, (1, 2, 3, 4), strict=True)), {path: Path(path).name for path in paths}, {"cat": 10, "dog": 11}
    )
    assert found.of_classes(("cat", "owl", "dog", 3)) == {"cat": 10, "owl": 12, "dog": 11, 3: 13}
    with pytest.raises(DataError, match="This is no valid JSON"):
        numbers_in(fill(tmp_path, {"torn.json": '{"images"'}) / "torn.json")
