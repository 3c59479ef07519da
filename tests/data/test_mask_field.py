"""Cells to class maps: what a class is called, what is void, and why a row has no mask."""

from __future__ import annotations

import json
import logging
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image, ImageOps
from tests.data.drawing import clouds, saved

from headwater.data.fields import from_json, lacking, to_json
from headwater.data.mask_field import Mask
from headwater.data.masks import mask_glance
from headwater.data.pictures import Picture
from headwater.data.preparing import Prepared, prepare
from headwater.data.reading import read
from headwater.data.records import Records
from headwater.errors import DataError, SettingError
from headwater.settings import DataSettings, Settings
from headwater.vision.segmentation.task import SemanticSegmentation

PICTURE = saved(clouds(0, 3, 1))


def drawn(*codes: Any) -> bytes:
    """The bytes of a mask of one row of pixels."""
    return saved(Image.fromarray(np.array([codes], np.uint8)))


def records(*masks: Any, images: list[Any] | None = None) -> Records:
    return Records(pa.table({"image": images or [PICTURE] * len(masks), "mask": list(masks)}))


def learnt(*masks: Any, void: list[str] | None = None, names: dict[str, str] | None = None) -> Mask:
    given = records(*masks)
    field = Mask.of(given, "mask", "image", void)
    field = field if names is None else Mask(field.columns, field.image, void=field.void, names=names)
    return field.learn(field.cells(given))


def maps(field: Mask, *masks: Any) -> list[Any]:
    return [None if one is None else np.asarray(one)[0].tolist() for one in field.answers(records(*masks))[0]]


def test_classes_are_those_of_the_masks_by_number():
    field = learnt(drawn(9, 2, 2), drawn(0, 0, 9))
    assert field.classes == (0, 2, 9)
    assert field.cells(records(drawn(9, 2, 2), None)) == [[2, 9], None]
    assert maps(field, drawn(9, 2, 0)) == [[2, 1, 0]]
    assert [field.code(name) for name in field.classes] == [0, 2, 9]


def test_names_are_those_of_the_file_beside_the_masks(tmp_path: Path, caplog):
    (tmp_path / "masks").mkdir()
    for name, content in {"a.png": drawn(0, 1, 2), "b.png": drawn(1, 1, 2)}.items():
        (tmp_path / "masks" / name).write_bytes(content)
        (tmp_path / name).write_bytes(PICTURE)
    (tmp_path / "classes.txt").write_text("sky\nroad\nvoid\ntree\n")
    (tmp_path / "rows.csv").write_text("image,mask\na.png,masks/a.png\nb.png,masks/b.png\n")
    given = read(tmp_path / "rows.csv", DataSettings())
    with caplog.at_level(logging.INFO, "headwater"):
        field = Mask.of(given, "mask", "image")
    assert caplog.messages == [f"class names from {tmp_path}/classes.txt"]
    field = field.learn(field.cells(given))
    assert (field.classes, field.void) == (("sky", "road"), ("2",))
    assert [np.asarray(one)[0].tolist() for one in field.answers(given)[0]] == [[0, 1, -1], [1, 1, -1]]


def test_two_colours_may_be_one_class():
    image = saved(Image.fromarray(np.array([[[1, 2, 3], [3, 2, 1], [0, 0, 0]]], np.uint8)))
    field = learnt(image, names={"#010203": "car", "#030201": "car", "0": "road"})
    assert field.classes == ("road", "car")
    assert maps(field, image) == [[1, 1, 0]]
    assert field.encode([["car"], ["bus", "road"]]) == ([[1], [0]], {})


def test_a_class_may_be_called_by_the_number_of_another():
    field = learnt(drawn(0, 1, 1), names={"1": "2"})
    assert field.classes == (0, "2")
    assert maps(field, drawn(1, 1, 2)) == [[1, 1, -1]]
    assert maps(learnt(drawn(1, 2, 2), names={"1": "2"}), drawn(2, 1, 1)) == [[1, 0, 0]]


