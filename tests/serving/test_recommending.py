"""Lists over HTTP, and what is new of users."""

import json

import numpy as np
import pyarrow as pa
import pytest
from tests.serving.conftest import client_of, sentence

import headwater
from headwater.data.records import Records
from headwater.errors import RequestError
from headwater.recommendation.asking import Wish, answerable
from headwater.recommendation.interactions import Histories
from headwater.recommendation.reasons import falls
from headwater.recommendation.recommender import Asked
from headwater.recommendation.task import Recommendation
from headwater.serving.incoming import Incoming
from headwater.serving.shelf import Shelf
from headwater.settings import Settings


@pytest.fixture
def client(serve, shop):
    return serve(shop)


def _items(answer):
    return [one["item"] for one in answer.json()["items"]]


def test_a_list_is_what_recommend_gives_with_titles(client, shop):
    found = client.post("/recommend", json={"user": "u4", "k": 4}).json()
    expected = headwater.load(shop).recommend(["u4"], k=4)[0]
    assert [(one["item"], one["score"]) for one in found["items"]] == [(one["item"], one["score"]) for one in expected]
    assert found["items"][0]["title"].startswith("Tale ")
    assert found["history"][0]["item"] == "i28"


def test_a_history_alone_and_beside_a_user(client, shop):
    app = headwater.load(shop)
    alone = client.post("/recommend", json={"history": ["i1", "i3", "nothing"]})
    assert _items(alone) == [one["item"] for one in app.recommend(histories=[["i1", "i3"]])[0]]
    assert alone.json()["ignored"] == ["nothing"]
    both = client.post("/recommend", json={"user": "u4", "history": ["i1"]})
    assert _items(both) == [one["item"] for one in app.recommend(["u4"], histories=[["i1"]])[0]]


def test_only_items_whose_columns_hold_what_is_asked(client):
    found = client.post("/recommend", json={"user": "u4", "where": {"genre": "horror"}, "k": 20})
    assert {int(item[1:]) % 4 for item in _items(found)} == {3}
    wrong = client.post("/recommend", json={"user": "u4", "where": {"gender": "horror"}})
    assert wrong.status_code == 404
    assert "There is no column of this name" in sentence(wrong)


def test_reasons_are_the_items_whose_lack_costs_most(client, shop):
    app = headwater.load(shop)
    found = client.post("/recommend", json={"user": "u4", "why": True, "k": 2}).json()["items"]
    history = answerable([Wish("u4")], app.kept).asked.histories.of(0)
    places = app.kept.item_ids.positions([one["item"] for one in found])
    for column, place in enumerate(places):
        without = [[one for one in history if one != left_out] for left_out in history]
        scores = app.recommender.scores(Asked.new(Histories.of_lists([history, *without], 30)))[:, place]
        expected = dict(zip(history.tolist(), (scores[0] - scores[1:]).tolist(), strict=True))
        fallen = falls(app.recommender, history, places)[:, column]
        assert dict(zip(history.tolist(), fallen.tolist(), strict=True)) == pytest.approx(expected)
        told = found[column]["why"]
        assert [one["item"] for one in told] == [one["item"] for one in app.why(found[column]["item"], user="u4")]
        assert all(one["title"] for one in told)


def test_items_like_an_item(client, shop):
    found = client.post("/similar", json={"item": "i2", "k": 3})
    assert _items(found) == [one["item"] for one in headwater.load(shop).similar("i2", k=3)]
    assert "There is no item of this name" in sentence(client.post("/similar", json={"item": "i99"}))
    assert "The body has no item" in sentence(client.post("/similar", json={}))


def test_items_are_found_by_name_and_title_the_popular_first(client):
    assert client.get("/items", params={"q": "tale 11"}).json() == {"items": [{"item": "i11", "title": "Tale 11 of b"}]}
    assert len(client.get("/items", params={"q": " OF A", "limit": 4}).json()["items"]) == 4
    assert client.get("/items", params={"q": "nothing"}).json() == {"items": []}


