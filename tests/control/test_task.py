"""Control as a whole: it stops and goes on, plays, is asked, and outlives what its environment does."""

from __future__ import annotations

import json
import logging

import numpy as np
import pandas as pd
import pytest
from tests.cli.commands import type_in
from tests.control import worlds as odd
from tests.control.stopping import stopped_and_resumed

import headwater
from headwater import catalog
from headwater.control import course as training
from headwater.control import filming
from headwater.control.chance import Chance, seeds_of
from headwater.control.curves import Curves
from headwater.control.dqn import Dqn
from headwater.control.preparing import IDLE
from headwater.control.q_learning import QLearning, QLearningSettings
from headwater.control.spaces import Box, Discrete
from headwater.control.task import Control
from headwater.control.written import written
from headwater.errors import ArtifactError, DataError, ExtraError, ResourceError, SettingError
from headwater.evaluation.control import Agents
from headwater.options import options_of
from headwater.settings import Settings

HERE = "tests.control.worlds"
FAST = {"model": "dqn", "hidden": (8,), "warm_up": 32, "steps": 400, "episodes": 12, "evaluations": 4}


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shown") / "run"
    headwater.adapt("control", f"{HERE}:Shown", to=folder, **FAST)
    return folder


@pytest.mark.parametrize(
    ("world", "own"),
    [
        ("Corridor", {"model": "dqn", "hidden": (8,), "warm_up": 32, "n_step": 2}),
        ("Corridor", {"model": "q-learning", "bins": 4}),
        ("Corridor", {"model": "actor-critic", "hidden": (8,), "rollout": 8}),
        ("Slope", {"model": "actor-critic", "hidden": (8,), "rollout": 8, "clip_range": 0.2, "passes": 2}),
        ("Slope", {"model": "ddpg", "hidden": (8,), "warm_up": 32, "batch": 16, "twin": True}),
    ],
    ids=lambda one: one if isinstance(one, str) else one["model"],
)
def test_a_stopped_training_goes_on_to_the_same_result(world, own, tmp_path, monkeypatch):
    world = f"tests.contract.worlds:{world}"
    asked = {"steps": 400, "episodes": 12, "evaluations": 4, **own, "checkpoint_seconds": 0.0}
    whole, resumed = stopped_and_resumed(world, asked, tmp_path / "run", monkeypatch, after=2)
    for name, values in whole.agent.policy().items():
        np.testing.assert_array_equal(resumed.agent.policy()[name], values)
    assert [row["score"] for row in resumed.standing.curve] == [row["score"] for row in whole.standing.curve]
    assert resumed.report.metrics == whole.report.metrics


def test_what_is_cheaply_written_is_there_long_before_its_time(tmp_path, monkeypatch, caplog):
    asked = {**FAST, "evaluations": 4, "checkpoint_seconds": 3600.0}
    with caplog.at_level(logging.INFO, "headwater"):
        whole, resumed = stopped_and_resumed("tests.contract.worlds:Corridor", asked, tmp_path / "run", monkeypatch)
    assert [one.message for one in caplog.records if one.message.startswith("goes on after")]
    assert resumed.report.metrics == whole.report.metrics


def test_a_named_column_comes_back(tmp_path):
    app = headwater.adapt("control", odd.Corridor, **FAST, observation="state")
    app.record(tmp_path / "lived.parquet", 2)
    again = headwater.adapt(
        "control", odd.Corridor, **FAST, observation="state", demonstrations=tmp_path / "lived.parquet"
    )
    assert again.standing.imitated["rows"] > 0


def test_an_environment_given_again_has_its_own_arguments():
    app = headwater.adapt("control", odd.Paying, model="q-learning", steps=64, episodes=2, env=("size=3",))
    assert app.evaluate(odd.Paying).metrics["return"].value == 3


def test_a_strip_keeps_few_frames_and_the_last():
    frames = [np.full((1, 1, 3), number % 256, np.uint8) for number in range(1000)]
    kept = filming._thinned(iter(frames))
    assert len(kept) <= 4 * filming._SHOWN + 1
    assert kept[0] is frames[0]
    assert kept[-1] is frames[-1]
    assert filming._thinned(iter([])) == []


