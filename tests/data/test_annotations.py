"""Annotated pictures are found in folders, archives and files, whichever of the formats they are in."""

from __future__ import annotations

import json
import logging
import os
import zipfile
from pathlib import Path

import pytest
from tests.data.annotating import FORMATS, SCENES, as_coco, as_voc, as_yolo, coco, fill, pictures, voc, yolo
from tests.data.drawing import clouds, saved

from headwater.data.box_field import Located
from headwater.data.fields import Image, find_image
from headwater.data.reading import hash_of, read, read_parts
from headwater.data.records import Records
from headwater.errors import DataError
from headwater.settings import DataSettings

FIELD = Located(("objects",), ("cat", "dog"))


def scenes(records: Records) -> dict[str, list[tuple[object, ...]] | None]:
    """What is in each picture, by the stem of its name."""
    found, _ = FIELD.answers(records)
    names = [Path(path or "?").stem for path in records.column("image")]
    return {
        name: None if boxes is None else sorted((FIELD.classes[label], *map(round, place)) for label, place in
                                                zip(boxes.labels.tolist(), boxes.places.tolist(), strict=True))
        for name, boxes in zip(names, found, strict=True)
    }  # fmt: skip


@pytest.mark.parametrize("kind", FORMATS)
def test_each_format_says_the_same(tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    folder = FORMATS[kind](tmp_path / "pets")
    with caplog.at_level(logging.INFO, "headwater"):
        records = read(folder, DataSettings())
    assert caplog.messages == [f"pets: {kind} annotations of 4 images"]
    assert scenes(records) == {name: sorted(boxes) for name, boxes in SCENES.items()}
    assert find_image(records, ["objects"]) == "image"
    assert Image(("image",)).values(records)[1] == {}
    assert FIELD.lacking(records) == {}
    assert "split" not in records.columns


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("wrapped", [False, True])
def test_an_archive_is_read_as_it_lies(tmp_path: Path, kind: str, wrapped: bool) -> None:
    folder = FORMATS[kind](tmp_path / "pets")
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as archive:
        for file in sorted(folder.rglob("*.*")):
            archive.write(file, ("export/" if wrapped else "") + file.relative_to(folder).as_posix())
    records = read(tmp_path / "pets.zip", DataSettings())
    assert scenes(records) == {name: sorted(boxes) for name, boxes in SCENES.items()}


@pytest.mark.parametrize("kind", FORMATS)
def test_parts_are_consecutive_and_paths_relative_to_nothing(tmp_path: Path, kind: str, monkeypatch) -> None:
    FORMATS[kind](tmp_path / "pets")
    monkeypatch.chdir(tmp_path)
    parts = list(read_parts("pets", DataSettings(), rows=3))
    assert [len(part) for part in parts] == [3, 1]
    assert all(os.path.isabs(path) for part in parts for path in part.column("image"))
    assert Image(("image",)).values(parts[1])[1] == {}
    assert {**scenes(parts[0]), **scenes(parts[1])} == {name: sorted(boxes) for name, boxes in SCENES.items()}


@pytest.mark.parametrize("kind", FORMATS)
def test_folders_of_parts_divide_the_rows(tmp_path: Path, kind: str) -> None:
    for part in ("train", "valid", "test"):
        pictures(tmp_path / part / "images", "ab")
        boxes = {name: SCENES[name] for name in "ab"}
        if kind == "COCO":
            fill(tmp_path, {f"{part}/_annotations.coco.json": json.dumps(coco(boxes))})
        elif kind == "YOLO":
            fill(tmp_path, {f"{part}/labels/{name}.txt": yolo(found) for name, found in boxes.items()})
        else:
            fill(tmp_path, {f"{part}/images/{name}.xml": voc(found) for name, found in boxes.items()})
    fill(tmp_path, {"data.yaml": "names: [cat, dog]\ntrain: ../train/images\n"})
    records = read(tmp_path, DataSettings())
    assert sorted(records.column("split")) == ["test", "test", "train", "train", "valid", "valid"]
    for path, part in zip(records.column("image"), records.column("split"), strict=True):
        assert f"/{part}/images/" in path
    assert [len(boxes or ()) for boxes in FIELD.answers(records)[0]].count(2) == 3


@pytest.mark.parametrize(
    "files",
    [
        {"ants/1.png": "", "ants/1.txt": "a note of 1998"},
        {"ants/1.png": "", "ants/notes.xml": "<notes/>", "list.json": '{"images": []}'},
        {
            "a/1.png": "",
            "a/captions.json": '{"images": [], "annotations": [{"caption": "a"}]}',
            "a/.xml": "<annotation/>",
        },
    ],
)
def test_other_files_beside_images_are_no_annotations(tmp_path: Path, files: dict[str, str]) -> None:
    fill(tmp_path, files)
    if "ants/1.txt" in files:
        with pytest.raises(DataError, match=r"This folder holds \.txt files as well as images"):
            read(tmp_path, DataSettings())
    else:
        assert read(tmp_path, DataSettings()).columns == ["image", "label"]


def test_the_hash_is_that_of_the_annotations_too(tmp_path: Path) -> None:
    for make, file, change in (
        (as_voc, "Annotations/a.xml", voc([])), (as_coco, "annotations/instances.json", "{}"),
        (as_yolo, "classes.txt", "x"),
    ):  # fmt: skip
        folder = make(tmp_path / make.__name__)
        before = hash_of(folder)
        fill(folder, {file: change})
        assert hash_of(folder) != before


def test_names_that_are_no_unicode_are_problems(tmp_path: Path) -> None:
    folder = as_voc(tmp_path)
    for place, suffix in (("JPEGImages", "png"), ("Annotations", "xml")):
        (folder / place / f"a.{suffix}").rename(folder / place / f"\udcff.{suffix}")
    records = read(folder, DataSettings())
    assert [problem.reason for problem in records.problems.values()] == ["the name of this file is not valid Unicode"]


def test_a_missing_or_damaged_picture_costs_its_row_alone(tmp_path: Path) -> None:
    for kind, make in FORMATS.items():
        folder = make(tmp_path / kind)
        images = next(path for path in folder.iterdir() if (path / "a.png").exists())
        (images / "a.png").write_bytes(saved(clouds(0))[:60])
        (images / "c.png").unlink()
        records = read(folder, DataSettings())
        told = {**{row: problem.reason for row, problem in records.problems.items()},
                **Image(("image",)).values(records)[1]}  # fmt: skip
        reasons = sorted(told.values())
        lack = {"COCO": "there is no such file: c.png"}.get(kind, "there is no picture c")
        assert reasons == sorted([lack, "the image is damaged"]), kind
        good = {name: boxes for name, boxes in scenes(records).items() if name in "bd"}
        assert good == {"b": [], "d": sorted(SCENES["d"])}, kind
