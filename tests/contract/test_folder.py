"""What every (task, model) of the catalog does with a run folder: stops, goes on, loads, and trusts nothing in it."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.cli.commands import type_in
from tests.contract.entries import ROWS, Entry
from tests.contract.kinds import Table, assert_same, numbers_of

import headwater
from headwater import catalog, workspace
from headwater.errors import ArtifactError, NotFoundError
from headwater.training.trainer import Trainer

Adapt = Callable[..., Any]
SAFE = {".safetensors", ".json", ".txt", ".md", ".yaml", ".html", ".jsonl", ".model", ".jinja"}


def test_an_interrupted_run_resumes_to_the_same_result(
    adapt: Adapt, entry: Entry, fitted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: Table
) -> None:
    """Stopped in its second epoch, and again at its very end: the seed alone decides what comes out."""
    source, run = entry.kind.file(rows, entry.model, tmp_path / "data"), tmp_path / "run"
    with monkeypatch.context() as patch:
        # Models that are solved, not trained in steps, are not stopped here.
        patch.setattr(Trainer, "_after_step", _interrupting_after(Trainer._after_step, steps=8))
        patch.setattr(workspace, "finish", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            adapt(source, to=run, checkpoint_seconds=0.0)
    with pytest.raises(NotFoundError, match="This run is not finished"):
        headwater.load(run)
    with pytest.raises(ArtifactError, match="unfinished run"):
        adapt(source, to=run)
    with monkeypatch.context() as patch:
        patch.setattr(workspace, "finish", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            headwater.flow.resume(run)
    resumed = headwater.flow.resume(run)
    assert_same(resumed.predict(rows), fitted.predict(rows))
    assert numbers_of(headwater.load(run).report) == numbers_of(fitted.report)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _interrupting_after(after_step: Callable[..., None], steps: int) -> Callable[..., None]:
    """What follows a step, interrupted once after so many: with batches of eight or ten in the second epoch."""
    left = iter(range(steps - 1, -1, -1))

    def stopped(trainer: Trainer, shown: Any) -> None:
        after_step(trainer, shown)
        if next(left, None) == 0:
            raise KeyboardInterrupt

    return stopped


def test_a_finished_folder_is_not_overwritten(adapt: Adapt, folder: Path) -> None:
    with pytest.raises(ArtifactError, match="already holds an application"):
        adapt(to=folder)


def test_the_folder_holds_nothing_that_could_run_code(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    assert {path.suffix for path in files} <= SAFE


def test_a_planted_pickle_is_never_opened(folder: Path, tmp_path: Path, inputs: list[Any]) -> None:
    planted, trap = tmp_path / "planted", tmp_path / "sprung"
    shutil.copytree(folder, planted)
    bomb = pickle.dumps(_Bomb(str(trap)))
    for place in (planted, *(path for path in planted.rglob("*") if path.is_dir())):
        for name in ("pytorch_model.bin", "training_args.bin", "model.pkl", "adapter_model.bin", "head.joblib"):
            (place / name).write_bytes(bomb)
    with pytest.raises(ArtifactError, match="files that were not saved with it"):
        headwater.load(planted)
    shutil.rmtree(planted / "model")
    shutil.copytree(folder / "model", planted / "model")
    headwater.load(planted).predict(inputs[:2])
    assert not trap.exists()


class _Bomb:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (self.path, "w"))


def test_a_changed_file_is_refused(folder: Path, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(folder, copied)
    name = next(iter(json.loads((copied / "application.json").read_text())["files"]))
    with (copied / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ArtifactError, match="not the one that was saved"):
        headwater.load(copied)
    (copied / name).unlink()
    with pytest.raises(ArtifactError, match="is missing"):
        headwater.load(copied)


def test_it_loads_where_its_foundation_is_gone(
    folder: Path, fitted: Any, inputs: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(catalog, "FOUNDATIONS", ())
    assert_same(headwater.load(folder).predict(inputs[:3]), fitted.predict(inputs[:3]), atol=1e-6)


def test_the_command_line_ends_in_the_status_that_is_true(
    folder: Path, tmp_path: Path, entry: Entry, rows: Table
) -> None:
    source, answers = entry.kind.write(rows, tmp_path / "data"), tmp_path / "answers.csv"
    labelled = entry.kind.file(rows, entry.model, tmp_path / "labelled")
    assert type_in("predict", folder, source, "--to", answers).exit_code == 0
    assert len(pd.read_csv(answers)) == ROWS
    assert type_in("evaluate", folder, labelled).exit_code == 0
    for words in (
        ("predict", folder, tmp_path / "gone.csv"),
        ("evaluate", folder, answers),
        ("predict", tmp_path, source),
    ):
        ended = type_in(*words)
        assert ended.exit_code == 2
        assert ended.stderr.startswith("error: ")
