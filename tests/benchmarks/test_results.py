"""Tables, their provenance, and where they are written."""

import argparse
import doctest
import json
import sys
from pathlib import Path

import pytest

import harness
import results


def run(side, cost):
    return harness.Measured(side, {}, {}, cost, 1.0, 1.0)


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    monkeypatch.setattr(results, "WORK", tmp_path / "work")
    monkeypatch.setattr(sys, "argv", ["toy.py", "--data", "/home/me/data", "--seeds", "2"])
    options = argparse.Namespace(seeds=2, quick=False, threads=1)
    return harness.Bench(Path("toy.py"), options, [run("A", 2.0)])


def test_a_spread_is_the_middle_and_the_ends():
    assert results.Spread.of(iter([4.0, 1.0, 2.0])) == results.Spread(2.0, 1.0, 4.0)


def test_ratios_are_taken_within_pairs():
    pairs = [(run("A", 2.0), run("B", 1.0)), (run("A", 10.0), run("B", 4.0))]
    assert results.ratio(pairs, "cpu_seconds") == results.Spread(0.45, 0.4, 0.5)


def test_the_page_says_how_it_came_to_be_without_the_place_of_the_data(bench):
    text = results.publish(bench, [results.Table("Sides.", ("side",), [("A",)])]).read_text()
    assert text.startswith("Sides.\n\n| side |\n|---|\n| A |\n\n`python benchmarks/toy.py --seeds 2` on 20")
    assert "seeds [0, 1], 1 threads" in text
    assert "/home/me" not in text


def test_the_json_holds_every_measurement(bench, tmp_path):
    results.publish(bench, [], name="other")
    kept = json.loads((tmp_path / "results" / "other.json").read_text())
    assert [entry["cpu_seconds"] for entry in kept["measured"]] == [2.0]


def test_a_quick_run_leaves_the_results_alone(bench, tmp_path):
    bench.options.quick = True
    assert results.publish(bench, []).parent == tmp_path / "work"
    assert not (tmp_path / "results").exists()


def test_examples():
    assert doctest.testmod(results).failed == 0


def test_no_committed_result_names_a_place_of_one_machine():
    found = sorted(results.FOLDER.glob("*.json"))
    assert found
    for file in found:
        measured = json.loads(file.read_text("utf-8"))["measured"]
        assert results.portable(measured) == measured, f"{file.name} holds a path of the machine it was measured on"
