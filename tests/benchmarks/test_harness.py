"""A side is a process: what it costs, what it sees, how it fails."""

import argparse
import doctest
import json
import subprocess
import sys

import pytest

import harness

SCRIPT = """
import os, sys, time
from pathlib import Path
from harness import main

def burn(seconds, seed=0):
    while time.process_time() < seconds:
        pass
    return {"threads": os.environ["OMP_NUM_THREADS"], "cache": os.listdir(os.environ["TMPDIR"])}

def hold(mib):
    print("chatter", len(b"x" * (mib * 2**20)))
    return {}

def fail():
    raise RuntimeError("out of cheese")

def compare(bench):
    print(bench.measure("hold", mib=1).side)

if __name__ == "__main__":
    main(Path(__file__), {"burn": burn, "tick": burn, "hold": hold, "fail": fail}, compare)
"""


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "WORK", tmp_path)
    monkeypatch.setattr(harness, "_compile", lambda python: None)
    monkeypatch.setenv("PYTHONPATH", str(harness.ROOT / "benchmarks"))
    script = tmp_path / "toy.py"
    script.write_text(SCRIPT)
    return harness.Bench(script, argparse.Namespace(seeds=2, quick=False, resume=False, extend=False, threads=3))


def test_cpu_seconds_are_those_of_the_side(bench):
    assert 0.6 < bench.measure("burn", seconds=0.6).cpu_seconds < 2.0


def test_a_side_sees_the_threads_and_a_scratch_folder_that_is_gone_afterwards(bench, tmp_path):
    values = bench.measure("burn", seconds=0).values
    assert values == {"threads": "3", "cache": ["stderr", "stdout"]}
    assert not list(tmp_path.glob("burn-*"))


def test_peak_memory_is_that_of_the_side_and_chatter_is_not_its_answer(bench):
    # A child's peak is never told as less than its parent's, and the parent here has run other tests: the difference
    # of two sides is measured above whatever that is.
    floor = bench.measure("hold", mib=1)
    little, much = (bench.measure("hold", mib=mib + round(floor.peak_mib)) for mib in (100, 300))
    assert little.values == {}
    assert much.peak_mib - little.peak_mib == pytest.approx(200, abs=20)


def test_a_failing_side_ends_the_benchmark_with_its_last_lines(bench):
    with pytest.raises(SystemExit, match=r"--side fail ended with 1(.|\n)*out of cheese"):
        bench.measure("fail")


def test_pairs_take_turns(bench):
    list(bench.pairs("burn", "tick", seconds=0))
    turns = [(run.side, run.arguments["seed"]) for run in bench.measured]
    assert turns == [("burn", 0), ("tick", 0), ("burn", 1), ("tick", 1)]


def test_resume_takes_what_was_measured_with_the_same_arguments(bench):
    first = bench.measure("hold", mib=1)
    bench.options.resume = True
    assert bench.measure("hold", mib=1) == first
    assert bench.measure("hold", mib=2) != first


def test_resume_keeps_what_a_peer_measured_whatever_becomes_of_the_package(bench, tmp_path, monkeypatch):
    def hold(mib):
        return {}

    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    bench.sides, bench.options.resume = {"hold": hold}, True
    first = bench.measure("hold", python=python, mib=1)
    monkeypatch.setattr(harness, "code", lambda: "another")
    assert bench.measure("hold", python=python, mib=1) == first
    bench.sides = {"hold": lambda mib: {"changed": mib}}
    assert bench.measure("hold", python=python, mib=1) != first


def test_extend_takes_what_is_published_with_the_commit_that_it_was_measured_on(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "FOLDER", tmp_path / "results")
    (tmp_path / "results").mkdir()
    entry = {"side": "hold", "values": {}, "cpu_seconds": 1.5, "wall_seconds": 2.0, "peak_mib": 40.0}
    entries = [{**entry, "arguments": {"mib": 1, "file": "benchmarks/.work/rows.csv"}}]
    content = {"threads": 3, "commit": "abc", "measured": entries}
    (tmp_path / "results" / "toy.json").write_text(json.dumps(content))
    asked = {"mib": 1, "file": "/home/a/benchmarks/.work/rows.csv"}
    bench.options.extend = True
    assert bench.measure("hold", **asked) == harness.Measured(**entries[0], commit="abc")
    with pytest.raises(SystemExit, match="unexpected keyword argument 'file'"):  # it is run
        bench.measure("hold", **{**asked, "mib": 2})
    bench.options.threads = 2
    with pytest.raises(SystemExit, match="unexpected keyword argument 'file'"):
        bench.measure("hold", **asked)


def test_a_missing_data_folder_is_one_sentence(bench):
    command = [sys.executable, str(bench.script), "--data", "/nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "/nowhere: there is no data folder here. Give one with --data or HEADWATER_DATA.\n"


def test_libraries_are_compiled_once(tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "BYTECODE", tmp_path)
    library = tmp_path / "lib" / "site-packages" / "toy.py"
    library.parent.mkdir(parents=True)
    library.write_text("x = 1")
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{sys.executable} -m compileall -q {library} && echo ran >> {tmp_path}/log")
    python.chmod(0o755)
    for _ in range(2):
        harness._compile.__wrapped__(str(python))
    assert list(tmp_path.rglob("toy.*.pyc"))
    assert (tmp_path / "log").read_text() == "ran\n"


def test_examples():
    assert doctest.testmod(harness).failed == 0