@pytest.mark.parametrize("limit", ["x", "-1", "\u00b2", "9" * 5000])
def test_a_limit_that_is_no_number_is_refused(client, limit):
    answer = client.get("/items", params={"q": "a", "limit": limit})
    assert answer.status_code == 400
    assert "limit is not a number" in sentence(answer)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "The body has neither a user nor a history"),
        ({"user": "nobody"}, "Nothing can be recommended: the user nobody is not known, and no history was given"),
        ({"history": ["nothing"]}, "Nothing can be recommended: none of these items is known"),
        ({"user": "u1", "k": 0}, "k cannot have this value. Got 0. Accepted: 1 to 1000"),
        ({"user": "u1", "k": True}, "k cannot have this value"),
        ({"user": "u1", "where": []}, "where is not an object"),
        ({"user": "u1", "why": "yes"}, "why is neither true nor false"),
        ({"user": "u1", "history": "i1"}, "history is not a list of items"),
        ({"user": "u1", "history": False}, "history is not a list of items"),
        ({"user": {"a": 1}}, "Column user holds an object, not a name"),
        ({"user": " "}, "A name is empty"),
        (
            {"user": "u1", "wher": {}},
            "The body has a part of an unknown name. Got 'wher'. Accepted: user, history, k, ",
        ),
        ({"history": ["i1"], "where": {"genre": "None"}}, "Ask for another value of where, or leave it out"),
        ({"history": ["nothing"]}, "Search for items with GET /items?q=TEXT."),
        ({"user": "nobody"}, "Name a known user, or give a history."),
    ],
)
def test_a_request_that_asks_for_nothing_is_refused(client, body, told):
    answer = client.post("/recommend", json=body)
    assert answer.status_code in (400, 404)
    assert told in sentence(answer)


def test_what_is_new_is_in_the_answers_from_then_on(client, shop):
    app = headwater.load(shop)
    before = _items(client.post("/recommend", json={"user": "u1"}))
    new = [{"user": "u1", "item": before[0]}, {"user": "fresh", "item": "i2"}, {"user": 7, "item": "i4", "rating": 4.5}]
    assert client.post("/interactions", json={"interactions": new}).json() == {"added": 3, "known": 0}
    after = client.post("/recommend", json={"user": "u1"})
    assert _items(after) == [one["item"] for one in app.recommend(["u1"], histories=[[before[0]]])[0]]
    assert after.json()["history"][0]["item"] == before[0]
    assert _items(client.post("/recommend", json={"user": "fresh"})) == _items(
        client.post("/recommend", json={"history": ["i2"]})
    )
    rows = [{"user": "7"}, {"user": "fresh"}, {"history": ["i2"]}]
    told = client.post("/predict", json={"rows": rows}).json()["predictions"]
    assert told[0]["reason"] is None
    assert told[1] == told[2]


def test_what_is_known_changes_nothing_and_is_not_written_again(client, tmp_path):
    new = {"interactions": [{"user": "u1", "item": "i4"}, {"user": "u4", "item": "i28"}]}
    assert client.post("/interactions", json=new).json() == {"added": 1, "known": 1}
    assert client.post("/interactions", json=new).json() == {"added": 0, "known": 2}
    lines = (tmp_path / "journal" / "000001.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [{"user": "u1", "item": "i4"}]


def test_what_comes_twice_in_a_request_is_written_once(client, tmp_path):
    new = [{"user": "u1", "item": item} for item in ("i4", "i6", "i4")]
    assert client.post("/interactions", json={"interactions": new}).json() == {"added": 2, "known": 1}
    lines = (tmp_path / "journal" / "000001.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["item"] for line in lines] == ["i4", "i6"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"user": "u1", "item": "i99"}, "interaction 2: There is no item of this name"),
        ({"user": "u1"}, "interaction 2: An interaction needs a user and an item"),
        (5, "An interaction needs a user and an item"),
        ({"user": "u1", "item": "i1", "rating": "good"}, "The rating is not a number"),
        ({"user": "u1", "item": "i1", "rating": 10**400}, "The rating is not a number"),
        ({"user": "u1", "item": "i1", "timestamp": float("inf")}, "The timestamp is not a number"),
        ({"user": "\ud800", "item": "i1"}, "not valid Unicode"),
        ({"user": "u1", "item": "i1", "timestamp": 9e12}, "The timestamp lies in the future"),
    ],
)
def test_of_a_request_with_one_that_cannot_be_taken_none_is(client, tmp_path, given, told):
    body = json.dumps({"interactions": [{"user": "u1", "item": "i4"}, given]})
    answer = client.post("/interactions", content=body)
    assert answer.status_code in (400, 404)
    assert told in sentence(answer)
    assert not (tmp_path / "journal").exists()


def test_a_rating_has_to_be_on_the_scale_that_was_learnt_from():
    rows = [(f"u{user}", f"i{item}", float(1 + (user + item) % 5)) for user in range(12) for item in range(6)]
    incoming = Incoming(Recommendation("popularity", Settings()).fit(rows).kept)
    assert incoming.record(1, {"user": "u", "item": "i1", "rating": 5})["rating"] == 5
    with pytest.raises(RequestError, match=r"interaction 3: The rating is not on the scale .* Accepted: 1 to 5"):
        incoming.record(3, {"user": "u", "item": "i1", "rating": 99})


