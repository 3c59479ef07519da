"""Figures on rows that an application was made from are called optimistic; on others nothing is said."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from tests.contract.texts import texts

import headwater
from headwater.application import Application
from headwater.data.reading import hash_of
from headwater.evaluation.intervals import Estimate
from headwater.evaluation.learnt import noted
from headwater.evaluation.report import Report

ROWS = texts(60)
OTHERS = {name: cells[60:] for name, cells in texts(100).items()}


def report(**sections: Any) -> Report:
    return Report("text-classification", "lstm", {"accuracy": Estimate(0.5)}, **sections)


def made(rows: dict[str, int], **hashes: Any) -> Report:
    return report(rows=rows, provenance={"hashes": {name: hash_of(source) for name, source in hashes.items()}})


@pytest.fixture(scope="module")
def application() -> Application:
    return headwater.adapt("text-classification", ROWS, target="label", model="tfidf-svm")


def test_the_rows_that_it_was_made_from_are_known_and_counted(
    application: Application, caplog: pytest.LogCaptureFixture
) -> None:
    rows = application.report.rows if application.report else {}
    with caplog.at_level(logging.WARNING, "headwater"):
        found = application.evaluate(ROWS)
    assert found.notes[-1] == (
        f"These are the rows that the application was made from ({rows['train']} of them taught it, {rows['valid']} "
        f"chose between its settings, {rows['test']} were held out; its own report has the figures of those held "
        "out): the figures are optimistic, and better than on new rows."
    )
    assert found.notes[-1] in str(found)
    assert found.notes[-1] in found.to_html()
    assert "These rows took part in the making of the application" in caplog.text


def test_of_new_rows_nothing_is_said(application: Application, caplog: pytest.LogCaptureFixture) -> None:
    assert application.report is not None
    assert [note for note in application.report.notes if "made from" in note] == []
    assert [note for note in application.evaluate(OTHERS).notes if "optimistic" in note] == []
    assert caplog.text == ""


def test_what_came_from_files_of_their_own_is_no_part_of_the_data() -> None:
    rows = {"train": 1200, "valid": 30, "test": 40}
    whole = made(rows, data=ROWS, valid=OTHERS, test=["x"])
    assert (
        noted(report(), ROWS, whole)
        .notes[0]
        .startswith("These are the rows that the application was made from (1,200 of them taught it): ")
    )
    assert noted(report(), ["x"], whole).notes == []
    assert (
        noted(report(), OTHERS, whole)
        .notes[0]
        .startswith("These are the rows of --valid, which chose between its settings: the figures are optimistic")
    )


@pytest.mark.parametrize(
    ("role", "sentence"),
    [
        ("source", "These are the rows of --source, from which it has learnt as well: the figures are"),
        ("unlabelled", "These are the rows of --unlabelled, from which it has learnt without their labels: the"),
    ],
)
def test_rows_it_learnt_from_beside_its_data_are_told(role: str, sentence: str) -> None:
    assert noted(report(), OTHERS, made({}, data=ROWS, **{role: OTHERS})).notes[0].startswith(sentence)


@pytest.mark.parametrize("known", [None, report(), report(provenance={"hashes": {}})])
def test_where_nothing_is_known_of_the_making_nothing_is_said(known: Report | None) -> None:
    assert noted(report(), ROWS, known).notes == []


def test_a_source_that_cannot_be_hashed_whole_is_measured_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = made({}, data=ROWS)

    def refuse(source: Any, *, offline: bool) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("headwater.data.reading.hash_of", refuse)
    assert noted(report(), ROWS, whole).notes == []
