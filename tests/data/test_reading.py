import csv
import io
import random

import pytest
from tests.data import mutations

from headwater.data.reading import hash_of, read, read_parts
from headwater.errors import DataError, HeadwaterError, NotFoundError
from headwater.settings import DataSettings


def test_missing_file_names_the_near_ones(tmp_path):
    (tmp_path / "reviews.csv").write_text("text\na\n")
    with pytest.raises(NotFoundError, match=r"no file or folder here\. Got 'review.csv'\. Did you mean reviews\.csv\?"):
        read(tmp_path / "review.csv", DataSettings())
    with pytest.raises(
        NotFoundError, match=r"The folder of this file does not exist\. Got 'a.csv'\. Check the path; a text"
    ):
        read(tmp_path / "gone" / "a.csv", DataSettings())


def test_texts_are_not_paths():
    with pytest.raises(DataError, match=r"The path cannot be used\. Got .* A text itself goes into a list"):
        read("what a fine film " * 100, DataSettings())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"images": [\n{]}', r"This is no valid JSON\. Got '.* at line 2, column 2'\. Write the file again"),
        ('{"rows": []}', r"This JSON holds no boxes of COCO\. Got 'of their lists none'\. Accepted: lists"),
        ('{"images": [], "annotations": [{"caption": ""}]}', "This JSON holds no boxes of COCO"),
        ("[1]", "The file cannot be read as COCO annotations"),
    ],
)
def test_json_that_is_broken_or_of_another_kind_says_so(tmp_path, content, sentence):
    (tmp_path / "data.json").write_text(content)
    with pytest.raises(DataError, match=sentence):
        read(tmp_path / "data.json", DataSettings())


@pytest.mark.parametrize("name", ["data.xlsx", "data", "data.parquet.gz"])
def test_kinds_that_cannot_be_read(tmp_path, name):
    (tmp_path / name).write_text("a")
    with pytest.raises(
        DataError, match=r"Files of this kind cannot be read\. Got .* Accepted: \.csv, \.tsv, \.txt, \.jsonl"
    ):
        read(tmp_path / name, DataSettings())


@pytest.mark.parametrize("name", ["data.CSV", "data.txt", "data.tsv"])
def test_suffix_does_not_say_the_delimiter(tmp_path, name):
    (tmp_path / name).write_text("text;label\na;b\n")
    assert read(tmp_path / name, DataSettings()).columns == ["text", "label"]


def test_hash_is_that_of_the_content(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("text\na\n")
    assert hash_of(tmp_path / "a.csv") == hash_of(str(tmp_path / "b.csv"))
    assert len(hash_of({"text": ["a"]})) == 64
    assert hash_of({"text": ["a"]}) != hash_of({"text": ["b"]})
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    before = hash_of(folder)
    (folder / "a.txt").rename(folder / "b.txt")
    assert hash_of(folder) != before
    (folder / "notes.md").write_text("no data")
    assert hash_of(folder) == hash_of(str(folder))


def test_the_hash_of_a_folder_of_images_is_that_of_all_of_them(tmp_path):
    hashes = []
    for name, content in (("ants/1.png", b"one"), ("ants/1.png", b"other"), ("bees/2.JPG", b"two"), ("x.md", b"no")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
        hashes.append(hash_of(tmp_path))
    assert len(set(hashes)) == 3
    assert hashes[2] == hashes[3]


def original():
    chance = random.Random(5)
    words = ["good", "bad", "schön", "房间很干净", "well, really", 'so "fine"', "two\nlines", "5 feet", ""]
    rows = [(" ".join(chance.choices(words, k=4)), str(number), chance.choice("ab")) for number in range(60)]
    content = io.StringIO()
    csv.writer(content, lineterminator="\n").writerows([("text", "id", "label"), *rows])
    return content.getvalue().encode()


CONTENT = original()
ROWS = [tuple(row) for row in csv.reader(io.StringIO(CONTENT.decode(), newline=""))][1:]
REFUSED = {"binary", "zip", "pickle", "duplicate header", "nameless header", "empty", "gzip damaged"}
MAY_BE_REFUSED = {"truncated", "wrong encoding", "gzip cut off", "bytes gone", "no header"}
LOCAL = {
    "huge cell",
    "long cell",
    "NUL bytes",
    "wrong bytes",
    "delimiter swapped in places",
    "lines again",
    "only header",
}
HARMLESS = {"line ends", "byte order mark", "gzip", "long cell"}


def line_of(row):
    content = io.StringIO()
    csv.writer(content, lineterminator="").writerow(row)
    return content.getvalue().encode()


def strictly(content):
    """Every row that a parser could see in the bytes, whatever their encoding and delimiter, from any line on."""
    seen = set()
    for encoding in ("utf-8", "gb18030", "cp1252", "utf-16", "big5", "utf-32"):
        text = content.decode(encoding, errors="ignore")
        lines = text.splitlines(keepends=True)
        for delimiter in ",;\t|":
            for feed in (io.StringIO(text, newline=""), *([line] for line in lines)):
                seen.update(tuple(row) for row in csv.reader(feed, delimiter=delimiter))
        seen.update((line.rstrip("\r\n"),) for line in lines)
    return seen


@pytest.mark.parametrize("seed", range(6 * len(mutations.MUTATIONS)))
def test_damaged_files_are_read_or_refused(tmp_path, seed):
    kind, content = mutations.mutate(CONTENT, seed)
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    try:
        records = read(path, DataSettings())
    except HeadwaterError as error:
        told = str(error)
    else:
        told = None
    if told is not None:
        assert "\n" not in told
        assert kind in REFUSED | MAY_BE_REFUSED
        return
    assert kind not in REFUSED - {"binary", "gzip damaged"}
    good = [tuple(cell or "" for cell in records.table.slice(row, 1).to_pylist()[0].values()) for row in records.usable]
    if kind in HARMLESS:
        assert (len(good), not records.problems) == (len(ROWS), True)
    if len(content) < 2**20 and kind not in ("gzip", "gzip cut off"):
        assert set(good) <= set(ROWS) | strictly(content)
    if kind in LOCAL:
        left = set(content.splitlines())
        untouched = [row for row in ROWS if "\n" not in row[0] and line_of(row) in left]
        assert set(untouched) <= set(good)
    parts = list(read_parts(path, DataSettings(), rows=7))
    assert sum(map(len, parts)) == len(records)


def test_a_bare_name_is_told_with_the_folder_it_was_looked_for_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFoundError) as missing:
        read("gone.csv", DataSettings())
    assert str(missing.value).startswith(f"{tmp_path}: There is no file or folder here. Got 'gone.csv'.")
