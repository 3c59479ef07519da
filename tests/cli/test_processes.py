"""The whole command in processes of its own: killed and resumed, and two that adapt together."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from tests.tiny import make_bert


@pytest.fixture(scope="module")
def foundation(tmp_path_factory):
    return make_bert(tmp_path_factory.mktemp("foundation") / "tiny-bert")


def start(*words, launcher=(sys.executable,), cache):
    return subprocess.Popen(
        [*launcher, "-m", "headwater", *map(str, words)],
        env={**os.environ, "PYTHONUTF8": "1", "OMP_NUM_THREADS": "1", "HEADWATER_CACHE": str(cache)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finish(process):
    _, said = process.communicate(timeout=400)
    assert process.returncode == 0, said
    return said


def metrics(run):
    return json.loads((run / "report.json").read_text("utf-8"))["metrics"]


@pytest.fixture(scope="module")
def adapt(reviews, foundation, tmp_path_factory):
    """Starts one adaptation, always the same, into a folder."""
    cache = tmp_path_factory.mktemp("cache")

    def adapt(to, *words, **how):
        return start(
            "adapt", "text-classification", reviews, "--model", foundation, "--strategy", "full", "--epochs", 20,
            "--patience", 20, "--offline", "--to", to, *words, cache=cache, **how,
        )  # fmt: skip

    return adapt


@pytest.fixture(scope="module")
def unbroken(adapt, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "unbroken"
    finish(adapt(run))
    return metrics(run)


def test_a_killed_run_resumes_to_the_metrics_of_an_unbroken_one(adapt, unbroken, tmp_path):
    killed = adapt(tmp_path / "run", "--checkpoint-seconds", 0.2)
    while not list(tmp_path.rglob("checkpoint.safetensors")) and killed.poll() is None:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "run" / "report.json").exists()
    finish(start("adapt", "--resume", "--to", tmp_path / "run", cache=tmp_path))
    assert metrics(tmp_path / "run") == unbroken


def test_two_processes_adapt_as_well_as_one(adapt, unbroken, tmp_path):
    launcher = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
    finish(adapt(tmp_path / "run", launcher=launcher))
    assert metrics(tmp_path / "run")["accuracy"]["value"] == pytest.approx(unbroken["accuracy"]["value"], abs=0.07)
