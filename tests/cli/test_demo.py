"""Sentences from source files: found, cut, masked, each once."""

from collections import Counter
from dataclasses import replace
from functools import partial

import pytest
from tests.cli.commands import read_table, type_in

from headwater.data.pictures import Picture, pixels
from headwater.doors import demo, demos, digits, uses
from headwater.errors import ResourceError

SOURCE = '''"""A module about the shapes of arrays, and of what SymPy and NumPy make of them. It has more to say."""

class A:
    """
    Holds the `values` of a long computation
    until somebody asks for them again

    Parameters
    ----------
    x : int
    """

def f():
    """Short."""

def g():
    """holds the values of a long computation, until somebody asks for them again!"""
'''


def test_sentences_are_the_first_masked_each_once(tmp_path):
    (tmp_path / "a.py").write_text(SOURCE)
    assert demo.sentences(tmp_path) == [
        "A module about the shapes of arrays, and of what LIBRARY and LIBRARY make of them.",
        "Holds the values of a long computation until somebody asks for them again",
    ]


def test_files_that_cannot_be_parsed_and_tests_are_passed_over(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "a.py").write_text(SOURCE)
    (tmp_path / "b.py").write_text("def (")
    (tmp_path / "c.py").write_bytes(b"\0")
    assert demo.sentences(tmp_path) == []


def test_no_sentence_is_in_two_files_or_names_its_library(tmp_path):
    counts = demo.write_sentences(tmp_path, labelled=4, held_out=6)
    tables = {name: read_table(tmp_path / f"{name}.csv") for name in ("labelled", "test", "unseen")}
    assert counts == (len(tables["labelled"]), len(tables["test"]))
    rows = [row for table in tables.values() for row in table]
    fields = Counter(row["field"] for row in rows)
    assert {"statistics", "images", "clustering"} <= set(fields)
    assert set(fields.values()) == {1 + 4 + 6}
    assert len({row["sentence"] for row in rows}) == len(rows)
    for row in rows:
        assert demo.mask(row["sentence"]) == row["sentence"]


def test_two_packages_are_needed(monkeypatch, tmp_path):
    monkeypatch.setattr(demo, "FIELDS", {"statistics": "scipy/stats"})
    with pytest.raises(ResourceError, match="The demonstration needs the source of at least two packages"):
        demo.write_sentences(tmp_path)


def test_the_demonstration_ends_with_a_report_and_answers(tmp_path, monkeypatch):
    few = {"statistics": "scipy/stats", "clustering": "sklearn/cluster"}
    monkeypatch.setattr(demo, "FIELDS", few)
    fewer(monkeypatch, "text-classification")
    monkeypatch.setenv("HEADWATER_CACHE", str(tmp_path / "cache"))
    result = type_in("demo", "--to", tmp_path / "demo")
    assert result.exit_code == 0, result.output
    assert f"Report: {tmp_path}/demo/run/report.html" in result.stdout
    assert (tmp_path / "demo" / "run" / "report.html").exists()
    answered = result.stdout.partition("Sentences that it has not seen")[2]
    assert all(column in answered for column in ("sentence", "field", "prediction", "confidence"))


def test_digits_are_written_in_a_folder_each_and_once(tmp_path):
    assert digits.write_digits(tmp_path, labelled=3, held_out=2) == (30, 20)
    counts = Counter(file.relative_to(tmp_path).parts[0] for file in tmp_path.rglob("*.png"))
    assert counts == {"labelled": 30, "test": 20, "unseen": 10}
    assert len({file.name for file in tmp_path.rglob("*.png")}) == 60
    assert pixels(Picture(str(next(tmp_path.rglob("*.png")))), 8, grey=True).std() > 30


def test_the_demonstration_of_images_learns_digits(tmp_path, monkeypatch):
    fewer(monkeypatch, "image-classification", model="pixels-logistic")
    result = type_in("demo", "image-classification", "--to", tmp_path / "demo")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "demo" / "run" / "report.html").exists()
    answered = result.stdout.partition("Handwritten digits that it has not seen")[2]
    assert all(column in answered for column in ("label", "prediction", "confidence"))


def test_what_a_module_uses_are_the_longest_names_of_other_packages():
    source = "import numpy as np\nimport scipy.sparse\nfrom os.path import join\nfrom .own import f\n"
    body = "np.linalg.norm(np.zeros(3))\nscipy.sparse.eye(join)\nf.g.h()\nnp.random"
    assert uses.functions_of(source + body) == [
        "numpy.linalg.norm", "numpy.random", "numpy.zeros", "os.path.join", "scipy.sparse.eye",
    ]  # fmt: skip


def test_modules_are_read_but_tests_and_those_that_cannot_be(tmp_path, monkeypatch):
    for name, text in (("a", "import os\nos.path.join"), ("b", "no python("), ("tests/c", "import os\nos.sep")):
        file = tmp_path / "lib" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "lib" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(uses, "LIBRARIES", ("lib", "not_installed_anywhere"))
    assert list(uses._modules()) == [("lib.a", ["os.path.join"])]
    with pytest.raises(ResourceError, match=r"The demonstration needs the source of a scientific library. Got '0 mod"):
        uses.write_uses(tmp_path)


def test_the_demonstration_of_recommendation_tells_modules_what_to_use(tmp_path, monkeypatch):
    def modules():
        for row in range(30):
            yield f"lib.m{row}", [f"{'ab'[row % 2]}.f{place}" for place in range(12) if (row + place) % 5]

    monkeypatch.setattr(uses, "_modules", modules)
    result = type_in("demo", "recommendation", "--to", tmp_path / "demo")
    assert result.exit_code == 0, result.output
    assert "uses of functions by modules to learn from" in result.stderr
    assert (tmp_path / "demo" / "run" / "report.html").exists()
    answered = result.stdout.partition("What these modules may have use for next:")[2]
    assert all(column in answered for column in ("user", "lib.m", "prediction"))


def test_a_demonstration_that_does_not_exist_names_the_near_ones():
    result = type_in("demo", "image-clasification")
    assert result.exit_code == 2
    assert "There is no demonstration of this name" in result.stderr
    assert "Did you mean image-classification" in result.stderr


def fewer(monkeypatch, task, **settings):
    """Has the demonstration of a task go by few rows."""
    whole = demos.DEMOS[task]
    few = replace(whole, write=partial(whole.write, labelled=6, held_out=6), settings={**whole.settings, **settings})
    monkeypatch.setitem(demos.DEMOS, task, few)
