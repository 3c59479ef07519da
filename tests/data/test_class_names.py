"""Files of class names, as the usual tools write them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from headwater.data.class_names import FILES, ClassNames, is_void, names_near, read_names


@pytest.mark.parametrize(
    ("file", "text", "numbers", "colours"),
    [
        ("classes.txt", "sky\ntraffic light\n\n", {"0": "sky", "1": "traffic light"}, {}),
        ("classes.txt", "0 sky\n7: traffic light", {"0": "sky", "7": "traffic light"}, {}),
        ("classes.txt", "0 0\n7 255", {"0": "0", "7": "255"}, {}),
        ("labels.txt", "sky 3\nroad 4", {"3": "sky", "4": "road"}, {}),
        ("label_colors.txt", "64 128 64\tAnimal\n0 0 0\t\tVoid", {"0": "Animal", "1": "Void"},
         {"#408040": "Animal", "0": "Void"}),
        ("labelmap.txt", "# label:color_rgb:parts:actions\nsky:0,0,255::\nvan:9,9,9::", {"0": "sky", "1": "van"},
         {"#0000ff": "sky", "9": "van"}),
        ("class_dict.csv", "name,r,g,b\nAnimal,64,128,64", {"0": "Animal"}, {"#408040": "Animal"}),
        ("classes.csv", "id,name\n3,sky\n4,road", {"3": "sky", "4": "road"}, {}),
        ("classes.txt", "5 64 128 64 Animal", {"5": "Animal"}, {"#408040": "Animal"}),
        ("classes.json", '["sky", "road"]', {"0": "sky", "1": "road"}, {}),
        ("classes.json", '{"sky": 3, "road": [0, 0, 255], "van": "#00ff00"}', {"3": "sky"},
         {"#0000ff": "road", "#00ff00": "van"}),
        ("classes.json", '{"classes": {"0": "sky", "#0000FF": "road"}}', {"0": "sky"}, {"#0000ff": "road"}),
        ("classes.json", '{"categories": [{"id": 4, "name": "sky", "color": [1, 2, 3]}]}', {"4": "sky"},
         {"#010203": "sky"}),
    ],
)  # fmt: skip
def test_names_are_read(file: str, text: str, numbers: dict[str, str], colours: dict[str, str]):
    assert read_names(text, file) == ClassNames(numbers, colours, file)


def test_numbers_or_colours_are_chosen_by_what_the_masks_hold():
    found = ClassNames({"0": "animal"}, {"#408040": "animal", "0": "void"})
    assert found.of(coloured=False) == {"0": "animal"}
    assert found.of(coloured=True) == {"#408040": "animal", "0": "void"}


@pytest.mark.parametrize("where", ["masks", ".", "above"])
def test_the_file_is_found_beside_the_masks_and_above(tmp_path: Path, where: str):
    masks = tmp_path / "above" / "data" / "masks"
    masks.mkdir(parents=True)
    folder = {"masks": masks, ".": masks.parent, "above": tmp_path / "above"}[where]
    (folder / "classes.txt").write_text("sky\nroad")
    assert names_near(str(masks / "a.png")).numbers == {"0": "sky", "1": "road"}


def test_the_file_is_found_in_an_archive_and_beside_it(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("data/classes.txt", "sky\nroad")
        archive.writestr("data/masks/a.png", b"")
    with zipfile.ZipFile(tmp_path / "bare.zip", "w") as archive:
        archive.writestr("masks/a.png", b"")
    (tmp_path / "torn.zip").write_bytes(b"PK")
    assert names_near(f"{tmp_path}/all.zip!/data/masks/a.png").numbers == {"0": "sky", "1": "road"}
    assert names_near(f"{tmp_path}/bare.zip!/masks/a.png") == ClassNames()
    assert names_near(f"{tmp_path}/torn.zip!/masks/a.png") == ClassNames()
    (tmp_path / "classes.txt").write_text("one\ntwo")
    assert names_near(f"{tmp_path}/bare.zip!/masks/a.png").numbers == {"0": "one", "1": "two"}


@pytest.mark.parametrize("content", ["{", "3", '[{"id": 3}]', '{"a": [1, 2]}', '{"a": "b"}', json.dumps([[1, 2, 999]])])
def test_a_file_that_is_something_else_is_passed_over(tmp_path: Path, content: str):
    (tmp_path / "classes.json").write_text(content)
    (tmp_path / "names.json").write_text('["sky"]')
    assert FILES.index("classes.json") < FILES.index("names.json")
    assert names_near(str(tmp_path / "a.png")).numbers == {"0": "sky"}


def test_what_is_void_by_its_name():
    assert [name for name in ("Void", "background", " unlabeled ", "avoid") if is_void(name)] == ["Void", " unlabeled "]
