"""The application: read, divided, learnt from, asked, measured, kept."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from tests.cli.commands import type_in
from tests.contract.interactions import baskets

import headwater
from headwater.errors import DataError, NotFoundError, SettingError
from headwater.recommendation import choosing
from headwater.recommendation.autoencoder import Ease
from headwater.recommendation.recommender import Known, Recommender
from headwater.recommendation.task import Recommendation
from headwater.settings import Settings

BASKETS = baskets(40)
PAIRS = [(user, item) for user, items in zip(BASKETS["user"], BASKETS["item"], strict=True) for item in items]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("shelves")
    rows = [
        f"{user},{item},{1 + (len(item) + row) % 5},{1_000_000_000 + row}" for row, (user, item) in enumerate(PAIRS)
    ]
    (place / "ratings.csv").write_text("\n".join(["user,item,rating,timestamp", *rows]))
    items = [f"{shelf}{item},The {shelf} number {item},{'red|round' if item % 2 else 'blue'}"
             for shelf in "ab" for item in range(14)]  # fmt: skip
    (place / "items.csv").write_text("\n".join(["item,title,colour", *items, "c1,Nobody's,red"]))
    return place


@pytest.fixture(scope="module")
def app(folder: Path) -> Any:
    return headwater.adapt(
        "recommendation", folder / "ratings.csv", items=str(folder / "items.csv"), k=4, to=folder / "run"
    )


def _fit(data: Any = PAIRS, **settings: Any) -> Any:
    return headwater.adapt("recommendation", data, **{"k": 4, **settings})


def test_any_form_of_the_same_interactions_is_learnt_alike(folder: Path) -> None:
    users, items = (
        {name: place for place, name in enumerate(sorted(set(names)))} for names in zip(*PAIRS, strict=True)
    )
    numbers = [(users[user], items[item]) for user, item in PAIRS]
    matrix = sparse.csr_matrix((np.ones(len(PAIRS)), tuple(zip(*sorted(numbers), strict=True))))
    tuples = [(*pair, 1.0) for pair in sorted(numbers)]
    reports = [_fit(data).report for data in (sorted(numbers), matrix, tuples)]
    assert len({json.dumps(report.sections()["metrics"]) for report in reports}) == 1


def test_a_history_adds_to_a_known_user_and_makes_a_new_one(app: Any) -> None:
    known, new, both = app.predict(
        {"user": ["u0", None, "u0"], "history": [None, "b1|b2", '["b1", "b2", "b3"]']}
    ).labels
    assert {one["item"][0] for one in known} == {"a"}
    assert {one["item"][0] for one in new} == {"b"}
    assert {one["item"] for one in both}.isdisjoint({"b1", "b2", "b3"})
    assert app.recommend(["u0"], k=2)[0] == known[:2]
    assert [one["item"] for one in app.predict([["b1", "b2"]])[0]] == [one["item"] for one in new]


def test_seen_items_stay_away_unless_they_are_wanted(app: Any) -> None:
    kept = app.kept
    seen = {kept.item_ids[place] for place in kept.histories.of(int(kept.user_ids.positions(["u3"])[0])).tolist()}
    assert seen.isdisjoint(one["item"] for one in app.recommend(["u3"], k=21)[0])
    again = _fit(exclude_seen=False)
    assert not seen.isdisjoint(one["item"] for one in again.recommend(["u3"], k=14)[0])


def test_items_are_chosen_by_their_columns(app: Any) -> None:
    found = app.recommend(["u0"], where={"colour": "round"}, k=5)[0]
    assert all(int(one["item"][1:]) % 2 for one in found)
    with pytest.raises(NotFoundError, match="There is no column of this name"):
        app.recommend(["u0"], where={"color": "red"})
    with pytest.raises(SettingError, match="Nothing is told of the items"):
        _fit().recommend(["u0"], where={"colour": "red"})


def test_an_item_that_nobody_had_is_never_recommended_by_ease(app: Any) -> None:
    assert "c1" not in {one["item"] for one in app.recommend(["u0"], k=40)[0]}
    with pytest.raises(NotFoundError, match="There is no item of this name"):
        app.similar("c2")


def test_like_items_are_of_the_same_shelf(app: Any) -> None:
    assert {one["item"][0] for one in app.similar("a1", k=3)} == {"a"}
    assert "a1" not in {one["item"] for one in app.similar("a1", k=40)}


def test_what_speaks_for_an_item_is_what_its_score_falls_by(app: Any) -> None:
    found = app.why("a1", history=["a2", "b3", "a4"], most=2)
    weights, place = app.recommender.weights, {str(name): at for at, name in enumerate(app.kept.item_ids.names)}
    falls = {name: weights[place[name], place["a1"]] for name in ("a2", "b3", "a4")}
    assert [one["item"] for one in found] == sorted(falls, key=lambda name: -falls[name])[:2]
    assert found[0]["score"] == pytest.approx(max(falls.values()), abs=1e-6)
    with pytest.raises(DataError, match="the user nobody is not known, and no history was given"):
        app.why("a1", user="nobody")


def test_neither_users_nor_histories_is_refused(app: Any) -> None:
    with pytest.raises(SettingError, match="recommend needs users, histories, or as many of both"):
        app.recommend()


@pytest.mark.parametrize("users", ["u1", 7])
def test_one_user_is_no_list(app: Any, users: Any) -> None:
    with pytest.raises(SettingError, match="The users are no list of names") as found:
        app.recommend(users)
    assert str(found.value).endswith(f"Give [{users!r}].")


def test_a_column_of_users_counts_by_its_order(app: Any) -> None:
    column = pd.Series(["u0", "u1", "u2"]).tail(2)
    assert app.recommend(column) == app.recommend(["u1", "u2"])


@pytest.mark.parametrize("histories", [["a1", "a2"], [1], "a1"])
def test_items_are_no_list_of_histories(app: Any, histories: Any) -> None:
    with pytest.raises(SettingError, match="The histories are no list of lists of items"):
        app.recommend(histories=histories)
    with pytest.raises(SettingError, match="The histories are no list of lists of items"):
        app.why("a1", history="a2")


@pytest.mark.parametrize("protocol", ["random", "stratified", "time", "leave-last-out", "cold-users"])
def test_every_protocol_is_measured_and_told(folder: Path, protocol: str) -> None:
    found = _fit(folder / "ratings.csv", protocol=protocol).report
    assert found.notes[0].startswith("Protocol: ")
    assert set(found.baselines) == {"popularity"}
    assert found.metrics["ndcg"].value >= 0
    assert found.split["rule"] == protocol


def test_cold_items_alone_are_ranked(folder: Path) -> None:
    found = _fit(folder / "ratings.csv", protocol="cold-items")
    assert found.report.metrics["auc"].value == 0.5
    assert found.report.metrics["ndcg"].value == 0


def test_files_of_their_own_and_a_column_hold_the_test(tmp_path: Path) -> None:
    parts = ["test" if row % 7 == 6 else "train" for row in range(len(PAIRS))]
    rows = [f"{user},{item},{part}" for (user, item), part in zip(PAIRS, parts, strict=True)]
    (tmp_path / "all.csv").write_text("\n".join(["user,item,part", *rows]))
    (tmp_path / "test.csv").write_text("\n".join(["user,item", *(f"{u},{i}" for u, i in PAIRS[6::7])]))
    by_column = _fit(tmp_path / "all.csv", split="part")
    by_file = _fit(tmp_path / "all.csv", test=str(tmp_path / "test.csv"))
    assert by_column.report.rows["test"] == by_file.report.rows["test"] == len(PAIRS[6::7])
    assert by_column.report.metrics["ndcg"] == by_file.report.metrics["ndcg"]
    with pytest.raises(SettingError, match="A column and files both say which rows are held out"):
        _fit(tmp_path / "all.csv", split="part", test=str(tmp_path / "test.csv"))
    with pytest.raises(DataError, match="A cell of column item names no part"):
        _fit(tmp_path / "all.csv", split="item")
    with pytest.raises(NotFoundError, match="There is no column of this name"):
        _fit(tmp_path / "all.csv", split="parts")


def test_validation_rows_may_be_in_memory() -> None:
    app = Recommendation("ease", Settings(k=4)).fit(PAIRS[::2], PAIRS[1::2])
    kept = app.kept
    assert kept is not None
    assert len(kept.histories.items) == len(PAIRS)


def test_a_model_that_chooses_gets_rows_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}

    def fit(self: Any, known: Known, held_out: Any, run: Any) -> Any:
        seen[self.chooses] = len(known.interactions), held_out
        return learn(self, known, held_out, run)

    learn = Ease.fit
    monkeypatch.setattr(Ease, "fit", fit)
    monkeypatch.setattr(choosing, "baselines", lambda *_: {})
    plain = _fit()
    monkeypatch.setattr(Ease, "chooses", True)
    chosen = _fit()
    assert seen[False][1] is None
    assert seen[False][0] == seen[True][0] + len(seen[True][1])
    assert len(plain.kept.histories.items) == len(chosen.kept.histories.items) > chosen.kept.learnt.sum()
    assert chosen.trace.stages[0].name == "ease"


def test_what_was_liked_is_a_matter_of_the_rating(folder: Path) -> None:
    every = _fit(folder / "ratings.csv").report
    liked = _fit(folder / "ratings.csv", relevant_from=4).report
    users = [int(re.findall(r"(\d+) users were measured", report.notes[0])[0]) for report in (liked, every)]
    assert users[0] < users[1]
    with pytest.raises(DataError, match="No rating is as high as what counts as liked"):
        _fit(folder / "ratings.csv", relevant_from=9)


def test_rows_that_come_again_are_one(app: Any) -> None:
    twice = _fit([*PAIRS, *PAIRS[:50]]).report
    assert twice.audit["merged"] == 50
    assert twice.audit["rows"] == len(PAIRS)


def test_known_rows_are_told_when_they_are_measured(app: Any, folder: Path) -> None:
    notes = " ".join(app.evaluate(folder / "ratings.csv").notes)
    assert "Protocol: the rows that were given" in notes
    assert "of these rows are known already" in notes
    with pytest.raises(DataError, match="No row is of an item that the application knows"):
        app.evaluate([("u0", "zzz")])
    assert "were not there to learn from" in " ".join(app.evaluate([("u0", "zzz"), ("v", "a1")]).notes)


def test_orphans_of_a_table_are_counted(app: Any) -> None:
    told = app.report.audit["tables"]["items"]
    assert (told["without_interactions"], told["not_described"]) == (1, 0)


def test_an_empty_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item,title\n")
    with pytest.raises(DataError, match="The table of items has no rows"):
        _fit(items=str(tmp_path / "items.csv"))


def test_settings_without_a_part_are_refused() -> None:
    with pytest.raises(SettingError, match=r"target has no part in recommendation.*--user and --item"):
        _fit(target="item")


def test_too_few_interactions_are_refused() -> None:
    with pytest.raises(DataError, match="No interaction is left to test on"):
        _fit([("u", "a"), ("v", "b")])


def test_a_model_says_what_the_data_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    class Needy(Recommender):
        needs = ("ratings", "times", "item text")

    prepared = _fit().prepare(PAIRS)
    with pytest.raises(SettingError, match="needy needs a column of ratings"):
        choosing.refuse_lack(Needy, prepared, "needy")


def test_the_page_shows_lists_and_groups(app: Any, folder: Path) -> None:
    page = (folder / "run" / "report.html").read_text("utf-8")
    for words in ("By how active users are", "By how popular items are", "The a number", "NDCG", "Novelty"):
        assert words in page
    assert {row["group"] for row in app.report.lists["activity"]}


def test_many_items_leave_ease_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "MOST_ITEMS", 5)
    found = _fit(model="popularity").report
    assert found.baselines == {}
    assert "The baseline ease is left out" in " ".join(found.notes)


def test_recommend_on_the_command_line(app: Any, folder: Path) -> None:
    shown = type_in("recommend", folder / "run", "--user", "u0", "--why", "--where", "colour=blue", "--k", 2).stdout
    assert "The a number" in shown
    assert "because of" in shown
    assert "a2" in type_in("recommend", folder / "run", "--history", "a1,a3", "--k", 12).stdout
    assert "score" in type_in("recommend", folder / "run", "--like", "a1").stdout
    for words, sentence in (
        ((), "recommend needs --user, --history, or --like"),
        (("--user", "nobody"), "There is no user of this name"),
        (("--user", "u0", "--where", "blue"), "A column needs a name and a value"),
    ):
        ended = type_in("recommend", folder / "run", *words)
        assert ended.exit_code == 2
        assert sentence in ended.stderr
    assert "Ask with: headwater recommend" in type_in("predict", folder / "run", "--say", "u0").stderr


def test_another_application_recommends_nothing(tmp_path: Path) -> None:
    rows = [{"text": f"{word} {row}", "label": word} for row in range(30) for word in ("good", "bad")]
    headwater.adapt("text-classification", rows, model="tfidf-logistic", to=tmp_path / "run")
    assert "This application recommends nothing" in type_in("recommend", tmp_path / "run", "--user", "u").stderr


def test_settings_of_other_tasks_are_theirs() -> None:
    with pytest.raises(SettingError, match="k has a part only with tasks of the field Item"):
        headwater.adapt("text-classification", [{"text": "a", "label": 1}], model="tfidf-logistic", k=3)
    assert Settings().protocol == "auto"
