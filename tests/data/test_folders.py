import pytest
from tests.data.drawing import clouds, saved

from headwater.data import folders
from headwater.data.fields import Image
from headwater.data.reading import read, read_parts
from headwater.errors import DataError, SettingError
from headwater.settings import DataSettings


def fill(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def test_sub_folders_are_classes(tmp_path):
    fill(
        tmp_path,
        {
            "pos/b.txt": "good\r\n",
            "neg/a.txt": "bad",
            "pos/a.txt": "a café très agréable".encode("latin-1"),
            ".hid/x.txt": "x",
        },
    )
    records = read(tmp_path, DataSettings())
    assert records.table.to_pylist() == [
        {"text": "bad", "label": "neg"},
        {"text": "a café très agréable", "label": "pos"},
        {"text": "good\n", "label": "pos"},
    ]
    assert records.problem(2, "odd").file == str(tmp_path / "pos" / "b.txt")


def test_flat_folder_is_read_by_name_and_in_parts(tmp_path):
    fill(tmp_path, {"b.txt": "two", "a.txt": "", "c.txt": b"\0\0", "notes.md": "no"})
    records = read(tmp_path, DataSettings(encoding="utf-8"))
    assert (records.columns, records.column("text")) == (["text"], [None, "two", None])
    assert str(records.problems[2]) == f"{tmp_path / 'c.txt'}: a NUL byte, which no text holds"
    parts = list(read_parts(tmp_path, DataSettings(encoding="utf-8"), rows=2))
    assert [part.column("text") for part in parts] == [[None, "two"], [None]]
    assert str(parts[1].problems[0]) == str(records.problems[2])


def test_file_that_cannot_be_opened(tmp_path):
    text, reason = folders._text(tmp_path / "gone.txt", None)
    assert (text, reason) == (None, "the file cannot be opened: No such file or directory")


def test_layouts_that_say_nothing(tmp_path):
    fill(tmp_path, {"a.csv": "x", "b.csv": "y"})
    with pytest.raises(
        DataError, match=r"No \.txt file and no image is in this folder\. Got {'\.csv': 2}\. Accepted: a folder"
    ):
        read(tmp_path, DataSettings())
    fill(tmp_path, {"a.txt": "x", "pos/b.txt": "y"})
    with pytest.raises(
        DataError,
        match=r"Some \.txt files stand in sub-folders \(a class each\) and some beside.*a\.txt.*Move these",
    ):
        read(tmp_path, DataSettings())


def test_an_unknown_encoding_is_named(tmp_path):
    fill(tmp_path, {"a.txt": "good", "b.txt": "bad"})
    with pytest.raises(SettingError, match=r"--encoding: There is no text encoding of this name. Got 'utf-9'"):
        read(tmp_path, DataSettings(encoding="utf-9"))


def rows(folder):
    return [tuple(row.values()) for row in read(folder, DataSettings()).table.to_pylist()]


def test_images_are_rows_and_are_not_opened(tmp_path):
    fill(tmp_path, {"bees/b.PNG": "no image", "ants/a.jpg": "", "ants/c.txt/x.md": "", ".x/a.jpg": "",
                    "bees/.b.png": "", "__MACOSX/ants/a.jpg": "", "notes.txt": "of 2024",
                    "ants/list.csv": ""})  # fmt: skip
    records = read(tmp_path, DataSettings())
    assert (records.name, records.columns) == (tmp_path.name, ["image", "label"])
    assert rows(tmp_path) == [(f"{tmp_path}/ants/a.jpg", "ants"), (f"{tmp_path}/bees/b.PNG", "bees")]
    assert str(records.problem(1, "odd")) == f"{tmp_path}/bees/b.PNG: odd"
    assert Image(("image",)).values(records)[1] == {
        0: "the image is empty: it has no bytes",
        1: "this is no image that can be read",
    }


def test_a_link_to_nothing_is_a_row_that_says_so(tmp_path):
    fill(tmp_path, {"ants/a.png": saved(clouds(0)), "bees/b.png": saved(clouds(1))})
    (tmp_path / "bees" / "c.JPG").symlink_to(tmp_path / "objects" / "not-fetched")
    (tmp_path / "bees" / "loop.png").symlink_to("loop.png")
    (tmp_path / "ants" / "notes.md").symlink_to("gone.md")
    assert [label for _, label in rows(tmp_path)] == ["ants", "bees", "bees", "bees"]
    reasons = Image(("image",)).values(read(tmp_path, DataSettings()))[1]
    assert reasons.keys() == {2, 3}
    assert reasons[2] == f"there is no such file: {tmp_path}/bees/c.JPG"


def test_images_without_classes(tmp_path, monkeypatch):
    fill(tmp_path, {"some/b.png": saved(clouds(0)), "some/a.png": saved(clouds(1))})
    monkeypatch.chdir(tmp_path)
    assert rows("some") == [("some/a.png",), ("some/b.png",)]
    assert Image(("image",)).values(read("some", DataSettings()))[1] == {}
    assert read("some/b.png", DataSettings()).table.to_pylist() == [{"image": "some/b.png"}]
    assert [len(part) for part in read_parts("some", DataSettings(), rows=1)] == [1, 1]


@pytest.mark.parametrize("suffix", [".txt", ".webp"])
@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["train/a/1", "Validation/a/1", "test/b/1"], [("a", "valid"), ("b", "test"), ("a", "train")]),
        (["train/a/1", "val/b/1", "train/b/2"], [("a", "train"), ("b", "train"), ("b", "valid")]),
        (["x/train/a/1", "x/dev/b/1"], [("b", "valid"), ("a", "train")]),
        (["train/1", "testing/2"], [("test",), ("train",)]),
        (["train/a/1", "train/b/1"], [("a",), ("b",)]),
        (["train/1", "train/2"], [(), ()]),
        (["a/1", "a/2"], [("a",), ("a",)]),
        (["train/1", "car/2"], [("car",), ("train",)]),
        (["x/y/a/1", "x/y/b/1"], [("a",), ("b",)]),
    ],
)
def test_layouts_of_classes_and_parts(tmp_path, names, told, suffix):
    fill(tmp_path, {f"{name}{suffix}": "words" for name in names})
    assert [row[1:] for row in rows(tmp_path)] == told
    columns = read(tmp_path, DataSettings()).columns[1:]
    assert columns == (["label", "split"] if len(told[0]) == 2 else columns)


