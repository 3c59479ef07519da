"""Passages from source files: found, cut, masked, each once."""

import random

import pytest
from tests.cli.commands import read_table

from headwater.doors import demo
from headwater.errors import ResourceError

SOURCE = '''"""A module about the shapes of arrays, and of what torch and NumPy make of them, at some length."""

class A:
    """Holds the values of a long and winding computation until somebody asks for them again.

    Parameters
    ----------
    x : int
    """

def f():
    """Short."""

def g():
    """holds the values of a long and winding computation, until somebody asks for them again!"""
'''


def passages(folder):
    return list(demo.passages(folder, random.Random(0)))


def test_passages_are_the_masked_openings_each_once(tmp_path):
    (tmp_path / "a.py").write_text(SOURCE)
    found = passages(tmp_path)
    assert len(found) == 2
    assert any("of what LIBRARY and LIBRARY make of them" in passage for passage in found)
    assert not any("Parameters" in passage for passage in found)


def test_files_that_cannot_be_parsed_and_tests_are_passed_over(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "a.py").write_text(SOURCE)
    (tmp_path / "b.py").write_text("def (")
    (tmp_path / "c.py").write_bytes(b"\0")
    assert passages(tmp_path) == []


def test_no_library_names_itself(tmp_path):
    counts = demo.write_passages(tmp_path / "known.csv", tmp_path / "unseen.csv", per_library=12)
    rows = read_table(tmp_path / "known.csv")
    unseen = read_table(tmp_path / "unseen.csv")
    assert sum(counts.values()) == len(rows)
    assert {"numpy", "scipy", "scikit-learn"} <= set(counts)
    assert not {row["passage"] for row in rows} & {row["passage"] for row in unseen}
    for row in rows + unseen:
        assert demo.mask(row["passage"]) == row["passage"]


def test_two_libraries_are_needed(monkeypatch, tmp_path):
    monkeypatch.setattr(demo, "LIBRARIES", {"numpy": "numpy"})
    with pytest.raises(ResourceError, match="The demonstration needs the source of at least two libraries"):
        demo.write_passages(tmp_path / "a.csv", tmp_path / "b.csv", per_library=5)
