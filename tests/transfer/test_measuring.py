"""Measuring in parts: what is counted, and when there is nothing to count."""

from __future__ import annotations

import pytest
from tests.contract.texts import texts

from headwater.errors import DataError
from headwater.language.classification.task import TextClassification
from headwater.settings import Settings
from headwater.transfer.measuring import measure


@pytest.fixture(scope="module")
def application() -> TextClassification:
    return TextClassification("tfidf-svm", Settings(quarantine_share=1.0)).fit(texts())


def test_rows_without_a_known_label_are_left_out_and_counted(application: TextClassification) -> None:
    table = texts(40)
    report = measure(application, {**table, "label": [*table["label"][:-1], "ugly"]})
    assert (report.rows, report.quarantine["count"]) == ({"test": 39}, 1)
    assert sorted(report.baselines) == ["majority", "tfidf-logistic"]


def test_nothing_to_measure_is_told(application: TextClassification) -> None:
    with pytest.raises(DataError, match=r"There is no row to measure on\. Give rows with inputs and labels"):
        measure(application, {"text": ["fine"], "label": [None]})


def test_a_parts_order_changes_nothing(application: TextClassification) -> None:
    table = texts(40)
    turned = {name: cells[::-1] for name, cells in table.items()}
    assert measure(application, turned).metrics["accuracy"] == measure(application, table).metrics["accuracy"]
