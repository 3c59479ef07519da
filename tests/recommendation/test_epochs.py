"""Epochs and blocks: what a budget, a checkpoint and threads make of them."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from tests.recommendation.planted import planted
from tests.recommendation.shelves import run_in

from headwater.errors import ArtifactError
from headwater.recommendation import blocks
from headwater.recommendation.epochs import epochs


def _learnt() -> dict[str, np.ndarray]:
    return {"factors": np.zeros(3, dtype=np.float32)}


def _go(learnt: dict[str, np.ndarray], folder: Path, total: int = 5, end: int = 5, **settings: int) -> list[int]:
    done = []
    for number in epochs(run_in(folder, checkpoint_seconds=0, **settings), total, learnt, planted()):
        if number == end:
            break
        learnt["factors"] += 1
        done.append(number)
    return done


def test_what_was_learnt_comes_back(tmp_path: Path):
    assert _go(_learnt(), tmp_path, end=3) == [0, 1, 2]
    learnt = _learnt()
    assert _go(learnt, tmp_path) == [3, 4]
    assert learnt["factors"].tolist() == [5, 5, 5]


def test_a_checkpoint_of_another_training_is_not_taken(tmp_path: Path):
    _go(_learnt(), tmp_path, end=3)
    for changed in ({"seed": 1}, {"total": 4}):
        assert _go(_learnt(), tmp_path, **changed)[0] == 0
    assert _go({"factors": np.ones(3, dtype=np.float32)}, tmp_path)[0] == 0


def test_a_damaged_checkpoint_is_named(tmp_path: Path):
    (tmp_path / "epochs.safetensors").write_bytes(b"not a checkpoint")
    with pytest.raises(ArtifactError, match=r"The checkpoint of these epochs is damaged.*Remove this file"):
        _go(_learnt(), tmp_path)


def test_a_budget_ends_the_epochs_but_for_the_first(tmp_path: Path):
    run = run_in(tmp_path, budget="0.2s")
    begun = time.monotonic()
    done = [number for number in epochs(run, 1000, _learnt(), planted()) if time.sleep(0.03) is None]
    assert 1 < len(done) < 10
    assert time.monotonic() - begun < 1
    run = run_in(tmp_path, budget="0s")
    assert list(epochs(run, 9, _learnt(), planted())) == [0]


@pytest.mark.parametrize("threads", ["1", "2"])
def test_blocks_are_the_same_in_any_number_of_threads(threads: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    assert blocks.threads() == int(threads)
    assert blocks.in_blocks(lambda first, end: (first, end), 7, 3) == [(0, 3), (3, 6), (6, 7)]
    assert blocks.in_blocks(lambda first, end: (first, end), 0, 3) == []