def test_a_damaged_checkpoint_is_told(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(headwater.workspace, "finish", stop)
        with pytest.raises(KeyboardInterrupt):
            headwater.adapt("control", f"{HERE}:Corridor", to=tmp_path / "run", **FAST)
    (tmp_path / "run" / "work" / "model" / training.FILE).write_bytes(b"torn")
    with pytest.raises(ArtifactError, match="The checkpoint of this training is damaged"):
        headwater.flow.resume(tmp_path / "run")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Broken", "The environment broke down in step. Got 'RuntimeError: the motor is off'"),
        ("NoNumber", "The environment gave a reward that is no finite number. Got nan"),
        ("OtherShape", "The environment gave an observation that is none of its own space"),
        ("TooMuch", "The environment gave a reward that is no finite number. Got 1e"),
        ("Exits", "The environment broke down in step. Got 'SystemExit: 3'"),
        ("NoEnd", "The environment does not tell whether its episode has ended"),
        ("FourValues", "step of the environment gave something else than its five values. Got '4 values'"),
    ],
)  # fmt: skip
def test_the_best_policy_outlives_its_environment(name, sentence, tmp_path, caplog, monkeypatch):
    lesson = training.Course._lesson

    def breaking(self, *given):
        monkeypatch.setattr(odd.Broken, "broken", self.standing.lesson == 2)
        lesson(self, *given)

    monkeypatch.setattr(training.Course, "_lesson", breaking)
    with caplog.at_level(logging.WARNING), pytest.raises(DataError, match=f"{HERE}:{name}: {sentence}"):
        headwater.adapt("control", f"{HERE}:{name}", to=tmp_path / "run", **FAST)
    best = tmp_path / "run" / "work" / "best"
    assert str(best) in caplog.text
    assert headwater.load(best).predict([[0.1, 1.0]]).labels[0] in (0, 1)


def test_the_policy_outlives_test_episodes_that_break(tmp_path, monkeypatch):
    train = training.Course.train

    def breaking(self):
        found = train(self)
        monkeypatch.setattr(odd.Broken, "broken", True)
        return found

    monkeypatch.setattr(training.Course, "train", breaking)
    with pytest.raises(DataError, match="The environment broke down in step"):
        headwater.adapt("control", f"{HERE}:Broken", to=tmp_path / "run", **FAST)
    assert headwater.load(tmp_path / "run" / "work" / "best").predict([[0.1, 1.0]]).labels[0] in (0, 1)
    fitted = Control("dqn", Settings(steps=50, episodes=10, evaluations=1), hidden=(8,)).fit(odd.Corridor)
    with pytest.raises(DataError, match="The environment broke down in step"):
        fitted.evaluate(odd.Broken)


def test_a_training_that_comes_to_no_numbers_is_stopped_and_the_best_kept(tmp_path, monkeypatch):
    learn = Dqn.learn

    def diverging(self, lesson):
        learn(self, lesson)
        self.network.parameters[0] = np.inf if lesson.done > 200 else 0.0

    monkeypatch.setattr(Dqn, "learn", diverging)
    with pytest.raises(DataError, match=r"Learning has come to parameters that are not finite.*after 300 steps"):
        headwater.adapt("control", f"{HERE}:Corridor", to=tmp_path / "run", **FAST)
    assert headwater.load(tmp_path / "run" / "work" / "best").standing.done == 200


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Huge", "An observation or action of this environment is far too large"),
        ("Wide", "The memory of what was lived through would be too large"),
        ("Written", "Texts have to be read by a foundation before an agent can learn from them"),
    ],
)
def test_what_is_too_much_is_told_in_a_sentence(name, sentence):
    with pytest.raises(headwater.errors.HeadwaterError, match=sentence):
        headwater.adapt("control", f"{HERE}:{name}", model="dqn")


@pytest.mark.parametrize(
    ("name", "own", "sentence"),
    [
        ("Many", {"model": "dqn"}, "An observation or action of this environment is far too large"),
        ("Many", {"model": "actor-critic"}, "An observation or action of this environment is far too large"),
        (
            "Manifold",
            {"model": "dqn"},
            r"The network would be too large. Got '[\d,]+ weights'.*Give the environment few",
        ),
        ("Empty", {"model": "dqn"}, "An observation or action of this environment has no numbers"),
        ("Seen", {"model": "q-learning"}, r"A table has no row for .*image.*MultiDiscrete. Take --model dqn\.$"),
        (
            "Seen",
            {"model": "q-learning", "bins": 3},
            r"table would be too large. Got 'about 10.458.*0. Take --model dqn",
        ),
        ("Long", {"model": "q-learning", "bins": 9}, r"^--set bins: The table would .*190848.*0. Take --model dqn\.$"),
        ("Told", {"model": "q-learning"}, r"A table has no row .*MultiDiscrete. Take --model dqn\.$"),
        ("Corridor", {"model": "q-learning"}, r"such as with --set bins=10\.$"),
        ("Corridor", {"model": "q-learning", "bins": 1000, "steps": 10}, None),
        ("Slope", {"model": "q-learning", "bins": 3}, "q-learning cannot do the actions"),
        (
            "States",
            {"model": "q-learning"},
            r"^The table would be too large. Got 'about 10.8 entries.*Take --model dqn",
        ),
    ],
)
def test_what_a_table_or_network_cannot_hold_has_a_right_fix(name, own, sentence):
    world = f"{HERE}:{name}" if hasattr(odd, name) else f"tests.contract.worlds:{name}"
    if sentence is None:
        assert headwater.adapt("control", world, episodes=10, evaluations=1, **own).agent.table.shape == (1_000_000, 2)
        return
    with pytest.raises(headwater.errors.HeadwaterError, match=sentence):
        headwater.adapt("control", world, **own)


