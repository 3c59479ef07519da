"""What every application that names classes does with its rows, beside what the contract asks of all models."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.contract.texts import texts

import headwater
from headwater.errors import DataError, SettingError
from headwater.language.classification.task import TextClassification
from headwater.settings import Settings


def application(**settings: Any) -> TextClassification:
    return TextClassification("tfidf-logistic", Settings(**settings))


def test_the_fields_found_in_all_rows_are_those_that_learn(tmp_path: Path) -> None:
    table = texts(60)
    # In all rows together `text` is the longer column, in the training rows alone it is `note`.
    table["note"] = [f"{text} and so on {row}" for row, text in enumerate(table["text"])]
    table["part"] = ["test" if row >= 40 else "valid" if row >= 30 else "train" for row in range(60)]
    table["text"] = [text if row < 30 else f"{text} {text} {text} {row}" for row, text in enumerate(table["text"])]
    found = headwater.adapt("text-classification", table, model="tfidf-logistic", split="part", to=tmp_path / "run")
    assert found.field.columns == ("text",)


def test_rows_of_ones_own_are_taken_as_they_are() -> None:
    table = texts(40)
    halves = [{name: cells[start : start + 20] for name, cells in table.items()} for start in (0, 20)]
    assert application().fit(*halves).predict(table["text"]).classes == ("bad", "good")


def test_too_many_bad_rows_of_ones_own_are_refused() -> None:
    table = texts(20)
    torn = {**table, "text": [None, None, *table["text"][2:]]}
    with pytest.raises(DataError, match=r"2 of 20 rows \(10.0 %\) cannot be used"):
        application().fit(table, torn)


def test_rows_of_one_class_are_refused() -> None:
    table = {"text": ["a", "b", ""], "label": ["good", "good", "bad"]}
    with pytest.raises(DataError, match=r"A classification needs at least two classes\. Got \['good'\]"):
        application(quarantine_share=1.0).fit(table, table)


def test_validation_rows_without_a_known_label_are_refused() -> None:
    table = texts(20)
    with pytest.raises(DataError, match=r"No row has both an input and a known label\. Got '20 rows'"):
        application().fit(table, {**table, "label": ["ugly"] * 20})


@pytest.mark.parametrize("imbalance", ["none", "weights", "oversample", "undersample"])
def test_the_majority_is_that_of_the_rows_as_they_came(imbalance: str) -> None:
    table = texts(80)
    kept = [row for row in range(80) if row % 2 == 0 or row % 8 == 1]
    table = {name: [cells[row] for row in kept] for name, cells in table.items()}
    found = application(imbalance=imbalance).fit(table)
    assert found.majority is not None
    assert found.target.classes[int(found.majority.predict(1)[0])] == "good"


@pytest.mark.parametrize("settings", [{"text": ("label",)}, {"text": ("part",), "split": "part"}])
def test_the_input_is_not_the_target_nor_what_divides_the_rows(settings: dict[str, Any]) -> None:
    table = {**texts(40), "part": ["train"] * 40}
    with pytest.raises(SettingError, match=r"cannot be the input. Got .* Accepted: text.*Name another column"):
        application(**settings).fit(table)


def test_labels_of_any_type_are_saved(tmp_path: Path) -> None:
    table = texts(40)
    dates = [datetime.date(2024, 1, 1 + (label == "good")) for label in table["label"]]
    application().fit({**table, "label": dates}).save(tmp_path / "run")
    assert headwater.load(tmp_path / "run").predict(table["text"]).classes == ("2024-01-01", "2024-01-02")


@pytest.mark.parametrize(
    ("model", "names"), [("tfidf-logistic", ["majority"]), ("tfidf-svm", ["majority", "tfidf-logistic"])]
)
def test_the_baselines_are_the_first_stages(model: str, names: list[str]) -> None:
    *baselines, last = TextClassification(model, Settings()).fit(texts(80)).trace.stages
    assert [stage.name for stage in baselines] == names
    assert str(baselines[0]).startswith("majority: 0.5")
    assert str(baselines[0]).endswith("on held-out rows after 0.0 s, what the others have to beat")
    assert last.name.startswith("C = ")


def test_a_second_fit_forgets_the_report_and_the_configuration_of_the_first() -> None:
    adapted = headwater.adapt("text-classification", texts(60), model="tfidf-logistic")
    assert adapted.report is not None
    assert adapted.config is not None
    adapted.fit(texts(40))
    assert adapted.report is None
    assert adapted.config is None


@pytest.mark.parametrize("apart", [True, False], ids=["files of ones own", "one file"])
def test_groups_and_copies_are_told_to_what_deals_rows_into_folds(apart: bool) -> None:
    table = texts(60)
    table["text"][2] = f"{table['text'][0]}!"
    table["by"] = [f"person {row // 6}" for row in range(60)]
    app = application(group="by", quarantine_share=1.0)
    rows = app._rows(table, texts(20) if apart else None)[0]
    by = dict(zip(table["text"], table["by"], strict=True))
    persons = [by[text] for text in rows.inputs]
    pairs = set(zip(persons, rows.groups.tolist(), strict=True))
    assert len(pairs) == len(set(persons)) == len(set(rows.groups.tolist()))


def test_near_copies_are_of_one_group() -> None:
    table = texts(60)
    table["text"][2] = f"{table['text'][0]}!"
    rows = application()._rows(table, texts(20))[0]
    assert rows.groups[0] == rows.groups[2]
    assert len(set(rows.groups.tolist())) == 59


def test_held_out_rows_that_are_answered_by_chance_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    table, held_out = texts(60), texts(20)
    held_out["label"] = held_out["label"][::-1]
    app = application().fit(table, {**held_out, "label": [("good", "bad")[row // 2 % 2] for row in range(20)]})
    assert "20 held-out rows are answered no better than by chance" in caplog.text
    assert app.predict(table["text"][:4]).probabilities == pytest.approx(0.5, abs=0.05)
