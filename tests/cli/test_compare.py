"""`headwater compare` as a user types it."""

import json

import pytest
from tests.cli.commands import type_in, write_reviews


@pytest.fixture
def others(tmp_path):
    file = tmp_path / "others.csv"
    lines = [f"the book number {row} has {row * 7919 % 1009} pages by author {row * 13},good" for row in range(60)]
    file.write_text("\n".join(["review,label", *lines]))
    return file


def test_two_sets_are_compared_and_the_page_is_where_it_says(reviews, others, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for expected in ("runs/reviews-and-others", "runs/reviews-and-others-2"):
        result = type_in("compare", reviews, others, "--model", "tfidf-logistic", "--rows", 50)
        assert result.exit_code == 0, result.output
        assert "Proxy A-distance" in result.stdout
        assert "The sets differ" in result.stdout
        assert result.stdout.endswith(f"Report: {expected}/comparison.html\n")
        assert {file.name for file in (tmp_path / expected).iterdir()} == {"comparison.html", "comparison.json"}
    assert json.loads((tmp_path / expected / "comparison.json").read_text())["target"]["compared"] == 50


def test_one_set_alone_is_looked_at_and_no_distance_told(reviews, tmp_path):
    result = type_in("compare", reviews, "--model", "tfidf-logistic", "--to", tmp_path / "seen")
    assert result.exit_code == 0, result.output
    assert "No distance was measured" in result.stdout
    assert "Proxy A-distance" not in result.stdout
    assert (tmp_path / "seen" / "comparison.html").exists()


def test_an_earlier_comparison_is_replaced_and_other_files_are_not(reviews, others, tmp_path):
    for words in ((reviews, others), (reviews,)):
        assert type_in("compare", *words, "--model", "tfidf-logistic", "--to", tmp_path / "seen").exit_code == 0
    assert "No distance" in (tmp_path / "seen" / "comparison.json").read_text()
    result = type_in("compare", reviews, others, "--to", tmp_path)
    assert result.exit_code == 2
    assert "This folder holds other files, which a report could replace" in result.stderr


def test_environments_are_compared_without_a_word_of_copies_and_labels(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    worlds = [f"tests.contract.worlds:{name}" for name in ("Corridor", "Slope")]
    result = type_in("compare", *worlds, "--task", "control")
    assert result.exit_code == 0, result.output
    assert "512 rows" in result.stdout
    # Observations come again as they will, and nobody labels them.
    for wrong in ("also stand in the source", "labels"):
        assert wrong not in result.stdout, wrong
    folder = next((tmp_path / "runs").iterdir())
    assert folder.name == "worlds-Corridor-and-worlds-Slope"
    page = (folder / "comparison.html").read_text()
    assert "class shares" not in page
    assert "Copies" not in page


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["{reviews}", "{reviews}"], "compare: The source and the target are one file. Got"),
        (["{reviews}", "gone.csv"], "There is no file or folder here"),
        (["{reviews}", "{few}"], "There are too few usable rows to compare. Got 10. Accepted: 20 or more."),
        (["{reviews}", "{few}", "--rows", "three"], "rows cannot have this value. Got 'three'. Accepted: 20 to 5000."),
        (["{reviews}", "{few}", "--task", "text"], "There is no task of this name"),
        (["{reviews}", "{few}", "--epochs", "3"], "No such option: --epochs"),
        (["{reviews}", "{others}", "--offline", "--model", "tfidf-logistc"], "Did you mean tfidf-logistic"),
        ([], "Missing argument 'SOURCE'"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_folder(reviews, others, tmp_path, monkeypatch, words, sentence):
    monkeypatch.chdir(tmp_path)
    few = write_reviews(tmp_path / "few.csv", rows=10)
    typed = [word.format(reviews=reviews, few=few, others=others) for word in words]
    result = type_in("compare", *typed, *([] if "--model" in words else ["--model", "tfidf-logistic"]))
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert result.stdout == ""
    assert not list((tmp_path / "runs").iterdir() if (tmp_path / "runs").exists() else [])


def test_help_has_the_settings_that_mean_something_here():
    shown = type_in("compare", "--help").stdout
    for flag in ("--rows", "--text", "--target", "--seed", "--max-length", "--device", "--offline", "--model", "--to"):
        assert f" {flag} " in shown
    assert "--epochs" not in shown
    assert "--set" not in shown