@pytest.mark.parametrize(
    ("masks", "asked", "void"),
    [
        ([drawn(0, 1, 255)], None, ("255",)),
        ([drawn(0, 255, 255)], None, ()),
        ([drawn(0, 0, 1), drawn(0, 0, 0)], None, ()),
        ([drawn([255] * 3, [255, 0, 0], [0, 0, 255])], None, ()),
        ([drawn(0, 1, 255)], ["no"], ()),
        ([drawn(0, 255, 255)] * 60 + [drawn(1, 0, 255)], None, ()),
        ([drawn(0, 0, 255)] * 60 + [drawn(1, 0, 255)], None, ("255",)),
        ([drawn(0, 255, 255)] * 60 + [drawn(*range(code, code + 3)) for code in range(1, 180, 3)], None, ()),
        ([drawn(0, 1, 11)], ["11", "1"], ("1", "11")),
        ([drawn([255] * 3, [255, 0, 0], [0, 0, 255])], ["#FF0000"], ("#ff0000",)),
    ],
)
def test_what_is_void(masks: list[bytes], asked: list[str] | None, void: tuple[str, ...]):
    assert Mask.of(records(*masks), "mask", "image", asked).void == void


def test_training_masks_alone_tell_what_is_void(caplog):
    binary, marked = records(*[drawn(0, 255, 255)] * 3), records(*[drawn(0, 1, 255)] * 9)
    both = records(*[drawn(0, 255, 255)] * 3, *[drawn(0, 1, 255)] * 9)
    with caplog.at_level(logging.INFO, "headwater"):
        field = Mask.of(both, "mask", "image")
        assert [field.void, field.settled(binary).void, field.settled(marked).void] == [("255",), (), ("255",)]
        asked = Mask.of(both, "mask", "image", ["1"])
        assert asked.settled(binary).void == asked.settled(marked).void == ("1",)
    assert caplog.messages == [
        "taken for void: 255, 33 % of the pixels of the training masks",
        "taken for void: 1, 33 % of the pixels of the training masks",
    ]


def prepared(train: list[bytes], test: list[bytes]) -> Prepared:
    """Rows of which a column says what is trained with; every image is another."""
    masks = [*train, *train, *test]
    split = ["train"] * len(train) + ["valid"] * len(train) + ["test"] * len(test)
    images = [saved(clouds(row, 3, 1)) for row in range(len(masks))]
    source = pa.table({"image": images, "mask": masks, "part": split})
    settings = Settings(split="part", quarantine_share=0.5)
    return prepare(source, settings, SemanticSegmentation("unet", settings).find_fields, want_test=True)


def test_test_masks_do_not_decide_what_the_classes_are():
    found = prepared([drawn(0, 255, 255)] * 60 + [drawn(0, 1, 255)], [drawn(0, 1, 1)] * 40)
    assert (found.fields[1].void, found.fields[1].classes) == ((), (0, 1, 255))
    assert found.findings["audit"]["classes"] == {"0": 162, "255": 122, "1": 42}


def test_rows_that_training_masks_tell_to_be_void_are_set_aside():
    train = [drawn(0, 1, 255)] * 2 + [drawn(255, 255, 255)]
    found = prepared(train, [drawn(0, 255, 255)] * 400)
    assert (found.fields[1].void, found.fields[1].classes) == (("255",), (0, 1))
    assert found.findings["audit"]["classes"] == {"0": 404, "1": 4}
    assert [len(part) for part in (found.train, found.valid, found.test)] == [2, 2, 400]
    assert [problem.reason for problem in found.problems] == ["the mask has no class, only void"] * 2
    assert found.findings["quarantine"]["count"] == 2
    assert found.findings["audit"]["rows"] == 404


