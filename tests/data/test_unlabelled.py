"""Which rows without labels may be learnt from, and what is left out and told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.data.test_preparing import FIELDS, prepared, rows, table, texts

from headwater.data.preparing import prepare
from headwater.errors import DataError, NotFoundError
from headwater.settings import Settings


def _prepared(tmp_path: Path, lines: list[str], **settings: Any) -> Any:
    file = tmp_path / "more.csv"
    file.write_text("\n".join(lines) + "\n")
    data = table(tmp_path / "data.csv", rows(0, 40))
    return prepare(data, Settings(unlabelled=str(file), **settings), lambda _: FIELDS, want_test=True)


def test_unlabelled_rows_stand_beside_the_others(tmp_path: Path) -> None:
    found = prepared(tmp_path, unlabelled=rows(300, 330))
    assert texts(found.unlabelled) == {text for text, _ in rows(300, 330)}
    assert len(found.train) == len(prepared(tmp_path).train)
    assert found.findings["unlabelled"] == {
        "name": str(tmp_path / "unlabelled.csv"), "rows": 30, "set_aside": 0, "first_set_aside": "",
        "copies_of_one_another": 0, "copies_of_labelled_rows": 0,
    }  # fmt: skip
    assert f"without  {tmp_path / 'unlabelled.csv'}: 30 rows without labels to learn from" in str(found)


def test_without_unlabelled_rows_there_are_none(tmp_path: Path) -> None:
    found = prepared(tmp_path)
    assert found.unlabelled is None
    assert "unlabelled" not in found.findings


def test_no_label_is_needed_and_one_that_is_there_is_not_looked_at(tmp_path: Path) -> None:
    bare = _prepared(tmp_path, ["text", "one of them", "and another"])
    strange = _prepared(tmp_path, ["text,label", "one of them,z", "and another,"])
    assert texts(bare.unlabelled) == texts(strange.unlabelled) == {"one of them", "and another"}
    assert strange.problems == []


def test_copies_of_labelled_rows_are_left_out_whatever_part_they_are_of(tmp_path: Path) -> None:
    alone = prepared(tmp_path)
    labelled = [sorted(texts(part))[0] for part in (alone.train, alone.valid, alone.test)]
    found = prepared(tmp_path, unlabelled=[*rows(300, 330), *((f"{text.upper()}!", "a") for text in labelled)])
    assert texts(found.unlabelled) == {text for text, _ in rows(300, 330)}
    assert found.findings["unlabelled"]["copies_of_labelled_rows"] == 3


def test_copies_of_source_rows_are_left_out_too(tmp_path: Path) -> None:
    found = prepared(tmp_path, source=rows(300, 330), unlabelled=rows(320, 340))
    assert texts(found.unlabelled) == {text for text, _ in rows(330, 340)}


def test_rows_that_cannot_be_read_are_set_aside_with_their_reason(tmp_path: Path) -> None:
    found = prepared(tmp_path, unlabelled=[*rows(300, 360), ("", "a")])
    assert [(problem.file, problem.reason) for problem in found.problems] == [
        (str(tmp_path / "unlabelled.csv"), "the text in column text is missing")
    ]
    assert found.findings["unlabelled"]["set_aside"] == 1


def test_too_many_rows_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"unlabelled.csv: 2 of 4 rows \(50.0 %\) cannot be used"):
        prepared(tmp_path, unlabelled=[*rows(300, 302), ("", "a"), ("", "b")])


def test_rows_without_the_text_column_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"There is no column of this name. Got 'text'.*Did you mean texts"):
        _prepared(tmp_path, ["texts,stars", "one of them,3"])


def test_of_rows_that_copy_one_another_the_first_is_kept(tmp_path: Path) -> None:
    found = prepared(tmp_path, unlabelled=[*rows(300, 330), *rows(310, 320)])
    assert list(found.unlabelled.column("text")) == [text for text, _ in rows(300, 330)]
    assert found.findings["unlabelled"]["copies_of_one_another"] == 10


def test_bad_rows_alone_are_refused(tmp_path: Path) -> None:
    sentence = (
        r"more.csv: There is no unlabelled row to learn from\. Got '2 rows that cannot be used'\. "
        r"Give rows with an input, or leave --unlabelled out\."
    )
    with pytest.raises(DataError, match=sentence):
        _prepared(tmp_path, ["text,label", ",a", ",b"], quarantine_share=1.0)


def test_copies_of_labelled_rows_alone_are_refused(tmp_path: Path) -> None:
    sentence = (
        r"unlabelled.csv: No unlabelled row can be learnt from: each copies a labelled row\. Got '40 usable rows'\. "
        r"Give rows that are not among the data, or leave --unlabelled out\."
    )
    with pytest.raises(DataError, match=sentence):
        prepared(tmp_path, unlabelled=rows(0, 40))
