import pytest

from headwater.data import folders
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
    with pytest.raises(DataError, match=r"No \.txt file is in this folder\. Got {'\.csv': 2}\. Accepted: a folder"):
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