def test_void_may_be_said_by_its_name(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(drawn(0, 1, 1))
    (tmp_path / "classes.txt").write_text("sky\nroad")
    given = records(str(tmp_path / "a.png"))
    assert Mask.of(given, "mask", "image", ["Road"]).void == ("1",)
    with pytest.raises(SettingError, match=r"--mask-void: What is void is said by a number, a colour or a class name"):
        Mask.of(given, "mask", "image", ["raod"])


def test_rows_without_a_mask_of_their_size_say_why():
    lying = Image.open(__import__("io").BytesIO(PICTURE))
    exif = lying.getexif()
    exif[0x0112] = 6
    turned = saved(lying, exif=exif)
    given = records(
        drawn(0, 1, 1), None, b"no mask", drawn(0, 1), drawn(0, 1, 1), drawn(255, 255, 255), 3 and drawn(0, 0, 1),
        images=[PICTURE, PICTURE, PICTURE, PICTURE, turned, PICTURE, b"no image"],
    )  # fmt: skip
    field = Mask(("mask",), "image", void=("255",)).learn([[0, 1]])
    found, reasons = field.answers(given)
    assert reasons == {
        1: "the mask in column mask is missing",
        2: "this is no mask that can be read",
        3: "the mask has 2 x 1 pixels, and its picture 3 x 1 as a person sees it",
        5: "the mask has no class, only void",
    }
    assert lacking(field, given) == reasons
    assert np.asarray(found[4]).tolist() == [[0], [1], [1]]
    assert [row for row, one in enumerate(found) if one is None] == [1, 2, 3, 5]
    assert [row for row, cell in enumerate(field.cells(given)) if cell is None] == [1, 2, 3, 5]
    assert field.cells(Records(pa.table({"mask": [3]})))[0] is None
    assert field.answers(Records(pa.table({"mask": [3]})))[1] == {0: "column mask holds int, not a mask"}


def test_a_class_that_training_never_saw_is_void_and_told():
    field = learnt(drawn(0, 1, 1))
    given = records(drawn(0, 7, 7), drawn(7, 7, 7))
    assert maps(field, drawn(0, 7, 7)) == [[0, -1, -1]]
    assert field.answers(given)[1] == {1: "the mask has no class of the training rows"}
    assert field.unseen(Picture(content=drawn(0, 7, 7))) == {7: 2}


def test_masks_of_photographs_have_too_many_classes():
    with pytest.raises(DataError, match="The masks have too many classes"):
        Mask(("mask",), "image").learn([list(range(300))])


def test_masks_are_decoded_when_they_are_asked_for():
    field = learnt(drawn(0, 1, 1))
    given = records(drawn(0, 1, 1))
    later = field.answers(given)[0][0]
    assert later is not None
    assert later.mask == Picture(content=drawn(0, 1, 1))
    assert mask_glance(later.mask).width == 3


def test_the_field_is_read_back():
    field = learnt(drawn(0, 1, 2), void=["2"], names={"0": "sky", "1": "road"})
    again = from_json(json.loads(json.dumps(to_json(field))))
    assert again == field
    assert maps(again, drawn(1, 0, 2)) == [[1, 0, -1]]


def turned_rows(*turns: int, own: int = 1) -> Records:
    """Pictures of 6 x 4 pixels as their files lie, each with an orientation in EXIF and a mask drawn on the file."""
    codes = np.zeros((4, 6), np.uint8)
    codes[0, :2] = 1
    images, masks = [], []
    for turn in turns:
        exif = Image.Exif()
        exif[0x0112] = turn
        images.append(saved(Image.fromarray(codes * np.uint8(90)), exif=exif))
        exif[0x0112] = own
        masks.append(saved(Image.fromarray(codes), exif=exif))
    return records(*masks, images=images)


def test_masks_turn_with_their_pictures_where_those_of_lying_ones_show_that_files_were_drawn_on():
    given = turned_rows(*range(1, 9))
    field = Mask.of(given, "mask", "image")
    field = from_json(to_json(field.learn(field.cells(given))))
    assert (field.lying, field.cautions(given)) == (True, [])
    found, reasons = field.answers(given)
    assert reasons == {}
    for cell, known in zip(given.column("image"), found, strict=True):
        seen = ImageOps.exif_transpose(Image.open(BytesIO(cell)))
        np.testing.assert_array_equal(np.asarray(known), np.asarray(seen) // 90)
    assert len({known.digest() for known in found}) == 8


def test_masks_that_nothing_settles_stay_as_they_are_and_are_told():
    given = turned_rows(1, 3)
    field = Mask.of(given, "mask", "image")
    field = field.learn(field.cells(given))
    assert field.lying is None
    upright, headlong = (np.asarray(known).tolist() for known in field.answers(given)[0])
    assert headlong == upright
    assert field.cautions(given) == [
        "EXIF turns 1 image in a way that no size tells, such as upside down, and no other image settles where masks "
        "were drawn: they are taken as drawn on what a person sees."
    ]


def test_masks_with_an_orientation_of_their_own_are_turned_once():
    given = turned_rows(6, own=6)
    field = Mask.of(given, "mask", "image")
    field = field.learn(field.cells(given))
    assert (field.lying, field.cautions(given)) == (None, [])
    assert np.shape(field.answers(given)[0][0]) == (6, 4)
