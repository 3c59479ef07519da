"""Errors are sentences: what, where, what came, what is accepted, what to do."""

from __future__ import annotations

import pytest

from headwater.errors import DataError, HeadwaterError, SettingError, did_you_mean, unknown


def test_all_parts_stand_in_order() -> None:
    error = HeadwaterError("The thing is wrong", where="a.csv:3", got="x", accepted=["y", "z"], fix="Do this.")
    assert str(error) == "a.csv:3: The thing is wrong. Got 'x'. Accepted: y, z. Do this."
    assert (error.where, error.got, error.accepted, error.fix) == ("a.csv:3", "x", ["y", "z"], "Do this.")


def test_none_that_came_is_told_apart_from_nothing() -> None:
    assert str(HeadwaterError("Wrong", got=None)) == "Wrong. Got None."
    assert str(HeadwaterError("Wrong")) == "Wrong."


def test_long_values_are_cut() -> None:
    assert len(str(HeadwaterError("Wrong", got="x" * 10_000))) < 150


@pytest.mark.parametrize(("kind", "base"), [(SettingError, ValueError), (DataError, ValueError)])
def test_errors_are_caught_by_what_python_calls_them(kind: type[Exception], base: type[Exception]) -> None:
    assert issubclass(kind, base)
    assert issubclass(kind, HeadwaterError)


def test_names_that_are_near_are_offered() -> None:
    assert did_you_mean("minilmm", ["minilm", "lstm"]) == "Did you mean minilm?"
    assert did_you_mean("xyz", ["minilm"]) is None
    assert str(unknown("model", "grru", ["gru"])).endswith("Accepted: gru. Did you mean gru?")
