"""Pascal VOC: lists of parts, files and pictures that do not fit, XML that is damaged or made to harm."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from tests.data.annotating import SCENES, as_voc, fill, pictures, voc

from headwater.data.box_field import Located
from headwater.data.reading import read
from headwater.data.voc import RefusedError, read_voc
from headwater.settings import DataSettings

BCCD = Path(os.environ.get("HEADWATER_DATA", Path(__file__).parents[3] / "shared" / "data"), "bccd")
FIELD = Located(("objects",), ("cat", "dog"))
ONE = voc([("cat", 1, 2, 3, 4)])


def test_lists_say_which_pictures_there_are(tmp_path: Path) -> None:
    folder = as_voc(tmp_path)
    fill(folder, {
        "ImageSets/Main/train.txt": "a\n", "ImageSets/Main/trainval.txt": "a\nb 1\n",
        "ImageSets/Main/test.txt": "c\nx\n",
        "ImageSets/Main/cat_train.txt": "d 1\n", "ImageSets/Segmentation/val.txt": "d\n",
    })  # fmt: skip
    records = read(folder, DataSettings())
    assert [path and Path(path).stem for path in records.column("image")] == ["a", "b", "c", None]
    assert records.column("split") == ["train", "train", "test", None]
    assert {row: problem.reason for row, problem in records.problems.items()} == {3: "there is no picture x"}


def test_an_archive_of_annotations_beside_the_pictures(tmp_path: Path) -> None:
    pictures(tmp_path / "JPEGImages")
    for name in ("Annotations.zip", "xml.zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for stem, boxes in SCENES.items():
                archive.writestr(f"{'xml/' if name == 'xml.zip' else ''}{stem}.xml", voc(boxes))
        records = read(tmp_path, DataSettings())
        assert [len(cell) for cell in FIELD.cells(records)] == [2, 0, 1, 2]
        assert records.file(0) == f"{tmp_path}/{name}!/{'xml/' if name == 'xml.zip' else ''}a.xml"
        (tmp_path / name).unlink()


def test_a_picture_without_a_file_has_no_boxes_that_are_known(tmp_path: Path) -> None:
    folder = as_voc(tmp_path)
    (folder / "Annotations" / "a.xml").unlink()
    fill(folder, {"Annotations/e.xml": ONE, "Annotations/f.xml": voc([]).replace("x.png", "a.png")})
    records = read(folder, DataSettings())
    assert [path and Path(path).stem for path in records.column("image")] == ["a", "b", "c", "d", None]
    assert FIELD.cells(records)[0] == []  # the file of another name says that it is of this picture
    assert {row: str(problem) for row, problem in records.problems.items()} == {
        4: f"{folder}/Annotations/e.xml: there is no picture e"
    }
    (folder / "Annotations" / "f.xml").unlink()
    assert FIELD.lacking(read(folder, DataSettings())) == {0: FIELD.lack}


def test_difficult_boxes_and_such_without_a_place() -> None:
    things, size = read_voc(voc([("cat", 1, 2, 3, 4)], difficult=1, size=None).encode())
    assert (things[0]["difficult"], size) == (True, None)
    things, size = read_voc(b"<annotation><size><width>4</width><height>x</height></size><object/>"
                            b"<object><name> dog </name>"
                            b"<bndbox><xmin>1.5</xmin><ymin>x</ymin></bndbox></object></annotation>")  # fmt: skip
    assert size is None
    assert [(one["label"], one["flaw"]) for one in things] == [(None, "has no bndbox"), ("dog", None)]
    assert things[1]["left"] == 1.5


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "this is no XML that can be read"),
        (ONE[:80].encode(), "this is no XML that can be read"),
        (b"<annotations/>", "this is XML of another kind: its root is annotations, not annotation"),
        (b'<!DOCTYPE a [<!ENTITY b "bbbb">]><annotation>&b;</annotation>', "defines a document type or entities"),
        ('<!DOCTYPE a SYSTEM "file:///etc/hosts"><annotation/>'.encode("utf-16"), "defines a document type or"),
        (b"<annotation>" + b" " * (1 << 24), "the file has more than"),
        (b"\x00\xff\xfe<", "this is no XML that can be read"),
    ],
)  # fmt: skip
def test_what_is_no_annotation_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        read_voc(content)


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [("utf-8", True), ("utf-16", True), ("latin-1", True), ("gb18030", True), ("shift_jis", True), ("utf-8-sig", False),
     ("gb18030", False)],
)  # fmt: skip
def test_encodings(encoding: str, declared: bool) -> None:
    label = {"latin-1": "Kätzchen", "shift_jis": "子猫のかわいい写真"}.get(encoding, "一只可爱的小猫在睡觉")
    head = f'<?xml version="1.0" encoding="{encoding}"?>' if declared else ""
    things, _ = read_voc((head + voc([(label, 1, 2, 3, 4)])).encode(encoding))
    assert things[0]["label"] == label


@pytest.mark.skipif(not BCCD.exists(), reason="the data set is not here")
def test_the_two_degenerate_boxes_of_bccd_are_reported() -> None:
    records = read(BCCD, DataSettings())
    flaws = FIELD.flaws(records)
    assert [problem.reason.replace(f"{BCCD}/JPEGImages/", "") for problem in flaws.problems] == [
        "box 13 (RBC) of BloodImage_00338.jpg has no area: 504, 337 to 504, 337",
        "box 4 (RBC) of BloodImage_00343.jpg has no area: 181, 329 to 181, 329",
    ]
    assert (flaws.parts, flaws.clipped, len(records.problems)) == (4888, 0, 0)
    assert Counter(records.column("split")) == {"train": 205, "valid": 87, "test": 72}
    assert Counter(label for cell in FIELD.cells(records) for label in cell) == {
        "RBC": 4153,
        "WBC": 372,
        "Platelets": 361,
    }
