"""Pictures and masks in folders and archives: which belong together, and what becomes of those that are alone."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from tests.data.drawing import clouds, saved

from headwater.data.mask_field import Mask
from headwater.data.pairs import paired, set_of, without_masks
from headwater.data.reading import hash_of, read, read_parts
from headwater.settings import DataSettings

PNG = saved(clouds(0))


def pairs(*paths: str) -> list[tuple[str | None, str | None, str | None]] | None:
    found = paired([tuple(path.split("/")) for path in paths])
    join = "/".join
    return found and [(one.picture and join(one.picture), one.mask and join(one.mask), one.part) for one in found]


@pytest.mark.parametrize(
    ("picture", "mask", "part"),
    [
        ("images/1.jpg", "masks/1.png", None),
        ("image/1.jpg", "label/1.png", None),
        ("img/1.jpg", "annot/1.png", None),
        ("JPEGImages/1.jpg", "SegmentationClass/1.png", None),
        ("data/Images/1.jpg", "data/Labels/1.png", None),
        ("train/1.jpg", "trainannot/1.png", "train"),
        ("val/1.jpg", "val_labels/1.png", "valid"),
        ("train/images/1.jpg", "train/masks/1.png", "train"),
        ("images/test/1.jpg", "masks/test/1.png", "test"),
        ("images/testing/a/1.jpg", "labels/test/a/1.png", "test"),
        ("a/images/1.jpg", "a/masks/1.png", None),
        ("1.jpg", "masks/1.png", None),
        ("images/1.jpg", "masks/1_mask.png", None),
        ("1.jpg", "1_mask.png", None),
        ("0001TP.png", "0001TP_L.png", None),
        ("leftImg8bit/val/a/a_1_leftImg8bit.png", "gtFine/val/a/a_1_gtFine_labelIds.png", "valid"),
    ],
)
def test_usual_layouts(picture: str, mask: str, part: str | None):
    assert pairs(mask, picture) == [(picture, mask, part)]


@pytest.mark.parametrize(
    "paths",
    [
        ("ants/1.jpg", "bees/1.jpg"),
        ("mask/1.jpg", "no mask/1.jpg"),
        ("train/mask/1.jpg", "train/bare/1.jpg"),
        ("images/1.jpg", "labels/2.jpg"),
        ("1.jpg", "2.jpg"),
        ("images/1.jpg",),
        ("mask/1.jpg",),
    ],
)
def test_folders_of_classes_are_no_pairs(paths: tuple[str, ...]):
    assert pairs(*paths) is None


def test_those_that_are_alone_are_told():
    assert pairs("images/1.jpg", "images/2.jpg", "masks/2.png", "masks/3.png", "depth/2.png") == [
        ("images/1.jpg", None, None), ("images/2.jpg", "masks/2.png", None), (None, "masks/3.png", None),
    ]  # fmt: skip


NO_PICTURE = (
    "this is named as the masks here are, and no picture of its name without '_mask' stands beside it: "
    "name it otherwise if it is a picture"
)


def lacks(*names: str) -> dict[str, str | None]:
    return {one[-1]: pair.lack for pair in paired([(name,) for name in names]) or []
            for one in (pair.picture, pair.mask) if one}  # fmt: skip


def test_a_mask_that_its_name_alone_tells_and_that_has_no_picture_is_no_picture():
    assert pairs("1.jpg", "1_mask.png", "2.jpg", "9_mask.png") == [
        ("1.jpg", "1_mask.png", None), ("2.jpg", None, None), (None, "9_mask.png", None),
    ]  # fmt: skip
    found = lacks("1.jpg", "1_mask.png", "2.jpg", "9_mask.png")
    assert found["9_mask.png"] == NO_PICTURE
    assert found["2.jpg"] == "this picture has no mask of its name"
    assert lacks("1.jpg", "1_Mask.png", "9_mask.png")["9_mask.png"] == NO_PICTURE


@pytest.mark.parametrize(
    ("names", "picture"),
    [
        (("1.jpg", "1_mask.png", "cam_l.jpg"), "cam_l.jpg"),
        (("1.jpg", "1_mask.png", "9_mask.jpg", "9_mask_mask.png"), "9_mask.jpg"),
    ],
    ids=["an ending that no mask here has", "a mask of its own"],
)
def test_a_picture_that_is_called_like_a_mask_of_others_is_one(names: tuple[str, ...], picture: str):
    assert (picture,) in [pair.picture for pair in paired([(name,) for name in names]) or []]


def test_a_second_mask_of_a_picture_is_told():
    found = lacks("1.jpg", "1_label.png", "1_mask.png")
    assert found == {
        "1.jpg": None, "1_mask.png": None,
        "1_label.png": "this is named as the masks here are, and its picture has another mask, '1_mask.png'",
    }  # fmt: skip


@pytest.mark.parametrize("packed", [False, True], ids=["a folder", "an archive"])
def test_masks_without_pictures_are_rows_with_a_reason_in_training_and_in_answers(tmp_path: Path, packed: bool):
    source = written(tmp_path / "data", "1.png", "1_mask.png", "2.png", "2_label.png", "2_mask.png", "9_mask.png")
    if packed:
        with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
            for file in sorted(source.iterdir()):
                archive.write(file, file.name)
        source = tmp_path / "data.zip"
    found = read(source, DataSettings())
    assert [(Path(one.file or "").name, one.reason) for one in found.problems.values()] == [
        ("2_label.png", "this is named as the masks here are, and its picture has another mask, '2_mask.png'"),
        ("9_mask.png", NO_PICTURE),
    ]  # fmt: skip
    (asked,) = read_parts(source, DataSettings(), alone=True)
    assert [(cell or "")[-5:] for cell in asked.column("image")] == ["1.png", "2.png", ""]
    assert [one.reason for one in asked.problems.values()] == [NO_PICTURE]


def test_the_lists_of_voc_say_what_is_in_which_part():
    names = [("JPEGImages", f"{stem}.jpg") for stem in "123"]
    names += [("SegmentationClass", "1.png"), ("SegmentationClass", "2.png"), ("SegmentationObject", "1.png")]
    found = paired(names, {"train": ["2"], "valid": ["1"]})
    assert [(one.mask, one.part) for one in found or []] == [
        (("SegmentationClass", "1.png"), "valid"), (("SegmentationClass", "2.png"), "train"),
    ]  # fmt: skip
    assert set_of("ImageSets/Main/val.txt") is None
    assert set_of("VOC2012/ImageSets/Segmentation/train.txt") == "train"


def written(folder: Path, *paths: str) -> Path:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(PNG if path.endswith(".png") else b"1\n")
    return folder


def test_a_folder_is_read_as_pairs(tmp_path: Path, monkeypatch):
    written(tmp_path / "data", "train/images/1.png", "train/masks/1.png", "test/images/2.png", "test/masks/2.png",
            "test/images/3.png", "readme.md")  # fmt: skip
    monkeypatch.chdir(tmp_path)
    found = read("data", DataSettings())
    assert found.columns == ["image", "mask", "split"]
    assert found.column("image") == ["data/test/images/2.png", None, "data/train/images/1.png"]
    assert found.column("split") == ["test", None, "train"]
    assert [str(one) for one in found.problems.values()] == [
        "data/test/images/3.png: this picture has no mask of its name"
    ]
    masks, reasons = Mask(("mask",), "image")._masks(found)
    assert reasons == {}
    assert [None if one is None else Path(one.path or "").is_file() for one in masks] == [True, None, True]


def test_the_lists_of_a_voc_folder_are_read(tmp_path: Path):
    folder = written(tmp_path, "VOC/JPEGImages/1.png", "VOC/SegmentationClass/1.png", "VOC/JPEGImages/2.png",
                     "VOC/ImageSets/Segmentation/val.txt")  # fmt: skip
    found = read(folder, DataSettings())
    assert (found.column("split"), found.problems) == (["valid"], {})


@pytest.mark.parametrize("together", [True, False], ids=["one archive", "an archive each"])
def test_archives_are_read_as_pairs(tmp_path: Path, together: bool):
    files = {"images": ["images/train/1.png", "images/test/2.png"], "masks": ["masks/train/1.png", "masks/test/2.png"]}
    for name, paths in files.items():
        with zipfile.ZipFile(tmp_path / ("all.zip" if together else f"{name}.zip"), "a") as archive:
            for path in paths:
                archive.writestr(path if together else path.partition("/")[2], PNG)
    before = hash_of(tmp_path)
    found = read(tmp_path / "all.zip" if together else tmp_path, DataSettings())
    assert found.column("split") == ["test", "train"]
    assert Mask(("mask",), "image").cells(found) == [None, None]  # clouds have too many colours
    assert all(".zip!/" in path for path in found.column("image") + found.column("mask"))
    with zipfile.ZipFile(next(tmp_path.iterdir()), "a") as archive:
        archive.writestr("more.txt", "more")
    assert hash_of(tmp_path) != before


def test_a_torn_archive_among_pictures_is_no_pair(tmp_path: Path):
    folder = written(tmp_path, "ants/1.png", "bees/2.png")
    (folder / "masks.zip").write_bytes(b"PK")
    assert read(folder, DataSettings()).columns == ["image", "label"]


def test_names_that_are_no_unicode_are_set_aside(tmp_path: Path):
    folder = written(tmp_path, "images/1.png", "masks/1.png")
    for kind in ("images", "masks"):
        (folder / kind / "\udcff.png").write_bytes(PNG)
    found = read(folder, DataSettings())
    assert [one.reason for one in found.problems.values()] == ["the name of this file is not valid Unicode"]
    assert len(found.usable) == 1


def test_of_two_files_that_differ_in_their_endings_alone_the_second_is_told_and_not_lost() -> None:
    pictures = [("images", "1.jpg"), ("images", "2.jpg"), ("images", "2.png")]
    names = [*pictures, ("masks", "1.bmp"), ("masks", "1.png"), ("masks", "2.png")]
    told = {(pair.picture or pair.mask or ())[-2:]: pair.lack for pair in paired(names) or []}
    rest = "has the same name but for its ending, and only one of the two can belong to a pair"
    assert told == {
        ("images", "1.jpg"): None,
        ("images", "2.jpg"): None,
        ("images", "2.png"): f"'2.jpg' beside it {rest}",
        ("masks", "1.png"): f"'1.bmp' beside it {rest}",
    }
    assert without_masks(names) == (pictures, {})


def test_what_cityscapes_has_beside_its_masks_is_no_mask_without_a_picture() -> None:
    own = [
        (part, "train", "a", f"a_1_{part}{kind}.png") for part, kind in (("leftImg8bit", ""), ("gtFine", "_labelIds"))
    ]
    more = [("gtFine", "train", "a", f"a_1_gtFine_{kind}.png") for kind in ("color", "instanceIds", "labelTrainIds")]
    assert [(pair.picture, pair.mask) for pair in paired([*own, *more]) or []] == [tuple(own)]
    assert without_masks([*own, *more]) == (own[:1], {})
