"""What is written down of the data behind a foundation, and nothing more."""

from __future__ import annotations

import json

import pytest
from tests.tiny import make_bert

from headwater.foundation.origin import Origin, origin


@pytest.mark.parametrize(
    ("card", "data"),
    [
        ("---\ndatasets:\n- wiki\n- 2024\n---\n# Tiny\n", ("wiki", "2024")),
        ("---\ndatasets: wiki\n---\n", ("wiki",)),
        ("---\nlanguage: en\n---\n", ()),
        ("# Tiny\n---\ndatasets:\n- wiki\n---\n", ()),
        ("---\ndatasets: [wiki\n---\n", ()),
        ("---\n- wiki\n---\n", ()),
        ("---\ndatasets: {a: b}\n---\n", ()),
        (b"---\ndatasets: \xff\n---\n", ()),
    ],
)
def test_the_card_is_read_and_nothing_is_guessed(tmp_path, card, data):
    folder = make_bert(tmp_path / "tiny")
    (folder / "README.md").write_bytes(card if isinstance(card, bytes) else card.encode())
    assert origin(str(folder), offline=True) == Origin(data, "README.md")


def test_without_a_card_nothing_is_known(tmp_path):
    assert origin(str(make_bert(tmp_path / "tiny")), offline=True) == Origin((), None)


def test_the_embedded_foundation_names_its_data():
    assert "snli" in origin("minilm", offline=True).data


@pytest.mark.parametrize(
    ("report", "found"),
    [
        ({"provenance": {"data": "films.csv"}}, Origin(("films.csv",), "report.json", of_run=True)),
        ({"provenance": {"data": None}}, Origin((), "report.json", of_run=True)),
        ({"provenance": 3}, Origin((), "report.json", of_run=True)),
        (None, Origin((), None, of_run=True)),
    ],
)
def test_a_run_names_what_it_was_adapted_on(tmp_path, report, found):
    (tmp_path / "application.json").write_text("{}")
    if report is not None:
        (tmp_path / "report.json").write_text(json.dumps(report))
    assert origin(str(tmp_path)) == found
