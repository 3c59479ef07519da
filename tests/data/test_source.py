"""What of another source may be learnt from, and what is left out and told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.data.test_preparing import FIELDS, prepared, rows, table, texts

from headwater.data.preparing import prepare
from headwater.errors import DataError, NotFoundError
from headwater.settings import Settings


def test_source_rows_stand_beside_the_training_rows(tmp_path: Path) -> None:
    found = prepared(tmp_path, source=rows(300, 330))
    assert found.source is not None
    assert texts(found.source) == {text for text, _ in rows(300, 330)}
    assert len(found.train) == len(prepared(tmp_path).train)
    assert found.findings["source"]["rows"] == 30
    assert "30 rows to learn from as well" in str(found)


def test_without_a_source_there_is_none(tmp_path: Path) -> None:
    found = prepared(tmp_path)
    assert found.source is None
    assert "source" not in found.findings


def test_no_source_row_copies_a_row_of_the_target(tmp_path: Path) -> None:
    alone = prepared(tmp_path)
    held = [sorted(texts(part))[0] for part in (alone.test, alone.valid, alone.train)]
    found = prepared(tmp_path, source=[*rows(300, 330), *((f"{text.upper()}!", "a") for text in held)])
    assert found.source is not None
    assert len(found.source) == 30
    assert found.findings["source"]["copies_of_target_rows"] == 3
    assert "30 rows to learn from as well; 3 copies of target rows" in str(found)


def test_rows_of_other_classes_are_left_out_and_counted(tmp_path: Path) -> None:
    found = prepared(tmp_path, source=[*rows(300, 330), ("strange one", "c"), ("strange two", "c")])
    assert found.source is not None
    assert set(found.source.column("label")) == {"a", "b"}
    assert found.findings["source"]["other_classes"] == {"c": 2}


def test_rows_that_cannot_be_read_are_set_aside(tmp_path: Path) -> None:
    found = prepared(tmp_path, source=[*rows(300, 360), ("", "a")])
    assert [problem.reason for problem in found.problems] == ["the text in column text is missing"]
    assert found.findings["source"]["set_aside"] == 1


def test_a_source_without_a_known_class_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"No row of the source has a class of the target.*Got \['x'\].*'a', 'b'"):
        prepared(tmp_path, source=[("one text", "x"), ("other text", "x")])


def test_a_source_of_copies_alone_is_refused(tmp_path: Path) -> None:
    held: list[Any] = [(text, "a") for text in texts(prepared(tmp_path).test)]
    with pytest.raises(DataError, match="Every row of the source is a copy of a row of the data"):
        prepared(tmp_path, source=held)


def test_a_source_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "source.csv").write_text("text,label\n")
    with pytest.raises(DataError, match="The source has no row that can be learnt from"):
        prepare(
            table(tmp_path / "data.csv", rows(0, 40)), Settings(source=str(tmp_path / "source.csv")), lambda _: FIELDS,
            want_test=True,
        )  # fmt: skip


def test_a_source_of_other_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "source.csv").write_text("text,labels\none,a\n")
    data = table(tmp_path / "data.csv", rows(0, 40))
    settings = Settings(source=str(tmp_path / "source.csv"))
    with pytest.raises(NotFoundError, match=r"There is no column of this name. Got 'label'.*Did you mean labels"):
        prepare(data, settings, lambda _: FIELDS, want_test=True)
