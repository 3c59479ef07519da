"""A folder as it was downloaded is a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import headwater
from headwater.data.reading import hash_of
from headwater.errors import DataError
from headwater.recommendation.folders import files_in
from headwater.recommendation.preparing import prepare
from headwater.settings import Settings

PAIRS = [(1 + user, 1 + item) for user in range(12) for item in range(12) if (user + item) % 3]


def _put(folder: Path, name: str, *lines: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join(lines), "utf-8")
    return folder / name


def _movielens(folder: Path) -> Path:
    _put(folder, "u.data", *(f"{user}\t{item}\t{1 + item % 5}\t{881250949 + user}" for user, item in PAIRS))
    flags = "|".join(["0"] * 18)
    _put(folder, "u.item", *(f"{item}|Film {item} (1995)|01-Jan-1995||http://x|1|{flags}" for item in range(1, 13)))
    _put(folder, "u.user", *(f"{user}|24|M|writer|85711" for user in range(1, 13)))
    _put(folder, "u.info", "943 users")
    _put(folder, "u1.base", "1\t1\t5\t881250949")
    return folder


def _recbole(folder: Path) -> Path:
    _put(folder, "ml.inter", "user_id:token\titem_id:token", *(f"{user}\t{item}" for user, item in PAIRS))
    _put(folder, "ml.item", "item_id:token\tmovie_title:token_seq", *(f"{item}\tFilm {item}" for item in range(1, 13)))
    _put(folder, "ml.kg", "head_id:token")
    return folder


def _small(folder: Path) -> Path:
    _put(folder, "ratings.csv", "userId,movieId,rating", *(f"{user},{item},3" for user, item in PAIRS))
    _put(folder, "movies.csv", "movieId,title,genres", *(f"{item},Film {item},Drama" for item in range(1, 13)))
    _put(folder, "tags.csv", "userId,movieId,tag", "1,1,dull")
    return folder


@pytest.mark.parametrize(
    ("make", "kinds"), [(_movielens, ("items", "users")), (_recbole, ("items",)), (_small, ("items",))]
)
def test_what_movielens_and_recbole_unpack_to_is_read_whole(tmp_path: Path, make: Any, kinds: tuple[str, ...]) -> None:
    folder = make(tmp_path / "set")
    app: Any = headwater.adapt("recommendation", folder, k=3, to=tmp_path / "run")
    assert tuple(app.report.audit["tables"]) == kinds
    assert app.titles()["7"].startswith("Film 7")
    assert app.evaluate(folder).metrics["ndcg"].value > 0
    assert headwater.load(tmp_path / "run").predict(["3"]).labels == app.predict(["3"]).labels


def test_a_table_that_is_named_comes_before_that_of_the_folder(tmp_path: Path) -> None:
    folder = _small(tmp_path / "set")
    items = _put(tmp_path, "mine.csv", "item_id,title", *(f"{item},Mine {item}" for item in range(1, 13)))
    found = prepare(str(folder), Settings(items=str(items)), want_test=True)
    assert found.findings["audit"]["tables"]["items"]["name"] == "mine.csv"


def test_a_folder_without_interactions_is_refused(tmp_path: Path) -> None:
    _put(tmp_path, "movies.csv", "movieId,title")
    with pytest.raises(DataError, match="This folder has no file of interactions that is known by its name") as found:
        files_in(tmp_path)
    assert "Got ['movies.csv']. Accepted: u.data, ratings.dat, ratings.csv" in str(found.value)


def test_a_folder_with_several_candidates_is_refused(tmp_path: Path) -> None:
    for part in ("train", "test"):
        _put(tmp_path, f"ml.{part}.inter", "user_id:token\titem_id:token")
    with pytest.raises(DataError, match="This folder has several files that may be the interactions") as found:
        files_in(tmp_path)
    assert str(found.value).endswith("Give one itself, others with --valid or --test.")
    folder = _small(tmp_path / "set")
    _put(folder, "books.csv", "item_id,title")
    with pytest.raises(DataError, match=r"several files that may be the items.*Name one: --items"):
        files_in(folder)
    assert files_in(folder, ["items"]).items is None


def test_a_changed_file_changes_the_hash_of_the_folder(tmp_path: Path) -> None:
    for make in (_movielens, _recbole, _small):
        folder = make(tmp_path / make.__name__)
        before = hash_of(str(folder))
        _put(folder, files_in(folder).interactions, "user,item", "1,1")
        assert hash_of(str(folder)) != before
