"""Items by what people call them, and what is said where they call them otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.cli.commands import type_in

import headwater
from headwater.errors import NotFoundError, SettingError
from headwater.recommendation.calling import Called, unknown_user
from headwater.recommendation.ids import Ids

TITLES = ["Heat (1995)", "Fargo", "Godfather, The (1972)", "Body Snatchers", "Body Snatchers", None]


@pytest.fixture
def called() -> Called:
    return Called(Ids([11, 12, 13, 14, 15, 16]), TITLES)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a recommender whose items have numbers for names, and titles."""
    place = tmp_path_factory.mktemp("films")
    titles = ["Fargo (1996)", "Heat (1995)", "Godfather, The (1972)", *(f"Film {item}" for item in range(3, 12))]
    rows = [f'{101 + item},"{title}",{"odd" if item % 2 else "even"}' for item, title in enumerate(titles)]
    (place / "items.csv").write_text("\n".join(["item_id,title,kind", *rows]))
    pairs = [(user, 101 + item) for user in range(12) for item in range(12) if (user + item) % 3]
    headwater.adapt("recommendation", pairs, items=str(place / "items.csv"), k=3, to=place / "run")
    return place / "run"


def test_a_name_comes_before_a_title_and_a_year_may_be_left_out(called: Called) -> None:
    assert [called.find(name) for name in ("12", 12, "fargo", "HEAT", "Heat (1995)", "godfather,  the")] == [
        12, 12, 12, 11, 11, 13,
    ]  # fmt: skip
    assert Called(Ids(["a", "b"]), ["b", "x"]).find("b") == "b"
    assert called.all(["Fargo", "nothing"]) == [12, "nothing"]


def test_a_title_of_several_items_is_refused_with_their_names(called: Called) -> None:
    with pytest.raises(NotFoundError, match=r"Several items have this title.*Accepted: 14, 15. Name one of these"):
        called.one("body snatchers")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Godfather", "Did you mean 'Godfather, The (1972)'?"),
        ("Farggo", "Did you mean Fargo?"),
        ("111", "Did you mean 11?"),
        ("quite another", "Look it up in the data that the application was made of."),
    ],
)
def test_an_unknown_item_is_told_with_near_ones(called: Called, name: str, near: str) -> None:
    with pytest.raises(NotFoundError, match="There is no item of this name or title") as found:
        called.one(name)
    assert "Accepted: names such as 11, 12, 13, or titles such as 'Heat (1995)'" in str(found.value)
    assert near in str(found.value)


def test_an_unknown_user_is_told_with_near_ones() -> None:
    told = str(unknown_user("anne", Ids(["ann", "bob"])))
    assert "There is no user of this name. Got 'anne'. Accepted: users such as ann, bob. Did you mean ann?" in told
    assert told.endswith("Of somebody new, give the history.")


def test_python_takes_titles_wherever_it_takes_items(films: Path) -> None:
    app: Any = headwater.load(films)
    assert app.recommend(histories=[["Fargo", "heat"]]) == app.recommend(histories=[[101, 102]])
    assert app.similar("Fargo") == app.similar(101)
    assert app.why("Film 3", history=["Fargo"]) == app.why(104, history=["101"])
    for k in (0, 2000):
        with pytest.raises(SettingError, match=rf"k cannot have this value. Got {k}. Accepted: 1 to 1000"):
            app.recommend([1], k=k)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--user", "99"), "There is no user of this name. Got '99'"),
        (("--history", "Fargo,Haet"), "There is no item of this name or title. Got 'Haet'"),
        (("--like", "Film"), "Did you mean 'Film 3' or 'Film 4' or 'Film 5'?"),
        (("--user", "3", "--like", "101"), "--like stands neither beside --user nor beside --history"),
        (("--user", "3", "--where", "kind=strange"), "No item is left to recommend. Got '3'. Ask for another value"),
        (("--user", "3", "--k", "0"), "k cannot have this value"),
        ((), "recommend needs --user, --history, or --like"),
    ],
)
def test_the_command_says_what_is_wrong(films: Path, words: tuple[str, ...], told: str) -> None:
    ended = type_in("recommend", films, *words)
    assert ended.exit_code == 2
    assert told in ended.stderr


def test_the_only_item_of_a_history_speaks_for_the_list(films: Path) -> None:
    app: Any = headwater.load(films)
    assert [one["item"] for one in app.why(104, history=["Fargo"])] == [101]


def test_the_command_takes_titles_with_commas(films: Path) -> None:
    one = type_in("recommend", films, "--history", "Godfather, The").stdout
    assert one == type_in("recommend", films, "--history", "103").stdout
    both = type_in("recommend", films, "--history", "Godfather, The; Fargo", "--why").stdout
    assert both == type_in("recommend", films, "--history", "103,101", "--why").stdout
    assert type_in("recommend", films, "--user", "new", "--history", "103").stdout == one


def test_a_table_without_users_is_told_what_is_wanted(films: Path, tmp_path: Path) -> None:
    (tmp_path / "who.csv").write_text("who\n3\n")
    told = type_in("predict", films, tmp_path / "who.csv").stderr
    assert "There is no column of this name for users, nor one for histories. Got ['who']" in told
    assert "Accepted: user or history, or both. Name one of them so." in told
