"""An archive of images reads as the folder it was made of would, and is never unpacked."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path

import pytest
from tests.data.drawing import clouds, saved

from headwater.data.fields import Image
from headwater.data.reading import hash_of, read, read_parts
from headwater.errors import DataError
from headwater.settings import DataSettings

PNG = saved(clouds(0))


def pack(path: Path, names: list[str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), "" if name.endswith("/") else PNG)
    return path


def rows(path: Path) -> list[tuple[str, ...]]:
    """The name in the archive, the label and the part of each row."""
    records = read(path, DataSettings())
    names = [name.removeprefix(f"{path}!/") for name in records.column("image")]
    return list(zip(names, *(records.column(name) for name in records.columns[1:]), strict=True))


def test_folders_are_classes(tmp_path: Path):
    path = pack(tmp_path / "a.zip", ["b/", "b/2.png", "a/1.JPG", "b/1.png", ".git/x/1.png", "__MACOSX/b/1.png",
                                     "b/._1.png", "labels.txt", "a/notes.txt"])  # fmt: skip
    assert rows(path) == [("a/1.JPG", "a"), ("b/1.png", "b"), ("b/2.png", "b")]
    records = read(path, DataSettings())
    assert (records.name, records.columns) == ("a.zip", ["image", "label"])
    assert str(records.problem(1, "odd")) == f"{path}!/b/1.png: odd"
    values, reasons = Image(("image",)).values(records)
    assert ([str(value) for value in values], reasons) == (records.column("image"), {})
    assert [part.column("label") for part in read_parts(path, DataSettings(), rows=2)] == [["a", "b"], ["b"]]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["1.png", "2.png"], [("1.png",), ("2.png",)]),
        (["photos/1.png", "photos/2.png"], [("photos/1.png",), ("photos/2.png",)]),
        (["train/a/1.png", "train/b/2.png"], [("train/a/1.png", "a"), ("train/b/2.png", "b")]),
        (["train/a/1.png", "train/a/2.png"], [("train/a/1.png", "a"), ("train/a/2.png", "a")]),
        (["x/y/a/1.png", "x/y/b/2.png"], [("x/y/a/1.png", "a"), ("x/y/b/2.png", "b")]),
        (
            ["x/Train/a/1.png", "x/val/a/1.png", "x/test/b/1.png"],
            [("x/Train/a/1.png", "a", "train"), ("x/test/b/1.png", "b", "test"), ("x/val/a/1.png", "a", "valid")],
        ),
        (["train/1.png", "test/2.png"], [("test/2.png", "test"), ("train/1.png", "train")]),
        (["a\\1.png", "b\\2.png"], [("a\\1.png", "a"), ("b\\2.png", "b")]),
        (["/a/1.png", "../../b/2.png", "./c//3.png"], [("/a/1.png", "a"), ("../../b/2.png", "b"), ("./c//3.png", "c")]),
        (["好/1.png", "b!/2.png", "c\n/3.png"], [("b!/2.png", "b!"), ("c\n/3.png", "c\n"), ("好/1.png", "好")]),
    ],
)
def test_layouts(tmp_path: Path, names: list[str], found: list[tuple[str, ...]]):
    path = pack(tmp_path / "a.zip", names)
    assert rows(path) == found
    assert Image(("image",)).values(read(path, DataSettings()))[1] == {}
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_relative_archive_is_found_again(tmp_path: Path, monkeypatch):
    (tmp_path / "data").mkdir()
    pack(tmp_path / "data" / "A.ZIP", ["1.png"])
    monkeypatch.chdir(tmp_path)
    records = read("data/A.ZIP", DataSettings())
    assert records.column("image") == ["data/A.ZIP!/1.png"]
    assert Image(("image",)).values(records)[1] == {}


def test_the_hash_is_that_of_the_file(tmp_path: Path):
    one, two = (pack(tmp_path / name, ["1.png"]) for name in ("a.zip", "b.zip"))
    assert hash_of(one) == hash_of(two) != hash_of(pack(tmp_path / "c.zip", ["2.png"]))


def test_an_archive_without_images_is_refused(tmp_path: Path):
    with pytest.raises(
        DataError,
        match=r"a\.zip: No image is in this archive\. Got {'\.csv': 2}\. Accepted: a zip archive.*Unpack it",
    ):
        read(pack(tmp_path / "a.zip", ["a.csv", "x/b.csv"]), DataSettings())
    with pytest.raises(DataError, match=r"No image is in this archive\. Got {}"):
        read(pack(tmp_path / "b.zip", ["__MACOSX/1.png"]), DataSettings())


def test_images_beside_the_folders_of_classes_are_refused(tmp_path: Path):
    with pytest.raises(DataError, match=r"Some images stand in sub-folders \(a class each\) and some beside.*'2\.png'"):
        read(pack(tmp_path / "a.zip", ["a/1.png", "b/1.png", "2.png"]), DataSettings())


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", PNG])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.zip: The file cannot be read as a zip archive\. Got .*Write it again"):
        read(tmp_path / "a.zip", DataSettings())


def test_a_locked_archive_is_refused(tmp_path: Path):
    path = pack(tmp_path / "a.zip", ["a/1.png", "b/1.png"])
    content = bytearray(path.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + flags] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"The archive is locked by a password\. Unpack it, and give the path of the"):
        read(path, DataSettings())


def test_damaged_archives_are_read_or_refused(tmp_path: Path):
    chance = random.Random(4)
    path = pack(tmp_path / "a.zip", ["a/1.png", "b/2.png"])
    whole = path.read_bytes()
    for _ in range(150):
        content = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            content[chance.randrange(len(content) - 160, len(content))] = chance.randrange(256)
        path.write_bytes(content)
        try:
            records = read(path, DataSettings())
        except DataError:
            continue
        values, reasons = Image(("image",)).values(records)
        assert [row for row, value in enumerate(values) if value is None] == sorted({*reasons, *records.problems})