def test_fewer_bins_are_advised_where_they_are_enough():
    box = Box((9,), (0.0,), (1.0,))
    with pytest.raises(ResourceError, match=r"Give 6 bins or fewer, or take --model dqn"):
        QLearning(QLearningSettings(bins=20), box, Discrete(2))
    with pytest.raises(DataError, match=r"--set bins=6\.$"):
        QLearning(None, box, Discrete(2))


def test_environments_that_are_observed_otherwise_are_not_compared():
    told = type_in("compare", "CartPole-v1", "Pendulum-v1", "--task", "control")
    assert told.exit_code == 2
    assert "These environments have other observations than one another" in told.stderr
    assert "Got '4 and 3 numbers'" in told.stderr


@pytest.mark.parametrize(("option", "file"), [("--video", "film.mp4"), ("--transitions", "rows.parquet")])
def test_a_file_that_cannot_be_written_is_told(option, file, shown, tmp_path):
    told = type_in("play", shown, option, tmp_path / "nowhere" / file)
    assert told.exit_code == 2
    assert "The folder of this file does not exist" in told.stderr
    (tmp_path / file).mkdir()
    told = type_in("play", shown, option, tmp_path / file)
    assert told.exit_code == 2
    assert "The file cannot be written" in told.stderr
    assert "Invalid value for '--seed'" in type_in("play", shown, "--seed", "-1").stderr


def test_what_lay_in_the_place_of_a_file_stays_until_there_is_another(tmp_path):
    def half(name):
        with written(tmp_path / name) as place:
            place.write_text("half of the n")
            raise KeyError

    (tmp_path / "old").write_text("old")
    for name in ("old", "new"):
        with pytest.raises(KeyError):
            half(name)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]
    with written(tmp_path / "old") as place:
        place.write_text("new")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["new"]


def test_an_endless_world_is_cut_and_told():
    app = headwater.adapt("control", odd.Endless, **{**FAST, "steps": 100, "evaluations": 1}, episode_limit=20)
    assert app.report.metrics["return"].value == 20
    assert app.report.metrics["episodes_cut"].value == 1
    assert any("was cut off after 20 steps" in note for note in app.report.notes)


def test_a_budget_ends_the_lessons():
    app = headwater.adapt("control", odd.Corridor, **{**FAST, "evaluations": 50}, budget="0s")
    assert app.standing.lesson == 1
    assert "the budget is used up" in app.trace.stages[0].decision


def test_an_epoch_has_no_part():
    with pytest.raises(SettingError, match=r"epochs has no part in control.*--steps for how long it learns"):
        headwater.adapt("control", odd.Corridor, epochs=3)


READ = {
    "delimiter", "encoding", "quarantine_share", "steps", "trainings", "envs", "env", "episode_limit", "episodes",
    "evaluations", "deterministic", "encoder", "demonstrations", "observation", "strategy", "budget", "learning_rate",
    "checkpoint_seconds", "seed", "device", "offline", "trust_remote_code",
}  # fmt: skip


def test_every_setting_of_a_run_is_read_or_refused():
    fields = catalog.task("control").fields
    assert {option.name for option in options_of(Settings) if option.fits(fields)} == READ | set(IDLE)
    with pytest.raises(SettingError, match=r"batch_size has no part in control.*--set batch="):
        headwater.adapt("control", odd.Corridor, batch_size=64)


def test_the_environment_of_memory_is_asked_for_again(tmp_path):
    headwater.adapt("control", odd.Corridor, to=tmp_path / "run", **FAST)
    loaded = headwater.load(tmp_path / "run")
    with pytest.raises(DataError, match="The environment was given in memory, and is gone with its process"):
        loaded.evaluate()
    assert loaded.evaluate(odd.Corridor).metrics["return"].value >= 0
    with pytest.raises(DataError, match="This environment has other observations or actions than the one"):
        loaded.evaluate("CartPole-v1")
    lake = headwater.adapt("control", "FrozenLake-v1", model="q-learning", steps=640, episodes=2,
                           env=("is_slippery=false",))  # fmt: skip
    with pytest.raises(DataError, match="This environment has other observations or actions than the one"):
        lake.evaluate("FrozenLake8x8-v1")
    # What the making of its own environment was told has no part in another.
    assert lake.evaluate(odd.Sixteen).metrics["return"].value == 0


