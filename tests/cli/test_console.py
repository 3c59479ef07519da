"""What is printed, on narrow terminals and for other people's text."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from headwater.data.raster import encode
from headwater.doors import console
from headwater.doors.doctor import Finding


def test_error_is_one_line(capsys):
    console.error("a sentence\nwith  a break")
    assert capsys.readouterr().err == "error: a sentence with a break\n"


def test_a_bug_says_that_it_is_one(capsys):
    console.tell_bug(KeyError, KeyError("x"), None)
    told = capsys.readouterr().err
    assert told.startswith("error: this is a bug in headwater: KeyError: 'x'. ")
    assert "headwater --debug" in told


def test_ctrl_c_is_no_bug(capsys):
    console.tell_bug(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("columns", ["20", "200"])
def test_a_table_keeps_every_character(columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    console.table(("name", "text"), [("a", "[red]not markup[/red] 电影很好 🎬"), ("b", None), ("c", 0.25)])
    shown = capsys.readouterr().out
    assert "[red]notmarkup[/red]电影很好🎬" in "".join(shown.replace("a", "a", 1).split())
    assert "0.250" in shown


def test_answers_hide_idle_reasons_and_single_probabilities(capsys):
    answers = pa.table(
        {"row": [1], "prediction": ["good"], "confidence": [0.9], "reason": [None], "probability:good": [0.9]}
    )
    console.show_answers(answers)
    assert capsys.readouterr().out.splitlines()[0].split() == ["row", "prediction", "confidence"]


def test_boxes_masks_and_features_are_short(capsys):
    box = {"label": "cat", "score": 0.934, "left": 4.2, "top": 4.0, "right": 20.0, "bottom": 19.8}
    console.show_answers(pa.table({"row": [1, 2], "prediction": [[box, box], []], "confidence": [None, None]}))
    shown = capsys.readouterr().out
    assert [line.split() for line in shown.splitlines()[:2]] == [
        ["row", "prediction"], ["1", "cat", "0.93", "(4,", "4,", "20,", "20)"]
    ]  # fmt: skip
    assert "nothing found" in shown
    png = encode(np.array([[0, 0, 0, 7]], np.uint8))
    console.show_answers(pa.table({"row": [1], "prediction": [png]}), names={0: "road", 7: "car"})
    assert "road 75 %, car 25 %" in capsys.readouterr().out
    console.show_answers(pa.table({"row": [1], "prediction": [[0.123, -0.031] * 128]}))
    assert "[0.12, -0.03, ... 256 numbers]" in capsys.readouterr().out


def test_several_labels_are_words_with_commas(capsys):
    console.show_answers(pa.table({"row": [1], "prediction": [["art", "law"]], "confidence": [0.9]}))
    assert "art, law" in capsys.readouterr().out


def test_findings_end_with_what_to_do(capsys):
    console.show_findings([Finding("ok", "core", "numpy"), Finding("gap", "hub", "silent", "Use --offline.")])
    shown = capsys.readouterr().out
    assert shown.endswith("What to do\n  hub: Use --offline.\n")


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("object-detection", "predict run DATA --to drawn"),
        ("semantic-segmentation", "predict run DATA --to masks"),
        ("image-features", "adapt image-classification DATA --model run"),
        ("image-classification", "predict run DATA --to predictions.csv"),
    ],
)
def test_what_to_type_next_suits_the_task(task, words, capsys):
    console.show_application(SimpleNamespace(task=task, report=""), "run")
    assert capsys.readouterr().out.endswith(f"Next:   headwater {words}\n")


def test_of_several_processes_the_first_one_speaks(monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in ("1", "0"):
        monkeypatch.setenv("RANK", rank)
        console.say(f"process {rank}")
    assert capsys.readouterr().out == "process 0\n"
