"""Whole processes: two that train together, and one that is killed and goes on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.learners import Small, run_in, weights

from headwater.training.trainer import Trainer

SCRIPT = str(Path(__file__).with_name("learners.py"))


def start(folder, dropout, *settings, launcher=(sys.executable,)):
    folder.mkdir()
    return subprocess.Popen(
        [*launcher, SCRIPT, str(folder), str(dropout), *settings],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def fitted(folder, dropout, **settings):
    folder.mkdir(exist_ok=True)
    learner = Small(dropout)
    Trainer(run_in(folder, **settings)).fit(learner)
    return weights(learner).numpy()


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_two_processes_do_what_one_does(tmp_path):
    launch = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
    two = start(tmp_path / "two", 0.0, launcher=launch)
    one = fitted(tmp_path / "one", 0.0)
    _, errors = two.communicate(timeout=400)
    assert two.returncode == 0, errors
    first, second = (np.load(tmp_path / "two" / f"weights{index}.npy") for index in (0, 1))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, one, rtol=0, atol=1e-5)
    assert sorted(file.name for file in (tmp_path / "two").glob("*.safetensors")) == ["checkpoint.safetensors"]


@pytest.mark.usefixtures("one_thread")
def test_a_killed_training_ends_with_the_weights_of_an_unbroken_one(tmp_path):
    # A checkpoint after every step, and far more steps than fit between the first of them and the kill.
    settings = {"epochs": 80, "patience": 80}
    killed = start(tmp_path / "killed", 0.3, "epochs=80", "patience=80", "checkpoint_seconds=0")
    unbroken = fitted(tmp_path / "unbroken", 0.3, **settings)
    while not (tmp_path / "killed" / "checkpoint.safetensors").exists() and killed.poll() is None:
        time.sleep(0.01)
    time.sleep(0.1)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    np.testing.assert_array_equal(fitted(tmp_path / "killed", 0.3, **settings), unbroken)