@pytest.mark.parametrize("mark", ["|", "; ", ", ", " "])
def test_a_page_chooses_by_columns_of_few_values_whatever_divides_them(mark):
    genres = [mark.join(("Comedy", "Sci-Fi")), "Drama", "Comedy", mark.join(("Drama", "Sci-Fi"))] * 4
    items = Records(pa.table({"item": [f"i{n}" for n in range(16)], "class": genres,
                              "title": [f"Tale of a {n}" for n in range(16)]}))  # fmt: skip
    kept = Recommendation("popularity", Settings()).fit([(f"u{n}", f"i{n % 16}") for n in range(32)]).kept
    assert Shelf(kept, items).choices() == [{"column": "class", "values": ["Comedy", "Drama", "Sci-Fi"]}]


def test_a_server_that_starts_again_knows_what_was_new_and_the_run_folder_is_as_it_was(shop, tmp_path):
    files = {path: path.read_bytes() for path in shop.rglob("*") if path.is_file()}
    with client_of(shop, journal=str(tmp_path / "new")) as first:
        first.post("/interactions", json={"interactions": [{"user": "later", "item": "i2"}]})
        expected = _items(first.post("/recommend", json={"user": "later"}))
    with client_of(shop, journal=str(tmp_path / "new")) as second:
        assert _items(second.post("/recommend", json={"user": "later"})) == expected
    assert {path: path.read_bytes() for path in shop.rglob("*") if path.is_file()} == files


def test_a_journal_of_before_may_name_items_that_are_gone(serve, shop, tmp_path):
    (tmp_path / "journal").mkdir()
    lines = [{"user": "later", "item": "gone"}, {"user": "later", "item": "i2"}, {"other": 1}]
    (tmp_path / "journal" / "000001.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    found = serve(shop).post("/recommend", json={"user": "later"})
    assert found.json()["history"] == [{"item": "i2", "title": "Tale 2 of a"}]


def test_an_application_without_a_folder_takes_nothing_new(shop):
    from starlette.testclient import TestClient

    from headwater.serving.app import make_app

    with TestClient(make_app(headwater.load(shop)), base_url="http://localhost") as client:
        answer = client.post("/interactions", json={"interactions": [{"user": "u1", "item": "i4"}]})
    assert answer.status_code == 501
    assert "There is no folder for new interactions" in sentence(answer)


def test_about_tells_who_and_what_there_is(client):
    about = client.get("/about").json()
    assert (about["users"], about["items"], about["k"], about["model"]) == (40, 30, 3, "ease")
    assert about["keeps"] is True
    assert about["choices"] == [{"column": "genre", "values": ["Comedy", "Drama", "Horror"]}]
    assert set(about["examples"]) <= {f"u{user}" for user in range(40)}


def test_many_at_once_get_what_each_gets_alone(client):
    from concurrent.futures import ThreadPoolExecutor

    bodies = [{"user": f"u{user}", "k": 1 + user % 4, "why": user % 3 == 0} for user in range(24)]
    alone = [client.post("/recommend", json=body).json() for body in bodies]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda body: client.post("/recommend", json=body).json(), bodies))
    for one, other in zip(alone, together, strict=True):
        assert [item["item"] for item in one["items"]] == [item["item"] for item in other["items"]]
        np.testing.assert_allclose(*([item["score"] for item in found["items"]] for found in (one, other)), rtol=1e-5)


def test_a_rating_that_came_with_an_interaction_counts_where_ratings_do():
    from headwater.serving.live import Live

    rows = [(f"u{user}", f"i{item}", float(1 + (user + item) % 5)) for user in range(12) for item in range(6)]
    kept = Recommendation("popularity", Settings()).fit(rows).kept
    live = Live(kept)
    for user, item, rating in (("u1", "i5", None), ("new", "i2", 1.0), ("new", "i3", None), ("new", "i4", 5.0)):
        live.add(user, item, rating)
    found = answerable([live.wish("new", ("i1",))], kept).asked.histories
    assert [kept.item_ids[item] for item in found.items] == ["i2", "i3", "i4", "i1"]
    mean = float(kept.histories.values.mean())
    assert found.values.tolist() == pytest.approx([1.0, mean, 5.0, mean])


def test_ratings_stay_with_their_items_when_another_thread_adds_some():
    from headwater.recommendation.task import Recommendation
    from headwater.serving.live import Live
    from headwater.settings import Settings

    class Growing(dict):
        """Gets one more item each time somebody looks at its keys alone."""

        def __iter__(self):
            yield from list(super().__iter__())
            self["i5"] = 1.0

    rows = [(f"u{user}", f"i{item}", 3.0) for user in range(12) for item in range(6)]
    live = Live(Recommendation("popularity", Settings()).fit(rows).kept)
    live.add("new", "i2", 4.0)
    live._of["new"] = Growing(live._of["new"])
    assert live.wish("new", ("i1",)) == Wish("new", ("i2", "i1"), (4.0,))