def test_what_chooses_by_episodes_is_measured_by_others(shown, monkeypatch):
    loaded, seen = headwater.load(shown), list[set[int]]()
    assert isinstance(loaded, Control)
    prepared, each = loaded.prepare(odd.Corridor), loaded._each
    monkeypatch.setattr(loaded, "_each", lambda world, seeds: seen.append(set(seeds)) or each(world, seeds))
    for part in (prepared.valid, prepared.test):
        assert len(loaded.marks(part).right) == len(part)
    assert seen[0].isdisjoint(seen[1])
    assert seen[1] == set(seeds_of(loaded.settings.seed, Chance.TEST, len(prepared.test)))


def test_no_lesson_is_without_a_step_and_one_without_an_episode_is_told(caplog):
    with caplog.at_level(logging.WARNING, "headwater"):
        app = headwater.adapt("control", odd.Endless, model="dqn", hidden=(8,), steps=20, envs=4, evaluations=20,
                              episodes=2, episode_limit=50)  # fmt: skip
    assert len(app.standing.curve) == 5
    assert [one.message for one in caplog.records if "No episode came to its end" in one.message] == [
        "No episode came to its end within a lesson of 1 step in each environment: what lies behind that is never "
        "learnt from. Give fewer --evaluations"
    ]
    assert "chosen by" in app.trace.stages[0].decision


def test_its_own_policy_may_be_drawn_from(shown):
    loaded = headwater.load(shown)
    assert isinstance(loaded, Control)
    loaded.settings = Settings(episodes=10, deterministic=False)
    with pytest.raises(SettingError, match=r"dqn has no policy to draw actions from.*Accepted: --model actor-critic"):
        loaded.evaluate()
    with pytest.raises(SettingError, match="q-learning has no policy to draw actions from"):
        headwater.adapt("control", "FrozenLake-v1", model="q-learning", deterministic=False)
    found = [headwater.adapt("control", odd.Slope, model="actor-critic", steps=64, evaluations=1, episodes=20,
                             deterministic=best) for best in (True, False)]  # fmt: skip
    assert "drawn from its policy" in found[1].report.notes[0]
    assert found[0].report.metrics["return"].value != found[1].report.metrics["return"].value


def test_an_episode_is_filmed_and_shown(shown, tmp_path):
    import av

    told = type_in("play", shown, "--video", tmp_path / "film.mp4")
    assert told.exit_code == 0, told.stderr
    with av.open(str(tmp_path / "film.mp4")) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert f"{len(frames)} frames written" in told.stdout
    assert frames[0].shape == (32, 48, 3)
    assert frames[0].max() > 150
    page = (shown / "report.html").read_text("utf-8")
    assert "The first test episode" in page
    assert "data:image/png" in page
    assert json.loads((shown / "report.json").read_text("utf-8"))["curve"][-1]["step"] == 400


def test_what_cannot_be_filmed_is_told(shown, tmp_path, monkeypatch):
    assert "A film is a video file" in type_in("play", shown, "--video", tmp_path / "film.gif").stderr
    headwater.adapt("control", f"{HERE}:Corridor", to=tmp_path / "run", **FAST)
    assert "The environment shows nothing of itself" in type_in("play", tmp_path / "run", "--video", "a.mp4").stderr
    headwater.adapt("recommendation", [("a", "b"), ("a", "c"), ("b", "b"), ("b", "d")], model="popularity",
                    to=tmp_path / "other", test_share=0.5)  # fmt: skip
    assert "This application plays in no environment" in type_in("play", tmp_path / "other").stderr
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(ExtraError, match="Videos need the library av"):
        headwater.load(shown).film(tmp_path / "film.mp4")


def test_curves_need_tensorboard(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tensorboard.summary", None)
    with pytest.raises(ExtraError, match="Learning curves need the library tensorboard"):
        Curves(tmp_path)


def test_rows_of_a_table_are_answered_and_keep_their_columns(shown, tmp_path):
    rows = pd.DataFrame({"observation": ["[0.1, 1]", "x", "[0.2, -1]"], "name": ["a", "b", "c"]})
    rows.to_csv(tmp_path / "rows.csv", index=False)
    assert type_in("predict", shown, tmp_path / "rows.csv", "--keep", "name", "--to", tmp_path / "a.csv").exit_code == 0
    found = pd.read_csv(tmp_path / "a.csv")
    assert found["name"].tolist() == ["a", "b", "c"]
    assert found["prediction"].isna().tolist() == [False, True, False]
    assert "a text that is no list of numbers" in found["reason"][1]


def test_returns_of_equal_episodes_have_their_interval():
    found = Agents({"dqn": np.full(20, 500.0), "random": np.arange(20.0)}, {}, {})
    assert found.metrics()["return"].low == 500
    assert found.metrics()["return_iqm"].value == 500
    assert found.gain().real
