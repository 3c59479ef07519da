"""Images without what is told of them, as they are read to be answered for: labels that are missing stop none."""

import json
import zipfile
from pathlib import Path

import pytest
from tests.data.annotating import SCENES, coco, fill, pictures, voc
from tests.data.drawing import clouds, saved

from headwater.data.reading import read, read_parts
from headwater.errors import DataError
from headwater.settings import DataSettings

PNG = saved(clouds(0))
DOCTYPE = '<!DOCTYPE a [<!ENTITY b "c">]><annotation></annotation>'


def alone(source: Path, rows: int = 8192) -> list[tuple[str, str | None]]:
    """The name of each image, and why it cannot be used."""
    found = []
    for part in read_parts(source, DataSettings(), rows=rows, alone=True):
        reasons = {row: problem.reason for row, problem in part.problems.items()}
        found += [(Path(cell or "").name, reasons.get(row)) for row, cell in enumerate(part.column("image"))]
    return found


def zipped(folder: Path) -> Path:
    archive = folder.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, path.relative_to(folder))
    return archive


LAYOUTS = {
    "a mask is missing, another has no image": (
        {"images/a.png": PNG, "images/b.png": PNG, "masks/a.png": PNG, "masks/c.png": PNG},
        ["a.png", "b.png"],
    ),
    "masks beside": ({"a.png": PNG, "a_mask.png": PNG, "b.png": PNG}, ["a.png", "b.png"]),
    "two images of one stem": ({"images/a.jpg": PNG, "images/a.png": PNG, "masks/a.png": PNG}, ["a.jpg", "a.png"]),
    "broken XML, a document type, XML without an image": (
        {"a.png": PNG, "a.xml": "<annotation>", "b.png": PNG, "b.xml": DOCTYPE, "c.xml": voc(SCENES["a"])},
        ["a.png", "b.png"],
    ),
    "broken labels of YOLO": (
        {"images/a.png": PNG, "labels/a.txt": "0 0.5 0.5 0.1 0.1", "images/b.png": PNG, "labels/b.txt": "0 x"},
        ["a.png", "b.png"],
    ),
    "broken COCO": ({"a.png": PNG, "all.json": '{"images": [{, "annotations"'}, ["a.png"]),
    "notes": ({"a.png": PNG, "b.png": PNG, "notes.txt": "of May", "readme.md": "of May"}, ["a.png", "b.png"]),
    "some in folders, some beside": ({"a.png": PNG, "x/b.png": PNG, "x/y/z/c.png": PNG}, ["a.png", "b.png", "c.png"]),
}


@pytest.mark.parametrize("archived", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_image_is_a_row_whatever_stands_beside_it(layout: str, archived: bool, tmp_path: Path):
    files, expected = LAYOUTS[layout]
    folder = fill(tmp_path / "data", files)
    assert alone(zipped(folder) if archived else folder) == [(name, None) for name in expected]


@pytest.mark.parametrize("archived", [False, True])
def test_folders_of_classes_still_tell_their_labels(archived: bool, tmp_path: Path):
    folder = fill(tmp_path / "data", {f"{label}/{row}.png": PNG for label in "xy" for row in range(2)})
    [part] = read_parts(zipped(folder) if archived else folder, DataSettings(), alone=True)
    assert part.column("label") == ["x", "x", "y", "y"]
    assert part.name == ("data.zip" if archived else "data")


def test_an_archive_in_a_folder_is_read_where_nothing_else_is_there(tmp_path: Path):
    zipped(fill(tmp_path / "data" / "inner", {"a.png": PNG}))
    (tmp_path / "data" / "inner" / "a.png").unlink()
    assert alone(tmp_path / "data") == [("a.png", None)]


def test_a_folder_without_images_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match=r"There is no image in this folder\. Got {'\.txt': 1}"):
        alone(fill(tmp_path, {"a.txt": "text"}))


@pytest.mark.parametrize("rows", [1, 100])
def test_a_file_of_coco_names_the_images_and_no_more(rows: int, tmp_path: Path):
    told = coco()
    told["images"] += [dict(told["images"][0]), {"file_name": "e.png"}, {"id": 9, "file_name": "gone.png"}]
    told["annotations"].append({"image_id": 77, "category_id": 10, "bbox": [1, 1, 2, 2]})
    pictures(tmp_path, [*SCENES, "e"])
    file = tmp_path / "all.json"
    file.write_text(json.dumps(told))
    expected = [(f"{name}.png", None) for name in "abcde"]
    assert alone(file, rows) == [*expected, ("", "there is no such file: gone.png")]
    assert len(read(file, DataSettings()).problems) == 4
