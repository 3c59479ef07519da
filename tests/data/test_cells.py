"""Tables of interactions in the files that recommenders write."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from headwater.data.cells import read_cells
from headwater.data.reading import read
from headwater.errors import DataError, NotFoundError
from headwater.settings import DataSettings

SETTINGS = DataSettings()


def _read(folder: Path, name: str, content: str | bytes) -> dict[str, list[str | None]]:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_cells(folder / name, SETTINGS).table.to_pydict()


def test_a_table_is_read_as_the_careful_reader_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text('userId,movieId,title\n1,10,"Duck, Soup"\n2,,x\n3,30,y\n')
    found, careful = read_cells(path, SETTINGS), read(path, SETTINGS)
    assert found.table.to_pydict() == careful.table.to_pydict()
    assert found.lines is not None
    assert careful.lines is not None
    assert found.lines.tolist() == careful.lines.tolist()


def test_a_ragged_row_is_a_problem_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "ratings.tsv"
    path.write_text("user\titem\n1\t10\n2\n3\t30\n")
    found = read_cells(path, SETTINGS)
    assert found.table.to_pydict() == {"user": ["1", None, "3"], "item": ["10", None, "30"]}
    assert [str(problem) for problem in found.problems.values()] == [f"{path}:3: 1 cells instead of 2"]


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("u.data", "196\t242\t3\t881250949\n", ["user", "item", "rating", "timestamp"]),
        ("ratings.dat", "1::1193::5::978300760\n", ["user", "item", "rating", "timestamp"]),
        ("movies.dat", "1::Toy Story (1995)::Animation|Comedy\n", ["item", "title", "genres"]),
        ("users.dat", "1::F::1::10::48067\n", ["user", "gender", "age", "occupation", "zip_code"]),
        ("u.user", "1|24|M|technician|85711\n", ["user", "age", "gender", "occupation", "zip_code"]),
        ("a.inter", "user_id:token\titem_id:token\trating:float\n1\t2\t3\n", ["user_id", "item_id", "rating"]),
        ("a.item", "item_id:token\tclass:token_seq\n1\tComedy Drama\n", ["item_id", "class"]),
        ("bare.csv", "1,10,4.5\n2,20,3\n", ["user", "item", "rating"]),
    ],
)
def test_the_files_of_others_have_their_columns(tmp_path: Path, name: str, content: str, columns: list[str]) -> None:
    found = _read(tmp_path, name, content)
    assert list(found) == columns
    assert None not in [cell for cells in found.values() for cell in cells]


def test_titles_in_latin_letters_of_old_are_read(tmp_path: Path) -> None:
    row = "1|Misérables, Les (1995)|01-Jan-1995||http://x|" + "|".join("0" * 19) + "\n"
    assert _read(tmp_path, "u.item", row.encode("latin-1"))["title"] == ["Misérables, Les (1995)"]


def test_a_packed_file_is_read(tmp_path: Path) -> None:
    packed = gzip.compress(b"user_id:token\titem_id:token\n1\t2\n")
    assert _read(tmp_path, "a.inter.gz", packed) == {"user_id": ["1"], "item_id": ["2"]}


def test_a_table_in_another_encoding_goes_to_the_careful_reader(tmp_path: Path) -> None:
    assert _read(tmp_path, "a.csv", "user,item\nJosé,Señor\n".encode("latin-1"))["item"] == ["Señor"]


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no file or folder here"):
        read_cells(tmp_path / "gone.csv", SETTINGS)
    with pytest.raises(DataError, match="The header names a column more than once"):
        _read(tmp_path, "twice.csv", "user,user\n1,2\n")
    with pytest.raises(DataError, match="The table cannot be read"):
        _read(tmp_path, "b.inter", b"user_id:token\titem_id:token\n\xff\xfe\t1\n")
