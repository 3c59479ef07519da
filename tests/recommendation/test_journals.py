"""What a server was told is learnt from beside the ratings that a model was made of."""

import csv

import pytest

import headwater
from headwater.errors import DataError
from headwater.options import build
from headwater.recommendation.preparing import prepare
from headwater.serving.journal import Journal
from headwater.settings import Settings

ROWS = [(user, item, 1 + (user + item) % 5, 1000 + 10 * user + item) for user in range(8) for item in range(user, 12)]


@pytest.fixture
def ratings(tmp_path):
    file = tmp_path / "ratings.csv"
    with file.open("w", newline="") as opened:
        csv.writer(opened).writerows([("user", "item", "rating", "timestamp"), *ROWS])
    return str(file)


def journal(folder, *records):
    kept = Journal(folder, 1 << 20)
    kept.add(records).result()
    kept.close()
    return str(folder)


def prepared(source, **settings):
    return prepare(source, build(Settings, settings), want_test=True)


def found_of(divided, user, item):
    """The value and the time of one pair."""
    known = divided.interactions
    at = (known.users == known.user_ids.positions([user])[0]) & (known.items == known.item_ids.positions([item])[0])
    return known.values[at].tolist(), known.times[at].tolist()


def test_a_journal_stands_beside_the_ratings(tmp_path, ratings):
    folder = journal(
        tmp_path / "run.journal",
        {"user": "7", "item": "0", "rating": 2.0, "timestamp": 5000},
        {"user": "7", "item": "1"},
        {"user": "new", "item": "3"},
    )
    divided = prepared(ratings, journal=folder)
    assert len(divided.interactions) == len(ROWS) + 3
    assert divided.findings["audit"]["journal"] == 3
    assert "3 of these interactions came while serving" in str(divided)
    latest = max(row[3] for row in ROWS)
    own = [row[2] for row in ROWS if row[0] == 7]
    assert found_of(divided, "7", "0") == ([2.0], [5000.0])
    assert found_of(divided, "7", "1") == ([pytest.approx(sum(own) / len(own))], [latest + 2.0])
    every = sum(row[2] for row in ROWS) / len(ROWS)
    assert found_of(divided, "new", "3") == ([pytest.approx(every)], [latest + 3.0])


def test_what_was_liked_again_while_serving_counts_as_it_was_then(tmp_path, ratings):
    folder = journal(tmp_path / "run.journal", {"user": "7", "item": "7", "rating": 1.5})
    assert found_of(prepared(ratings, journal=folder), "7", "7")[0] == [1.5]


def test_rows_of_a_journal_are_learnt_from_where_a_column_says_which_are_held_out(tmp_path):
    rows = [{"user": f"u{n % 4}", "item": f"i{n % 7}", "split": "test" if n % 5 == 0 else "train"} for n in range(40)]
    folder = journal(tmp_path / "run.journal", {"user": "u0", "item": "i6", "rating": 3})
    table = {name: [row[name] for row in rows] for name in rows[0]}
    plain, beside = prepared(table, split="split"), prepared(table, split="split", journal=folder)
    assert len(beside.test) <= len(plain.test)
    assert not beside.interactions.rated


def test_a_damaged_line_is_told_and_left_out(tmp_path, ratings, caplog):
    folder = journal(tmp_path / "run.journal", {"user": "7", "item": "0"})
    file = tmp_path / "run.journal" / "000001.jsonl"
    mended = (
        b'{"item": "2"}\n{"user": "7", "item": "1", "rating": "good"}\n{"user": "7", "item": "1", "timestamp": NaN}\n'
    )
    file.write_bytes(b'{"user": "7"\n[1]\n' + mended + file.read_bytes())
    assert prepared(ratings, journal=folder).findings["audit"]["journal"] == 1
    assert "000001.jsonl:1: this line of the journal is damaged, and left out" in caplog.text
    assert caplog.text.count("a line of the journal is no interaction, and left out") == 3
    assert "000001.jsonl:2: this line of the journal is damaged, and left out" in caplog.text


def test_a_folder_without_a_journal_is_refused(tmp_path, ratings):
    for folder, got in ((tmp_path / "none", "no folder"), (tmp_path, "ratings.csv")):
        with pytest.raises(DataError, match="There is no journal in this folder") as caught:
            prepared(ratings, journal=str(folder))
        assert got in str(caught.value)
        assert "RUN.journal with 000001.jsonl" in str(caught.value)


def test_a_model_made_anew_knows_who_came_while_serving(tmp_path, ratings):
    folder = journal(tmp_path / "run.journal", *({"user": "eve", "item": str(item)} for item in range(6)))
    app = headwater.adapt("recommendation", ratings, model="ease", journal=folder, to=tmp_path / "new", k=3)
    (found,) = app.recommend(["eve"])
    assert {one["item"] for one in found} <= {str(item) for item in range(6, 12)}
