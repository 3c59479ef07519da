"""The command `headwater tune` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.commands import type_in
from tests.tuning.searches import LINEAR, write_rows

from headwater import workspace
from headwater.tuning.asked import Asked
from headwater.tuning.tune import tune


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("rows") / "rows.csv")


def test_it_says_a_line_a_trial_and_where_the_search_is(rows: Path, tmp_path: Path) -> None:
    result = type_in("tune", "text-classification", rows, "--model", LINEAR, "--to", tmp_path / "run")
    assert result.exit_code == 0, result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("trial ")]
    assert len(lines) == 2
    assert lines[0].startswith("trial 1: ")
    assert "the best so far: the defaults" in lines[0]
    assert lines[1].endswith(": model tfidf-svm")
    assert "tfidf-logistic: 0." not in result.stderr  # what a trial says of itself is left out
    assert "The search ended: every point that was drawn had been tried before. Trial 1 is the best." in result.stderr
    assert f"Search: {tmp_path / 'run'}/search.html" in result.stdout
    assert "its validation score is optimistic" in result.stdout


@pytest.mark.parametrize(
    ("task", "model", "lines", "own"),
    [
        ("text-classification", "cnn", ("filters: 100", "filters: 8"), {"filters": 8}),
        ("semantic-segmentation", "some/hub-id", ("tiles: auto", "tiles: 'no'"), {"tiles": "no"}),
    ],
    ids=["basic", "hub"],
)
def test_a_configuration_of_defaults_fixes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str, model: str, lines: tuple[str, str], own: dict[str, str]
) -> None:  # fmt: skip
    config = tmp_path / "run.yaml"
    config.write_text(type_in("config", task, "--model", model).stdout.replace(*lines))
    heard: list[Asked] = []

    def listen(task: str, data: str, *, model: str, to: str, resume: bool, **settings: object) -> None:
        heard.append(Asked.of(task, data, model, settings))
        raise KeyboardInterrupt

    monkeypatch.setattr("headwater.tuning.tune.tune", listen)
    words = ("tune", "--config", config, task, tmp_path / "rows", "--batch-size", "32", "--trials", "3")
    assert "Stopped." in type_in(*words).stderr
    assert heard[0].fixed == {**own, "batch_size": 32}
    assert heard[0].trials == 3


def test_ctrl_c_says_how_to_go_on_and_it_goes_on(rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(workspace, "finish", stop)
        search = tmp_path / "search.yaml"
        search.write_text("epochs: [2, 3]\nstrategy: [full]\n")
        words = ("tune", "text-classification", rows, "--model", f"{LINEAR},minilm", "--search", search, "--trials", 2)
        result = type_in(*words, "--to", folder)
    assert f"Stopped. Go on with: headwater tune --resume --to {folder}" in result.stderr
    assert "Go on with: headwater tune --resume" in type_in("predict", folder, rows).stderr
    assert type_in("adapt", "--resume", "--to", folder).exit_code == 2
    result = type_in("tune", "--resume", "--to", folder, "--trials", 2)
    assert result.exit_code == 0, result.output
    found = json.loads((folder / "search.json").read_text())
    assert found["best"] == 1
    assert found["command"].endswith(f"--trials 2 --search {search}")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "tune needs TASK. See the tasks with: headwater catalog"),
        (("--resume",), "headwater tune: --resume needs the folder of the run. Add --to FOLDER."),
        (
            ("--resume", "--to", "somewhere", "--epochs", "3"),
            "headwater tune: A stopped run goes on with the settings it was begun with. Got '--epochs'. Accepted: "
            "--to, --trials, --jobs. Leave the rest out, or give TASK and DATA too: "
            "headwater tune TASK DATA --resume ...",
        ),
        (("text-classification", "x.csv", "--trials", "0"), "trials cannot have this value. Got 0."),
        (("text-classification", "x.csv", "--model", "tfidf-svm"), "There is nothing to search"),
        (
            ("text-classification", "x.csv", "--model", "minilm,cnn", "--strategy", "few-shot"),
            "A search compares on validation rows, and few-shot holds none out",
        ),
        (
            ("text-classification", "x.csv", "--model", "cnn", "--unlabelled", "u.csv"),
            "A search judges one training a trial, and learning from unlabelled rows takes several",
        ),
        (("text-classification", "x.csv", "--search", "gone.yaml"), "There is no search file here"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(words: tuple[str, ...], sentence: str) -> None:
    result = type_in("tune", *words)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert result.stderr.splitlines()[-1].startswith("error: ")


def test_the_command_that_is_told_is_heard_as_the_same_search(rows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shlex

    asked = Asked.of("text-classification", str(rows), "lstm,cnn", {"epochs": 3, "trials": 4, "jobs": 2, "hidden": 8})
    heard: list[Asked] = []

    def listen(task: str, data: str, *, model: str, to: str, resume: bool, **settings: object) -> None:
        heard.append(Asked.of(task, data, model, settings))
        raise KeyboardInterrupt

    monkeypatch.setattr("headwater.tuning.tune.tune", listen)
    type_in(*shlex.split(asked.command())[1:])
    assert heard[0].to_json() == asked.to_json()
    assert tune.__doc__
