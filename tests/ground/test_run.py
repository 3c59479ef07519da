"""A run knows its folder, its budget and what it has done; files are written whole; progress is told."""

from __future__ import annotations

import io
import logging
import sys
from pathlib import Path

import pytest

from headwater import progress
from headwater.run import Run, is_main_process, scratch, write_whole
from headwater.settings import Settings


def test_notes_are_recalled(tmp_path: Path) -> None:
    run = Run(Settings(), tmp_path).part("stage")
    assert run.recall("done") is None
    run.note("done", {"score": 0.5})
    assert Run(Settings(), tmp_path).part("stage").recall("done") == {"score": 0.5}


def test_only_the_first_process_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    run = Run(Settings(), tmp_path)
    run.note("done", {"score": 0.5})
    assert not run.main
    assert run.recall("done") is None


@pytest.mark.parametrize("size", [None, "", "1"])
def test_a_rank_without_others_is_the_only_process(monkeypatch: pytest.MonkeyPatch, size: str | None) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    if size is not None:
        monkeypatch.setenv("WORLD_SIZE", size)
    assert is_main_process()


def test_the_budget_runs_down(tmp_path: Path) -> None:
    assert Run(Settings(), tmp_path).remaining() == float("inf")
    assert 590 < Run(Settings(budget="10m"), tmp_path).remaining() <= 600


def test_a_scratch_run_leaves_nothing() -> None:
    with scratch(Settings()) as run:
        folder = run.part("x").folder
        assert folder.exists()
    assert not folder.exists()


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep" / "file"
    write_whole(path, b"old")

    def fail(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"


def test_progress_is_logged_now_and_then(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.0)
    with caplog.at_level(logging.INFO, "headwater"), progress.bar("work", 3) as bar:
        bar.advance(1, loss=0.123456)
    assert "work 1/3 loss=0.1235" in caplog.text


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress.bar("features", 3) as shown:
        shown.advance(2, loss=0.25)
        shown.advance()
    said = terminal.getvalue()
    assert "features" in said
    assert "3/3" in said
    assert "loss=0.25" in said
