"""Agents imitate what was shown, and learn from what others lived through."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from tests.cli.commands import type_in
from tests.contract.worlds import Corridor, Slope

import headwater
from headwater.control import course
from headwater.control.cloning import divided
from headwater.control.demonstrations import demonstrations_of
from headwater.control.replay import Lived, Replay
from headwater.control.world import World
from headwater.data import reading
from headwater.errors import DataError, NotFoundError, SettingError
from headwater.settings import Settings

ALONE = {"steps": 0, "episodes": 20}
WORLD = World("corridor", {}, Corridor)


def shown(file, numbers=False, rows=300):
    """A table of what is right in a corridor: go to the goal."""
    random = np.random.default_rng(0)
    goals = random.choice((-1.0, 1.0), rows)
    observed = np.column_stack([random.uniform(-0.9, 0.9, rows), goals]).tolist()
    actions = [[goal] for goal in goals] if numbers else (goals > 0).astype(int)
    frame = pd.DataFrame({"observation": list(map(json.dumps, observed)), "action": list(actions)})
    frame.to_parquet(file)
    return str(file)


@pytest.mark.parametrize(
    ("model", "world", "own"),
    [
        ("dqn", Corridor, {"hidden": (8,), "dueling": True, "learning_rate": 0.01}),
        ("q-learning", Corridor, {"bins": 4}),
        ("actor-critic", Corridor, {"hidden": (8,), "learning_rate": 0.01}),
        ("actor-critic", Slope, {"hidden": (8,), "learning_rate": 0.01}),
        ("ddpg", Slope, {"hidden": (8,), "learning_rate": 0.01}),
    ],
)
def test_an_agent_does_what_was_shown(model, world, own, tmp_path):
    file = shown(tmp_path / "shown.parquet", numbers=world is Slope)
    app = headwater.adapt("control", world, model=model, demonstrations=file, **ALONE, **own)
    assert app.standing.imitated["agreement"] > 0.9
    assert app.standing.done == 0
    assert app.report.metrics["return"].value > 0.9
    assert "rows held out" in app.trace.stages[0].decision


def test_a_run_makes_a_table_that_another_begins_with(tmp_path):
    file = shown(tmp_path / "shown.parquet")
    name = "tests.contract.worlds:Corridor"
    headwater.adapt("control", name, model="dqn", hidden=(8,), learning_rate=0.01, demonstrations=file,
                    to=tmp_path / "run", **ALONE)  # fmt: skip
    table = tmp_path / "lived.parquet"
    told = type_in("play", tmp_path / "run", "--transitions", table, "--episodes", "20")
    assert f"{len(pd.read_parquet(table))} transitions written" in told.stdout, told.stderr
    assert "Transitions are written as a table of Parquet" in type_in(
        "play", tmp_path / "run", "--transitions", "a.csv"
    ).stderr  # fmt: skip
    app = headwater.adapt("control", name, model="dqn", hidden=(8,), warm_up=32, demonstrations=str(table), steps=200,
                          envs=2, episodes=20, evaluations=2)  # fmt: skip
    lived = len(pd.read_parquet(table))
    assert app.standing.imitated["relived"] == lived // 2 * 2
    assert app.standing.score >= app.standing.imitated["score"]
    assert app.report.audit["demonstrations"] == {"rows": lived, "transitions": lived, "set_aside": 0}


@pytest.mark.parametrize(
    "of",
    [
        dict,
        pa.table,
        pd.DataFrame,
        pl.DataFrame,
        lambda table: pd.DataFrame(table).to_dict("records"),
    ],
    ids=["dict of columns", "Arrow", "pandas", "polars", "list of dicts"],
)  # fmt: skip
def test_demonstrations_may_be_in_memory(of):
    random = np.random.default_rng(0)
    goals = random.choice((-1.0, 1.0), 100)
    observed = np.column_stack([random.uniform(-0.9, 0.9, 100), goals]).tolist()
    table = {"observation": observed, "action": (goals > 0).astype(int).tolist()}
    app = headwater.adapt("control", Corridor, model="q-learning", bins=4, demonstrations=of(table), **ALONE)
    assert app.report.metrics["return"].value > 0.9
    assert app.report.audit["demonstrations"]["rows"] == 100
    assert "demonstrations=DEMONSTRATIONS" in app.report.provenance["command"]
    assert app.report.provenance["hashes"]["demonstrations"] == reading.hash_of(of(table))


def test_demonstrations_in_memory_are_given_again(tmp_path, monkeypatch):
    rows = [{"observation": [0.1 * place, 1.0], "action": 1} for place in range(-9, 9)]
    asked = {"model": "dqn", "hidden": (8,), "warm_up": 32, "steps": 200, "episodes": 12, "evaluations": 2}
    name = "tests.contract.worlds:Corridor"
    whole = headwater.adapt("control", name, demonstrations=rows, **asked)
    lesson = course.Course._lesson

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(course.Course, "_lesson", stop)
    with pytest.raises(KeyboardInterrupt):
        headwater.adapt("control", name, to=tmp_path / "run", demonstrations=rows, **asked)
    monkeypatch.setattr(course.Course, "_lesson", lesson)
    gone = r"These rows were in memory, and are gone with their process. Got \['demonstrations'\]"
    with pytest.raises(DataError, match=gone):
        headwater.flow.resume(tmp_path / "run")
    with pytest.raises(DataError, match=gone):
        headwater.tune("control", name, demonstrations="memory:demonstrations", **asked)
    with pytest.raises(DataError, match="The data is not what this run began with"):
        headwater.flow.resume(tmp_path / "run", demonstrations=rows[1:])
    resumed = headwater.flow.resume(tmp_path / "run", demonstrations=rows)
    np.testing.assert_array_equal(resumed.agent.policy()["network"], whole.agent.policy()["network"])
    with pytest.raises(SettingError, match="Rows in memory cannot be handed to other processes"):
        headwater.tune("control", name, demonstrations=rows, jobs=2, **asked)


def test_a_search_takes_demonstrations_in_memory():
    rows = [
        {"observation": [0.1 * place, goal], "action": int(goal > 0)} for place in range(-9, 9) for goal in (-1.0, 1.0)
    ]
    app = headwater.tune("control", Corridor, model="dqn", hidden=(8,), warm_up=32, steps=100, episodes=12,
                         evaluations=2, demonstrations=rows, trials=1)  # fmt: skip
    assert app.standing.imitated["rows"] > 20


def test_transitions_know_what_followed_and_what_did_not(tmp_path):
    frame = pd.DataFrame({
        "observation": [f"[{place / 10}, 1]" for place in range(8)], "action": 1, "reward": range(8),
        "terminated": [False, False, True, False, False, False, False, False],
        "truncated": [False, False, False, False, False, True, False, False],
    })  # fmt: skip
    frame.loc[4, "action"] = 7
    frame.to_csv(tmp_path / "rows.csv", index=False)
    found = demonstrations_of(tmp_path / "rows.csv", WORLD, Settings(quarantine_share=0.5))
    assert [problem.line for problem in found.problems] == [6]
    assert "the action is not a whole number from 0 to 1" in found.problems[0].reason
    # What followed row 3 was set aside; rows 5 and 7 have nothing behind them.
    assert found.lived is not None
    assert found.lived.rewards.tolist() == [0, 1, 2, 6]
    assert found.lived.terminated.tolist() == [False, False, True, False]
    assert found.lived.ended.tolist() == [False, False, True, True]
    np.testing.assert_allclose(found.lived.after[:, 0], [0.1, 0.2, 0.2, 0.7], atol=1e-6)


def test_a_row_that_is_done_as_it_was_cut_is_no_end():
    rows = {"observation": ["[0, 1]"] * 8, "action": [1] * 8, "reward": [1.0] * 8, "done": [False, True] * 4}
    rows["next_observation"] = rows["observation"]
    both = demonstrations_of(rows | {"truncated": [False, True, False, False] * 2}, WORLD, Settings())
    assert both.lived is not None
    assert both.lived.terminated.tolist() == [False, False, False, True] * 2
    assert both.lived.ended.tolist() == [False, True] * 4


@pytest.mark.parametrize("sizes", [(10, 1000), (20, 20, 20, 500), (100, 90, 110, 95, 105), (560,), (3, 3)])
def test_about_a_fifth_is_held_out_however_uneven_episodes_are(sizes):
    for seed in range(6):
        learnt, held = divided(np.repeat(np.arange(len(sizes)), sizes), np.random.default_rng(seed))
        assert len(learnt) + len(held) == sum(sizes)
        assert len(held) <= 0.4 * sum(sizes)
        assert len(held) >= 1


def test_fewer_rows_than_environments_are_imitated_alone():
    rows = [{"observation": [place / 10, 1], "action": [0.1], "reward": 1.0, "done": place == 9} for place in range(10)]
    app = headwater.adapt("control", Slope, model="ddpg", demonstrations=rows, hidden=(8,), steps=64, envs=16,
                          evaluations=1, episodes=2)  # fmt: skip
    assert (app.standing.imitated["relived"], app.standing.imitated["appraised"]) == (0, 0)


def test_actions_beyond_the_ends_are_set_aside(tmp_path):
    file = shown(tmp_path / "shown.parquet", numbers=True, rows=20)
    frame = pd.read_parquet(file)
    frame["action"] = [[50.0], [1.000001], *frame["action"][2:]]
    frame.to_parquet(file)
    found = demonstrations_of(file, World("slope", {}, Slope), Settings())
    assert len(found) == 19
    assert found.actions[0] == 1
    assert found.problems[0].reason == "the action is an array with 50 in it, not from -1 to 1"


def test_a_memory_takes_equal_parts_and_the_last_where_there_is_no_room():
    rows = np.arange(7)
    lived = Lived(rows[:, None], rows[:, None] + 1, rows[:, None], rows, rows < 0, rows < 0)
    replay = Replay(100, 2, 1, np.dtype(np.int64), (1, np.dtype(np.int64)))
    assert replay.fill(lived) == 6
    assert replay.now[:3, :, 0].T.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert replay.ended[:3].tolist() == [[False, False], [False, False], [True, True]]
    small = Replay(4, 1, 1, np.dtype(np.int64), (1, np.dtype(np.int64)))
    assert small.fill(lived) == 4
    assert small.now[:, 0, 0].tolist() == [3, 4, 5, 6]


@pytest.mark.parametrize(
    ("rows", "kind", "sentence"),
    [
        ({"action": [1] * 9}, NotFoundError, "There is no column of this name. Got 'observation'"),
        ({"observation": ["[0, 1]"] * 9}, NotFoundError, "There is no column of this name. Got 'action'"),
        ({"observation": ["[0, 1]"] * 3, "action": [1] * 3}, DataError, "There are too few demonstrations to imitate"),
        ({"observation": ["[0]"] * 9, "action": [1] * 9}, DataError, "9 of 9 rows .* cannot be used"),
        ({"observation": ["[0, 1]"] * 9, "action": 1, "reward": "much", "done": "no"}, DataError,
         "the reward is no finite number"),
        ({"observation": ["[0, 1]"] * 9, "action": 1, "done": "maybe"}, DataError, "neither true nor false"),
        ({"observation": ["[0, 1]"] * 9, "action": [None] * 9}, DataError, "the action is missing"),
    ],
)  # fmt: skip
def test_what_is_no_demonstration_is_told(rows, kind, sentence, tmp_path):
    pd.DataFrame(rows).to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(kind, match=sentence):
        demonstrations_of(tmp_path / "rows.csv", WORLD, Settings())


def test_no_steps_need_demonstrations():
    with pytest.raises(SettingError, match="There is nothing to learn from in no steps"):
        headwater.adapt("control", Corridor, steps=0)


def test_an_imitation_that_was_stopped_is_not_done_twice(tmp_path, monkeypatch):
    file, lesson = shown(tmp_path / "shown.parquet"), course.Course._lesson
    asked = {"model": "dqn", "hidden": (8,), "warm_up": 32, "steps": 200, "episodes": 12, "evaluations": 2,
             "demonstrations": file, "checkpoint_seconds": 0.0}  # fmt: skip
    name = "tests.contract.worlds:Corridor"
    whole = headwater.adapt("control", name, **asked)

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(course.Course, "_lesson", stop)
    with pytest.raises(KeyboardInterrupt):
        headwater.adapt("control", name, to=tmp_path / "run", **asked)
    monkeypatch.setattr(course.Course, "_lesson", lesson)
    monkeypatch.setattr(course, "clone", stop)
    resumed = headwater.flow.resume(tmp_path / "run")
    np.testing.assert_array_equal(resumed.agent.policy()["network"], whole.agent.policy()["network"])
