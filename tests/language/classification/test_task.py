"""Where the texts of a text classification stand."""

from __future__ import annotations

import pytest
from tests.contract.texts import texts

from headwater.errors import NotFoundError, SettingError
from headwater.language.classification.task import TextClassification
from headwater.settings import Settings


def fit(**settings: tuple[str, ...]) -> TextClassification:
    table = texts(40)
    return TextClassification("tfidf-logistic", Settings(**settings)).fit({**table, "note": table["label"]})


def test_the_longest_text_is_the_input() -> None:
    assert fit().field.columns == ("text",)


def test_the_named_columns_are_the_input() -> None:
    assert fit(text=("note", "text")).field.columns == ("note", "text")


def test_three_columns_are_no_input() -> None:
    with pytest.raises(SettingError, match=r"--text: A text is one column, a pair two\. Got \('a', 'b', 'c'\)\. Name"):
        fit(text=("a", "b", "c"))


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(NotFoundError, match=r"no column of this name\. Got 'txt'.*Did you mean text\?"):
        fit(text=("txt",))
