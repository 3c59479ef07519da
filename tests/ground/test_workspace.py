"""A run goes on only with what it began with, and can be repeated from any place."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from tests.contract.texts import texts

import headwater
from headwater import flow, workspace
from headwater.errors import ArtifactError, DataError, NotFoundError, SettingError
from headwater.request import Request

Begun = Callable[..., Path]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with data and rows of validation and test of one's own."""
    whole = pd.DataFrame(texts(90))
    for name, rows in {"data": whole[:60], "valid": whole[60:74], "test": whole[74:]}.items():
        rows.to_csv(tmp_path / f"{name}.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def begun(files: Path, monkeypatch: pytest.MonkeyPatch) -> Begun:
    """Begins a run that is stopped before its end, and gives its folder."""

    def begin(data: Any = "data.csv", **settings: Any) -> Path:
        with monkeypatch.context() as patch:
            patch.setattr(workspace, "finish", _stop)
            with pytest.raises(KeyboardInterrupt):
                _adapt(data, to="run", **settings)
        return files / "run"

    return begin


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def _adapt(data: Any, **settings: Any) -> Any:
    return headwater.adapt("text-classification", data, model="tfidf-logistic", **settings)


def test_a_stopped_run_goes_on_from_any_place(begun: Begun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = begun(valid="valid.csv", test="test.csv")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    report = flow.resume(folder).report
    assert report is not None
    assert report.rows == {"train": 60, "valid": 14, "test": 16}
    assert sorted(report.provenance["hashes"]) == ["data", "test", "valid"]
    assert not (folder / workspace.WORK).exists()


@pytest.mark.parametrize("name", ["data", "valid", "test"])
def test_a_changed_file_ends_a_resume(begun: Begun, files: Path, name: str) -> None:
    folder = begun(valid="valid.csv", test="test.csv")
    with (files / f"{name}.csv").open("a") as file:
        file.write("one more text,good\n")
    with pytest.raises(DataError, match=rf"not what this run began with. Got \['{name}'\]"):
        flow.resume(folder)


def test_other_settings_end_a_resume(begun: Begun) -> None:
    begun(seed=3)
    with pytest.raises(SettingError, match=r"these differ. Got \{'seed': 4\}. Accepted: \{'seed': 3\}. Resume with"):
        _adapt("data.csv", to="run", resume=True, seed=4)
    assert _adapt("data.csv", to="run", resume=True, seed=3).fitted


def test_a_finished_run_is_not_overwritten_by_a_resume(files: Path) -> None:
    _adapt("data.csv", to="run")
    before = (files / "run" / "application.json").read_bytes()
    with pytest.raises(NotFoundError, match="This run is finished"):
        _adapt("valid.csv", to="run", resume=True)
    assert (files / "run" / "application.json").read_bytes() == before


def test_data_in_memory_must_be_given_again(begun: Begun) -> None:
    folder = begun(texts())
    with pytest.raises(DataError, match="was given its data in memory"):
        flow.resume(folder)
    with pytest.raises(DataError, match="not what this run began with"):
        _adapt(texts(50), to=folder, resume=True)
    assert _adapt(texts(), to=folder, resume=True).fitted


@pytest.mark.parametrize(("task", "sentence"), [("text-classification", "No foundation was found"),
                                                 ("image-features", "There is no model of this name")])  # fmt: skip
def test_a_model_that_is_nowhere_is_refused_before_data_are_read(files: Path, task: str, sentence: str) -> None:
    with pytest.raises(NotFoundError, match=sentence):
        headwater.adapt(task, "no such file.csv", model="model of nobody", to="run", offline=True)
    assert not (files / "run").exists()


def test_the_configuration_names_whole_paths(begun: Begun, files: Path) -> None:
    text = (begun(valid="valid.csv", test="test.csv") / workspace.CONFIG).read_text()
    values = yaml.safe_load(text)
    assert [values[name] for name in ("data", "valid", "test")] == [
        str(files / f"{name}.csv") for name in ("data", "valid", "test")
    ]
    assert "# headwater adapt --config THIS_FILE --to FOLDER" in text


def test_an_application_saved_later_keeps_its_configuration_and_hashes(files: Path) -> None:
    _adapt("data.csv", to="run", seed=3)
    application = _adapt("data.csv", seed=3)
    application.save("later")
    headwater.load("later").save("copied")
    assert headwater.load("copied").report.provenance["hashes"].keys() == {"data"}
    texts = [(files / name / workspace.CONFIG).read_text() for name in ("run", "later", "copied")]
    assert len(set(texts)) == 1
    assert Request.from_yaml(files / "copied" / workspace.CONFIG).settings.seed == 3


def test_the_command_in_the_report_makes_the_application_again(begun: Begun, files: Path) -> None:
    command = flow.resume(begun(test="test.csv", text="text", seed=3)).report.provenance["command"]
    place = f"text-classification {files / 'data.csv'} --model tfidf-logistic"
    assert command == f"headwater adapt {place} --text text --test {files / 'test.csv'} --seed 3"


def test_rows_from_memory_are_told_to_be_given_again(files: Path) -> None:
    application = _adapt(texts(), seed=3)
    assert application.report.provenance["command"] == (
        "headwater.adapt('text-classification', DATA, model='tfidf-logistic', seed=3)  # DATA: the rows, which were"
        " in memory"
    )
    assert application.report.provenance["hashes"].keys() == {"data"}
    assert "# headwater adapt text-classification DATA --config THIS_FILE --to FOLDER" in application.config


def test_a_foundation_in_a_folder_is_named_whole(files: Path) -> None:
    (files / "tiny").mkdir()
    assert workspace.absolute(Request("text-classification", "no such", "tiny")).model == str(files / "tiny")
    assert workspace.absolute(Request("text-classification", "x" * 5000, "minilm")).data == "x" * 5000


def test_another_process_leaves_the_folder_to_the_first(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    request = Request.of("text-classification", "data.csv", "tfidf-logistic", {})
    workspace.start(request, "data.csv", files / "run", resume=False).part("model")
    assert not (files / "run").exists()
    monkeypatch.setenv("RANK", "0")
    workspace.start(request, "data.csv", files / "run", resume=False).part("model")
    with pytest.raises(ArtifactError, match="unfinished run"):
        workspace.start(request, "data.csv", files / "run", resume=False)


def test_a_mistake_leaves_the_folder_free_for_the_mended_command(files: Path) -> None:
    with pytest.raises(NotFoundError, match="Did you mean label"):
        _adapt("data.csv", to="run", target="labl")
    assert not (files / "run").exists()
    (files / "kept").mkdir()
    with pytest.raises(NotFoundError, match="no file or folder here"):
        _adapt("data.csv", to="kept", test="tset.csv")
    assert _adapt("data.csv", to="run").fitted


def test_a_failure_after_work_began_can_be_resumed(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        (files / "run" / workspace.WORK / "checkpoint").touch()
        raise DataError("The disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(workspace, "finish", fail)
        with pytest.raises(DataError, match="The disk is full"):
            _adapt("data.csv", to="run")
    assert flow.resume(files / "run").fitted


def test_the_time_of_earlier_attempts_counts_against_the_budget(begun: Begun) -> None:
    folder = begun(budget="10m")
    work = folder / workspace.WORK
    start = (work / "hashes.json").stat().st_mtime
    for name, seconds in (("late.json", 60), ("later.json", 100)):
        (work / name).write_text("{}")
        os.utime(work / name, (start + seconds, start + seconds))
        request = Request.from_yaml(folder / workspace.CONFIG)
        remaining = workspace.start(request, request.data, folder, resume=True).remaining()
        assert remaining == pytest.approx(600 - seconds, abs=5)
        os.utime(work / "spent.json", (start + seconds, start + seconds))