def test_images_beside_or_below_the_folders_of_classes_are_refused(tmp_path):
    fill(tmp_path, {"train/a/1.png": "", "train/2.png": "", "test/a/1.png": ""})
    with pytest.raises(DataError, match=r"Some images stand in sub-folders \(a class each\) .* Got \['train/2.png'\]"):
        read(tmp_path, DataSettings())
    (tmp_path / "train" / "2.png").unlink()
    fill(tmp_path, {"more/a/1.png": ""})
    with pytest.raises(
        DataError,
        match=r"Some images stand deeper than in the folder of their class.*Accepted: CLASS/file, or train/CLASS/file",
    ):
        read(tmp_path, DataSettings())


def test_texts_and_images_together_are_refused(tmp_path):
    fill(tmp_path, {"a.txt": "", "a.png": ""})
    with pytest.raises(
        DataError, match=r"This folder holds \.txt files as well as images\. Got {'\.txt files': 1, 'images': 1}.*Move"
    ):
        read(tmp_path, DataSettings())
    both = fill(tmp_path / "both", {"a/1.txt": "", "b/1.png": ""})
    with pytest.raises(DataError, match=r"This folder holds \.txt files as well as images"):
        read(both, DataSettings())
    (tmp_path / "a.txt").unlink()
    (tmp_path / "both" / "b" / "1.png").rename(tmp_path / "both" / "plan.png")
    assert read(both, DataSettings()).columns == ["text", "label"]


def test_names_that_are_no_unicode_are_problems(tmp_path):
    fill(tmp_path, {"a/1.png": "", "b/2.png": ""})
    (tmp_path / "a" / "1.png").rename(tmp_path / "a" / "\udcff.png")
    (tmp_path / "b").rename(tmp_path / "\udcfe")
    records = read(tmp_path, DataSettings())
    assert records.table.to_pylist() == [{"image": None, "label": None}] * 2
    assert {problem.reason for problem in records.problems.values()} == {"the name of this file is not valid Unicode"}


def test_a_folder_that_cannot_be_looked_into(tmp_path, monkeypatch):
    fill(tmp_path, {"a/1.png": ""})

    def refuse(folder):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(folders.os, "scandir", refuse)
    with pytest.raises(DataError, match=r"This folder cannot be looked into\. Got 'Permission denied'"):
        read(tmp_path, DataSettings())
