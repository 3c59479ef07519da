"""What is found out about the data before anything is learnt, and data that does not fit together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import headwater
from headwater.errors import DataError, SettingError
from headwater.recommendation.preparing import prepare
from headwater.settings import Settings

PAIRS = [(user, 100 + item) for user in range(12) for item in range(30) if (user + item) % 3]


def _items(folder: Path, header: str, *rows: str) -> str:
    (folder / "items.csv").write_text("\n".join([header, *rows]), "utf-8")
    return str(folder / "items.csv")


def _told(items: str, **settings: Any) -> str:
    return str(prepare(PAIRS, Settings(items=items, **settings), want_test=True))


def test_a_table_is_told_with_how_far_it_fits(tmp_path: Path) -> None:
    items = _items(tmp_path, "item_id,title", *(f"{100 + item},Film {item}" for item in range(40)))
    assert "items    40 rows of items.csv by item_id; all are described" in _told(items)
    items = _items(tmp_path, "item_id,title", *(f"{100 + item},Film {item}" for item in range(10)), "100,Twice")
    told = _told(items, quarantine_share=0.2)
    assert "items    10 rows of items.csv by item_id, 1 set aside; 20 others have no row" in told
    assert "rows     240 usable, 0 set aside" in told
    assert "warning  The table of items describes 10 of 30 items only." in told


@pytest.mark.parametrize("header", ["item_id,title", "title,code"])
def test_a_table_of_other_names_is_refused(tmp_path: Path, header: str) -> None:
    items = _items(tmp_path, header, *(f"Film {item},{item}" for item in range(40)))
    with pytest.raises(DataError, match="The table of items does not tell of the items of the interactions") as found:
        _told(items)
    assert "items such as Film 0, Film 1, Film 2 in column" in str(found.value)
    assert "a column called item_id or the like, or in the first one" in str(found.value)


def test_a_guessed_column_must_have_most_names(tmp_path: Path) -> None:
    items = _items(tmp_path, "title,code", "107,1", *(f"Film {item},{item}" for item in range(40)))
    with pytest.raises(DataError, match="does not tell of the items"):
        _told(items)


def test_a_table_that_repeats_its_names_is_refused(tmp_path: Path) -> None:
    items = _items(tmp_path, "item_id,tag", *(f"{100 + item % 30},tag {item}" for item in range(60)))
    with pytest.raises(DataError, match=r"30 of 60 rows \(50.0 %\) cannot be used.*the item 100 came before"):
        _told(items)


@pytest.mark.parametrize(("more", "kind"), [("140", int), ("x140", str)])
def test_numbers_of_a_table_and_texts_of_a_file_are_of_one_kind(tmp_path: Path, more: str, kind: type) -> None:
    items = _items(tmp_path, "item_id,title", *(f"{100 + item},Film {item}" for item in range(30)), f"{more},New")
    app: Any = headwater.adapt("recommendation", PAIRS, items=items, k=3)
    assert {type(name) for name in app.kept.item_ids.names} == {kind}
    assert more in {str(name) for name in app.kept.item_ids.names}


def test_whole_numbers_written_as_floats_are_the_same_names(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("\n".join(["user,item", *(f"{u}.0,{i}.0" for u, i in PAIRS)]))
    items = _items(tmp_path, "item_id,title", *(f"{100 + item},Film {item}" for item in range(30)))
    app: Any = headwater.adapt("recommendation", tmp_path / "ratings.csv", items=items, k=3)
    assert len(app.titles()) == 30
    assert app.recommend(["7"])[0] == app.recommend(["7.0"])[0] == app.recommend([7])[0]


def test_few_users_and_items_are_told() -> None:
    told = str(prepare([("ann", item) for item in range(12)], Settings(), want_test=True))
    assert "data     12 interactions of 1 user with 12 items" in told
    assert "warning  There is 1 user only: what others did can tell hardly anything." in told
    assert "warning  There are 12 items only: any list of ten holds most of them." in told


def test_a_cold_test_says_what_it_ranks_and_who_cannot() -> None:
    report = headwater.adapt("recommendation", PAIRS, protocol="cold-items", model="popularity", k=3).report
    assert report is not None
    notes = " ".join(report.notes)
    assert "these items alone are ranked, and the first 3 count. 12 users were measured." in notes
    assert "popularity cannot tell new items apart: a model of content, such as hybrid or tfidf, can." in notes


def test_times_are_left_out_when_nobody_wants_them(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("\n".join(["user,item,date", *(f"{u},{i},31.07.2026" for u, i in PAIRS)]))
    with pytest.raises(DataError, match="the time is neither a number nor an ISO 8601 date"):
        prepare(str(tmp_path / "ratings.csv"), Settings(), want_test=True)
    found = prepare(str(tmp_path / "ratings.csv"), Settings(time="no"), want_test=True)
    assert found.interactions.times is None
    assert found.findings["split"]["rule"] == "random"


def test_columns_of_a_table_that_is_not_there_are_refused() -> None:
    with pytest.raises(SettingError, match="text names columns of the table of items, which is not given"):
        prepare(PAIRS, Settings(text=("title",)), want_test=True)


def test_one_column_cannot_be_both() -> None:
    rows = {"user": ["a", "b"], "item": ["x", "y"]}
    with pytest.raises(DataError, match=r"One column cannot hold both users and items.*--user and --item"):
        prepare(rows, Settings(item="user"), want_test=True)
