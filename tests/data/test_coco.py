"""COCO: where pictures are looked for, what in a file does not fit, and files that cannot be read at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.data.annotating import SCENES, as_coco, coco, fill, pictures
from tests.data.drawing import clouds, saved

from headwater.data.box_field import Located
from headwater.data.reading import read
from headwater.errors import DataError
from headwater.settings import DataSettings

FIELD = Located(("objects",), ("cat", "dog"))


def written(folder: Path, values: Any, name: str = "boxes.json") -> Path:
    fill(folder, {name: json.dumps(values)})
    return folder / name


def test_a_file_by_itself(tmp_path: Path) -> None:
    folder = as_coco(tmp_path)
    records = read(folder / "annotations" / "instances.json", DataSettings())
    assert [len(cell) for cell in FIELD.cells(records)] == [2, 0, 1, 2]
    assert records.file(0) == f"{folder}/annotations/instances.json"
    pictures(tmp_path / "flat")
    assert len(read(written(tmp_path / "flat", coco()), DataSettings())) == 4


def test_parts_and_folders_of_the_original(tmp_path: Path) -> None:
    for part in ("train2017", "val2017"):
        pictures(tmp_path / part, "ab")
        values = json.dumps(coco({name: SCENES[name] for name in "ab"}))
        fill(tmp_path, {f"annotations/instances_{part}.json": values,
                        f"annotations/person_keypoints_{part}.json": values,
                        f"annotations/captions_{part}.json": '{"images": [], "annotations": [{"caption": ""}]}',
        })  # fmt: skip
    records = read(tmp_path, DataSettings())
    assert records.column("split") == ["train", "train", "valid", "valid"]
    assert [Path(path).parent.name for path in records.column("image")] == ["train2017"] * 2 + ["val2017"] * 2


def test_a_picture_is_found_by_what_it_shares_with_its_name(tmp_path: Path) -> None:
    pictures(tmp_path / "x" / "one", "a")
    pictures(tmp_path / "x" / "two", "a")
    values = coco({"a": []})
    for name, found in (("two/a.png", "x/two/a.png"), ("x\\one\\a.png", "x/one/a.png"),
                        ("./x/two/../one/a.png", "x/one/a.png"),
                        (f"{tmp_path}/x/one/a.png", "x/one/a.png")):  # fmt: skip
        values["images"][0]["file_name"] = name
        written(tmp_path, values)
        assert read(tmp_path, DataSettings()).column("image") == [f"{tmp_path}/{found}"], name


def test_entries_that_do_not_fit_are_told_each_in_its_place(tmp_path: Path) -> None:
    pictures(tmp_path)
    values = coco()
    values["images"] += [
        7,
        {"id": 9},
        {**values["images"][0]},
        {"id": 31, "file_name": "d.png"},
        {"id": 30, "file_name": "z.png"},
    ]
    values["annotations"] += [
        "odd", {"image_id": 77, "bbox": [1, 1, 2, 2], "category_id": 10}, {"image_id": 77},
        {"image_id": 2, "bbox": [1, 1, 2, 2], "category_id": 99}, {"image_id": 2, "bbox": [1, 2, 3], "category_id": 10},
        {"image_id": 2, "bbox": [1, 2, "3", 4], "category_id": 10},
        {"image_id": 2, "bbox": [1, 2, 10**400, 4], "category_id": 10},
        {"image_id": 2, "bbox": [1, 2, 3, 4], "category_id": 10, "iscrowd": 1},
    ]  # fmt: skip
    records = read(written(tmp_path, values), DataSettings())
    assert {row: problem.reason for row, problem in records.problems.items()} == {
        4: "this entry of images has no id and file_name",
        5: "this entry of images has no id and file_name",
        6: "its id 1 is that of another image",
        7: f"{tmp_path}/d.png is annotated a second time",
        8: "there is no such file: z.png",
        9: "1 annotation is of no image",
        10: "2 annotations are of image 77, which is not among the images",
    }
    assert [str(problem).partition(" of ")[0].rpartition("/")[2] for problem in FIELD.flaws(records).problems] == [
        "boxes.json: box 1", "boxes.json: box 2 (cat)", "boxes.json: box 3 (cat)", "boxes.json: box 4 (cat)",
    ]  # fmt: skip
    assert "has the category 99, which is not among the categories" in FIELD.flaws(records).problems[0].reason
    found = FIELD.answers(records)[0][1]
    assert found is not None
    assert found.crowd is not None
    assert found.crowd.tolist() == [True]
    assert found.difficult is None


def test_two_images_of_one_id(tmp_path: Path) -> None:
    pictures(tmp_path)
    values = coco()
    values["images"][3]["id"] = 1
    records = read(written(tmp_path, values), DataSettings())
    assert records.problems[3].reason == "its id 1 is that of another image"


def test_a_category_of_two_names_names_no_box(tmp_path: Path) -> None:
    pictures(tmp_path)
    values = coco()
    values["categories"] += [{"id": 10, "name": "cow"}, {"id": 11, "name": "dog"}]
    records = read(written(tmp_path, values), DataSettings())
    assert {label for cell in FIELD.cells(records) for label in cell} == {"dog"}
    assert FIELD.flaws(records).problems[0].reason.endswith("has the category 10, which has several names: cat, cow")


def test_boxes_with_scores_are_told_to_be_answers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pictures(tmp_path)
    values = coco()
    values["annotations"][1]["score"] = 0.9
    assert len(read(written(tmp_path, values), DataSettings())) == 4
    assert f"{tmp_path}/boxes.json: its boxes have scores, as answers of a model have" in caplog.text


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(coco())[:300], json.dumps(coco()) + "}", '{"images": 3, "annotations": [], "categories": []}',
        '[{"images": [], "bbox": []}]', '{"images": [], "categories": ' + "[" * 5000,
    ],
)  # fmt: skip
def test_a_damaged_file_is_a_clear_error(tmp_path: Path, content: str) -> None:
    pictures(tmp_path)
    fill(tmp_path, {"boxes.json": content})
    for source in (tmp_path, tmp_path / "boxes.json"):
        with pytest.raises(DataError, match=r"The file cannot be read as COCO annotations|This is no valid JSON"):
            read(source, DataSettings())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.png").write_bytes(saved(clouds(0, 48, 32)))
    values = coco({"a": [("一只可爱的小猫在睡觉", 1, 2, 3, 4)]})
    (tmp_path / "boxes.json").write_bytes(json.dumps(values, ensure_ascii=False).encode(encoding))
    assert FIELD.cells(read(tmp_path / "boxes.json", DataSettings())) == [["一只可爱的小猫在睡觉"]]


def test_half_a_character_in_a_label(tmp_path: Path) -> None:
    pictures(tmp_path, "a")
    written(tmp_path, coco({"a": [("\ud83d", 1, 2, 3, 4)]}))
    assert FIELD.cells(read(tmp_path, DataSettings())) == [["?"]]
