"""Several trainings from one request: each is one of its own, and all of them tell what one is worth."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.control import worlds as odd

import headwater
from headwater.control import course
from headwater.control.task import Control
from headwater.control.trainings import Training, band
from headwater.errors import DataError
from headwater.evaluation.control import Agents
from headwater.evaluation.trainings import Trainings
from headwater.run import scratch
from headwater.settings import Settings

NAME = "tests.contract.worlds:Corridor"
FAST = {"model": "dqn", "hidden": (8,), "warm_up": 32, "steps": 200, "episodes": 12, "evaluations": 2}
KILLED = """
import os, signal, sys
import headwater
from headwater.control import course

lesson = course.Course._lesson

def dying(self, *given):
    if self.plan.name == "training 2 of 3" and self.standing.lesson == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    lesson(self, *given)

course.Course._lesson = dying
headwater.adapt("control", {name!r}, to=sys.argv[1], trainings=3, seed=5, checkpoint_seconds=0.0, **{fast!r})
"""


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    folder = tmp_path_factory.mktemp("three") / "run"
    return headwater.adapt("control", NAME, to=folder, trainings=3, seed=5, **FAST), folder


def test_each_training_is_what_its_seed_alone_would_learn(three):
    app, _ = three
    assert sorted(one.seed for one in app.trainings) == [5, 6, 7]
    for one in app.trainings:
        alone = headwater.adapt("control", NAME, seed=one.seed, **FAST)
        for name, values in alone.agent.policy().items():
            np.testing.assert_array_equal(values, one.policy[name])
        assert [row["score"] for row in alone.standing.curve] == [row["score"] for row in one.standing.curve]


def test_the_best_in_episodes_of_their_own_is_the_application(three):
    app, folder = three
    means = [np.mean(one.returns) for one in app.trainings]
    assert len(app.trainings[0].returns) == course.choosing(app.own_world())
    assert means[0] == max(means)
    for name, values in app.agent.policy().items():
        np.testing.assert_array_equal(values, app.trainings[0].policy[name])
    loaded = headwater.load(folder)
    assert loaded.predict([[0.5, 1.0], [0.5, -1.0]]).labels == app.predict([[0.5, 1.0], [0.5, -1.0]]).labels
    again = loaded.evaluate(NAME)
    assert again.metrics == app.report.metrics
    assert again.trainings == app.report.trainings
    for name, values in loaded.agent.policy().items():
        np.testing.assert_array_equal(values, app.agent.policy()[name])


def test_the_report_tells_the_one_from_all(three):
    app, folder = three
    report, rows = app.report, app.report.trainings["rows"]
    chosen = next(row for row in rows if row["chosen"])
    assert [row["seed"] for row in rows] == [5, 6, 7]
    assert chosen["seed"] == report.trainings["chosen"] == app.trainings[0].seed
    assert chosen["return"] == report.metrics["return"]
    each = [row["return"].value for row in rows]
    assert report.trainings["over"]["return"].value == pytest.approx(np.mean(each))
    assert report.trainings["over"]["return_std"].value == pytest.approx(np.std(each, ddof=1))
    said = " ".join(report.notes)
    assert f"of the training with seed {chosen['seed']}: the best of 3 trainings in 50 episodes" in said
    assert "no test episode had a part in that" in said
    assert "Intervals over 3 trainings are rough ones" in said
    assert [stage["name"] for stage in report.stages] == ["dqn (seed 5)", "dqn (seed 6)", "dqn (seed 7)"]
    assert sum(stage["decision"].endswith(", chosen") for stage in report.stages) == 1
    page = (folder / "report.html").read_text("utf-8")
    assert 'class="band"' in page
    assert "The best of 3 trainings of 200 steps" in page
    assert "draws whole trainings, not episodes" in page
    assert headwater.evaluation.report.Report.load(folder).to_html() == page
    assert {file.name for file in (folder / "logs").iterdir()} == {"seed-5", "seed-6", "seed-7"}


def test_trainings_that_were_killed_go_on_and_none_is_repeated(three, tmp_path, caplog):
    whole, _ = three
    script = KILLED.replace("{name!r}", repr(NAME)).replace("{fast!r}", repr(FAST))
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "run")], capture_output=True, text=True,
                          check=False, cwd=Path(__file__).parents[2])  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    with caplog.at_level(logging.INFO, logger="headwater"):
        resumed = headwater.flow.resume(tmp_path / "run")
    assert "training 1 of 3" not in caplog.text
    assert "training 2 of 3, 200 steps" in caplog.text
    assert "training 2 of 3, 100 steps" not in caplog.text
    for one, other in zip(resumed.trainings, whole.trainings, strict=True):
        assert (one.seed, one.returns) == (other.seed, other.returns)
        for name, values in one.policy.items():
            np.testing.assert_array_equal(values, other.policy[name])
    assert resumed.report.metrics == whole.report.metrics
    assert resumed.report.trainings == whole.report.trainings


def test_trainings_share_a_budget():
    app = headwater.adapt("control", NAME, trainings=3, budget="0s", **FAST)
    assert [one.standing.lesson for one in app.trainings] == [1, 1, 1]
    assert all("the budget is used up" in stage.decision for stage in app.trace.stages)


def test_a_training_that_was_stopped_stays_stopped(tmp_path, monkeypatch):
    finish = headwater.workspace.finish

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(headwater.workspace, "finish", stop)
    with pytest.raises(KeyboardInterrupt):
        headwater.adapt("control", NAME, to=tmp_path / "run", budget="0s", **FAST)
    monkeypatch.setattr(headwater.workspace, "finish", finish)
    monkeypatch.setattr(course.Course, "_lesson", stop)
    assert headwater.flow.resume(tmp_path / "run").standing.lesson == 1


def test_the_best_of_the_trainings_outlives_the_environment(tmp_path, monkeypatch):
    lesson = course.Course._lesson

    def breaking(self, *given):
        monkeypatch.setattr(odd.Broken, "broken", self.plan.name == "training 2 of 3")
        lesson(self, *given)

    monkeypatch.setattr(course.Course, "_lesson", breaking)
    with pytest.raises(DataError, match="The environment broke down in step"):
        headwater.adapt("control", "tests.control.worlds:Broken", to=tmp_path / "run", trainings=3, **FAST)
    kept = headwater.load(tmp_path / "run" / "work" / "best")
    assert kept.standing.lesson == 2
    assert kept.predict([[0.1, 1.0]]).labels[0] in (0, 1)


def test_a_search_compares_the_mean_of_the_trainings(tmp_path):
    app = headwater.tune("control", NAME, trainings=2, trials=2, to=tmp_path / "run", **FAST)
    assert app.report.trainings["count"] == 2
    assert len(app.report.stages) == 2
    own = dict(app.agent.policy())
    marks = app.marks(NAME).right
    one = headwater.load(tmp_path / "run")
    one.trainings = []
    other = headwater.load(tmp_path / "run")
    other.trainings = []
    other.agent.follow(app.trainings[1].policy)
    np.testing.assert_allclose(marks, (one.marks(NAME).right + other.marks(NAME).right) / 2)
    for name, values in own.items():
        np.testing.assert_array_equal(app.agent.policy()[name], values)


def test_a_search_stops_all_trainings_of_settings_that_are_not_worth_it():
    asked = []

    def judge(share, score):
        asked.append(share)
        return "enough" if share > 0.4 else ""

    with scratch(Settings(trainings=3, steps=200, episodes=12, evaluations=2)) as run:
        app = Control("dqn", run.settings, hidden=(8,), warm_up=32)
        app.fit(NAME, run=replace(run, judge=judge))
    assert asked == pytest.approx([1 / 6, 1 / 2])
    assert [one.standing.lesson for one in sorted(app.trainings, key=lambda one: one.seed)] == [2, 1]


def test_a_band_is_of_the_trainings_that_came_so_far():
    def training(seed, *scores):
        curve = [{"step": 10 * (place + 1), "score": score} for place, score in enumerate(scores)]
        return Training(seed, course.Standing(curve=curve), {})

    found = band([training(0, 1.0, 4.0), training(1, 3.0), training(2, 2.0, float("nan"))], "score")
    assert found[0] == {"step": 10, "score": 2.0, "low": 1.0, "high": 3.0}
    assert found[1] == {"step": 20, "score": 4.0}


def test_intervals_are_of_trainings_and_not_of_episodes():
    """A thousand episodes of two policies tell no more of a third than the two means do."""
    returns = np.stack([np.full(1000, 10.0), np.full(1000, 20.0)])
    over = Trainings([0, 1], returns, [10.0, 20.0], 50).over()
    assert (over["return"].low, over["return"].value) == (10.0, 15.0)
    assert over["return"].high == pytest.approx(20, abs=0.2)
    found = Agents(
        {"dqn": returns[1], "random": returns[0]}, {}, {}, trainings=Trainings([1, 0], returns[::-1], [2, 1], 9)
    )
    assert found.metrics()["return"].value == 20
    assert "from 10.00 to 20.00" in " ".join(found.sentences())
