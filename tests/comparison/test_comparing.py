"""Two data sets side by side: what is told of them, what is not claimed, and what cannot be compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.evaluation.test_html import Outline
from tests.tiny import make_bert

import headwater
from headwater.comparison.comparison import Comparison
from headwater.errors import ArtifactError, DataError, NotFoundError, SettingError

FILMS = ("film", "plot", "actor", "scene", "screen", "director")
BOOKS = ("book", "page", "author", "chapter", "story", "reader")
RATED = {"good": ("fine", "warm", "bright"), "bad": ("dull", "cold", "grim")}


def table(things: tuple[str, ...], rows: int = 60, start: int = 0, good: int = 2) -> dict[str, list[Any]]:
    """Texts about things; one in `good` of them is labelled good."""
    found: dict[str, list[Any]] = {"text": [], "label": []}
    for row in range(start, start + rows):
        label = "good" if row % good == 0 else "bad"
        words = [*RATED[label], *things]
        picked = " ".join(words[(row * step + row // 5) % len(words)] for step in (1, 2, 4, 5))
        found["text"].append(f"a {picked} of number {row * 7919 % 10007} in {row * 6007 % 997} {row}")
        found["label"].append(label)
    return found


def compare(*data: Any, **settings: Any) -> Comparison:
    return headwater.compare(*data, model="tfidf-logistic", **settings)


@pytest.fixture(scope="module")
def apart() -> Comparison:
    return compare(table(FILMS), table(BOOKS, start=100, good=4))


def test_sets_of_different_words_differ_and_the_words_are_named(apart: Comparison) -> None:
    assert apart.differs
    assert apart.proxy is not None
    assert apart.proxy.low > 0.5
    assert {word["word"] for word in apart.words["target"]} <= set(BOOKS) | {"dull", "cold", "grim"}
    assert {word["word"] for word in apart.words["source"]} & set(FILMS)
    assert apart.distance["mmd"]["p"] < 0.01
    assert "The sets differ: a classifier on the model's features told" in str(apart)
    assert "More in the target: " in str(apart)


def test_examples_are_rows_of_their_side_with_their_place(apart: Comparison) -> None:
    sides = {"source": table(FILMS)["text"], "target": table(BOOKS, start=100, good=4)["text"]}
    for side, texts in sides.items():
        assert len(apart.examples[side]) == 5
        for row in apart.examples[side]:
            assert texts[int(row["place"].removeprefix("row ")) - 1] == row["text"]
            assert (row["likeness"] > 0.5) == (side == "target")


def test_the_map_has_every_row_once(apart: Comparison) -> None:
    assert len(apart.map) == 120
    assert sum(point["side"] == "source" for point in apart.map) == 60
    means = {side: sum(p["x"] for p in apart.map if p["side"] == side) for side in ("source", "target")}
    assert means["source"] < 0 < means["target"]


def test_label_shift_is_told_apart(apart: Comparison) -> None:
    assert apart.labels["p"] < 0.01
    assert apart.labels["moved"] == pytest.approx(0.25)
    assert apart.equal_shares["classes"] == 2
    assert apart.equal_shares["p"] < 0.01
    assert "the inputs of like classes differ" in str(apart)


def test_like_sets_are_not_called_different_and_nothing_else_is_claimed() -> None:
    found = compare(table(FILMS), table(FILMS, start=500))
    assert found.differs is False
    assert "No difference was found (p = 0." in str(found)
    assert "With 60 and 60 rows, a small one may be there unseen." in str(found)
    assert found.examples == {}
    assert found.equal_shares == {}
    assert "The class shares do not differ beyond chance" in str(found)


def test_copies_come_first() -> None:
    source, target = table(FILMS), table(FILMS, start=500)
    target["text"][3] = source["text"][7].upper() + "!"
    found = compare(source, target)
    assert (found.copies["rows"], found.copies["exact"]) == (1, 1)
    assert found.copies["examples"][0]["target"] == "row 4"
    assert found.copies["examples"][0]["source"] == "row 8"
    assert (
        str(found).splitlines()[2].startswith("1 target row also stands in the source (1.7 % of the target; 1 exactly")
    )


def test_a_set_with_itself_is_all_copies_and_no_difference() -> None:
    found = compare(table(FILMS), table(FILMS))
    assert found.differs is False
    assert found.copies["share"] == 1.0
    assert found.distance["auc"]["value"] == 0.5


@pytest.mark.parametrize(
    ("sides", "sentence"),
    [
        (("source",), "The target has no labels: whether the class shares differ cannot be told."),
        (("target",), "The source has no labels"),
        ((), "Neither side has labels"),
    ],
)
def test_labels_may_be_absent(sides: tuple[str, ...], sentence: str) -> None:
    data = {"source": table(FILMS), "target": table(BOOKS, start=100)}
    whole = [rows if side in sides else {"text": rows["text"]} for side, rows in data.items()]
    assert sentence in str(compare(*whole))
    empty = [rows if side in sides else {**rows, "label": [None] * 60} for side, rows in data.items()]
    assert sentence in str(compare(*empty))


def test_labels_and_columns_may_be_named_differently() -> None:
    other = table(BOOKS, start=100)
    renamed = {"review": other["text"], "sentiment": [{"good": 1, "bad": 0}[label] for label in other["label"]]}
    found = compare(table(FILMS), renamed, target="sentiment", text="review")
    assert found.target["columns"] == {"input": ["review"], "label": ["sentiment"]}
    assert found.source == {**(found.source or {}), "columns": {"input": ["text"], "label": ["label"]}}
    assert "The sides have no class in common" in found.labels["sentence"]


def test_several_labels_a_row_are_one_class() -> None:
    data = [table(FILMS), table(BOOKS, start=100)]
    tagged = [{**rows, "label": [[label, "long"] for label in rows["label"]]} for rows in data]
    assert [row["name"] for row in compare(*tagged).labels["shares"]] == ["bad, long", "good, long"]


def test_a_class_of_one_side_is_named_and_left_out_of_equal_shares() -> None:
    target = table(BOOKS, start=100)
    target["label"][:10] = ["odd"] * 10
    found = compare(table(FILMS), target)
    assert "Only in the target: odd." in found.labels["sentence"]
    assert found.equal_shares["classes"] == 2


def test_few_rows_of_common_classes_are_not_measured() -> None:
    target = table(BOOKS, start=100, rows=40)
    target["label"] = ["odd"] * 30 + target["label"][30:]
    found = compare(table(FILMS), target)
    assert "fewer than 20 rows of a side are left: nothing is measured" in found.equal_shares["sentence"]


def test_pairs_are_compared() -> None:
    data = [table(FILMS), table(BOOKS, start=100)]
    pairs = [{"left": rows["text"], "right": rows["text"][::-1]} for rows in data]
    assert compare(*pairs, text=("left", "right")).differs


def test_bad_rows_are_set_aside_and_counted() -> None:
    source = table(FILMS)
    source["text"][5] = None
    source["label"][6] = None  # an input without a label is as good as any here
    found = compare(source, table(BOOKS, start=100))
    assert found.source is not None
    assert (found.source["rows"], found.source["quarantine"]["count"]) == (59, 1)
    with pytest.raises(DataError, match=r"1 of 60 rows \(1.7 %\) cannot be used, more than 1.0 %"):
        compare(source, table(BOOKS), quarantine_share=0.01)


def test_at_most_so_many_rows_are_drawn_and_the_seed_repeats_them(apart: Comparison) -> None:
    data = table(FILMS), table(BOOKS, start=100)
    first, again, other = (compare(*data, rows=30, seed=seed) for seed in (1, 1, 2))
    assert (first.target["rows"], first.target["compared"]) == (60, 30)
    assert len(first.map) == 60
    assert {**first.sections(), "provenance": 0} == {**again.sections(), "provenance": 0}
    assert first.map != other.map


# Errors


def test_few_rows_cannot_be_compared() -> None:
    with pytest.raises(DataError, match=r"There are too few usable rows to compare\. Got 19\. Accepted: 20 or more"):
        compare(table(FILMS), table(BOOKS, rows=19))
    with pytest.raises(DataError, match="too few usable rows to compare"):
        compare(table(FILMS, rows=5))


def test_a_file_is_not_compared_with_itself(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("text\n" + "\n".join(table(FILMS)["text"]))
    with pytest.raises(SettingError, match=r"The source and the target are one file\. Got .*a\.csv'\. Give two"):
        compare(file, f"{tmp_path}/../{tmp_path.name}/a.csv")


@pytest.mark.parametrize(("settings", "column"), [({"text": "txt"}, "txt"), ({"target": "labl"}, "labl")])
def test_a_column_of_neither_side_is_refused(settings: dict[str, str], column: str) -> None:
    with pytest.raises(NotFoundError, match=f"There is no column of this name. Got '{column}'. .*Did you mean"):
        compare(table(FILMS), table(BOOKS), **settings)


def test_data_that_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No column holds text"):
        compare(table(FILMS), {"number": list(range(30))})
    with pytest.raises(DataError, match="There are column names but no rows"):
        compare({"text": []}, table(FILMS))
    with pytest.raises(NotFoundError, match="There is no file or folder here"):
        compare(table(FILMS), tmp_path / "gone.csv")


def test_a_setting_of_learning_is_none_of_compare() -> None:
    with pytest.raises(SettingError, match=r"There is no setting of this name\. Got 'epochs'"):
        compare(table(FILMS), table(BOOKS), epochs=3)
    with pytest.raises(SettingError, match=r"rows cannot have this value\. Got 3\. Accepted: 20 to 5000"):
        compare(table(FILMS), table(BOOKS), rows=3)


# One data set alone


def test_of_a_basic_model_and_one_set_no_distance_is_told() -> None:
    found = compare(table(FILMS))
    assert found.differs is None
    assert found.proxy is None
    assert found.distance == {}
    assert "No distance was measured: one data set came" in str(found)
    assert "tfidf-logistic is a basic model: no data stands behind it" in str(found)
    assert {number["name"] for number in found.numbers} == {"characters", "words", "script: Latin"}


def test_of_a_foundation_its_reading_and_its_card_are_told(tmp_path: Path) -> None:
    folder = make_bert(tmp_path / "tiny")
    found = headwater.compare(table(FILMS), model=str(folder), offline=True)
    numbers = {number["name"]: number["target"] for number in found.numbers}
    assert numbers["for this model: pieces unknown to it"] > 0.3
    assert numbers["for this model: texts longer than the 64 tokens it reads"] == 0
    assert "Nothing that came with" in str(found)
    (folder / "README.md").write_text("---\ndatasets:\n- wiki\n- news\n---\n")
    said = str(headwater.compare(table(FILMS), model=str(folder), offline=True))
    assert "names 2 data sets that it learnt from: wiki, news." in said
    assert f"To measure: headwater compare SOURCE TARGET --model {folder}, with rows of such data as SOURCE." in said


def test_of_a_run_its_data_is_told(tmp_path: Path) -> None:
    folder, rows = make_bert(tmp_path / "tiny"), tmp_path / "films.csv"
    films = table(FILMS)
    rows.write_text("text,label\n" + "\n".join(map(",".join, zip(films["text"], films["label"], strict=True))))
    headwater.adapt("text-classification", rows, model=str(folder), strategy="probe", to=tmp_path / "run", offline=True)
    said = str(headwater.compare(table(BOOKS), model=str(tmp_path / "run"), offline=True))
    assert f"was adapted on {rows}." in said
    assert f"headwater compare {rows} TARGET --model {tmp_path / 'run'}." in said


def test_pairs_are_not_compared_with_single_texts() -> None:
    films, books = table(FILMS), table(BOOKS)
    pairs = {"text": films["text"], "other": films["text"][::-1]}
    for sides in ((pairs, books), (books, pairs)):
        with pytest.raises(DataError, match="One side has pairs and the other single inputs: they cannot be compared"):
            headwater.compare(*sides, model="tfidf-logistic", text=("text", "other"), offline=True)


# What is left on disk


def test_a_comparison_reads_back(apart: Comparison, tmp_path: Path) -> None:
    apart.save(tmp_path)
    loaded = Comparison.load(tmp_path)
    assert loaded.sections() == apart.sections()
    assert str(loaded) == str(apart)
    later = json.loads(apart.to_json()) | {"novelty": [1]}
    assert Comparison.from_json(json.dumps(later)).other == {"novelty": [1]}


def test_what_is_no_comparison_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="There is no comparison here"):
        Comparison.load(tmp_path)
    (tmp_path / "comparison.json").write_text("[1]")
    with pytest.raises(ArtifactError, match="The comparison cannot be read"):
        Comparison.load(tmp_path)


@pytest.mark.parametrize("alone", [False, True])
def test_the_page_is_whole_and_reaches_for_nothing(apart: Comparison, alone: bool) -> None:
    found = compare(table(FILMS)) if alone else apart
    text = found.to_html()
    outline = Outline(text)
    assert not outline.open
    assert not outline.faults
    assert "https:" not in text
    assert not outline.tags & {"script", "link", "iframe", "object", "img"}
    assert {address.removeprefix("#") for address in outline.addresses} <= set(outline.ids)
    assert text.count("<circle") == (0 if alone else 120)
    assert ("map" in outline.ids) != alone


def test_texts_of_the_user_are_escaped() -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    source, target = table(FILMS), table(BOOKS, start=100)
    target["text"] = [f"{evil} {text}" for text in target["text"]]
    target["label"][:9] = [evil] * 9
    source["text"][0] = target["text"][0]
    outline = Outline(compare(source, target).to_html())
    assert not outline.tags & {"script", "img"}
    assert not outline.faults


def test_how_to_run_it_again_is_told(apart: Comparison, tmp_path: Path) -> None:
    assert apart.provenance["command"].startswith("headwater.compare(SOURCE, TARGET, model='tfidf-logistic'")
    files = []
    for name, things in (("films", FILMS), ("books", BOOKS)):
        files.append(tmp_path / f"{name}.csv")
        files[-1].write_text("text\n" + "\n".join(table(things)["text"]))
    found = compare(*files, rows=40)
    command = f"headwater compare {files[0]} {files[1]} --task text-classification --model tfidf-logistic --rows 40"
    assert found.provenance["command"] == command
    assert set(found.provenance["hashes"]) == {"source", "target"}
