"""Environments are found, stepped and told apart; their ends are what they are."""

from __future__ import annotations

import importlib

import gymnasium
import numpy as np
import pytest
from tests.control import worlds as odd

from headwater.control.world import LONGEST, World, hash_of, world_of
from headwater.control.worlds import Worlds
from headwater.errors import DataError, ExtraError, NotFoundError, SettingError

HERE = "tests.control.worlds"


def test_an_end_and_a_cut_are_told_apart_and_the_last_observation_is_kept():
    for ends, terminated in ((3, True), (0, False)):
        worlds = Worlds(World("counting", {"ends": ends}, odd.Counting), 2, [0])
        steps = [worlds.step(np.zeros((2, 1), np.int64)) for _ in range(ends or 5)]
        last = steps[-1]
        assert last.after[:, 0].tolist() == [ends or 5] * 2
        assert worlds.now[:, 0].tolist() == [0, 0]
        assert last.ended.all()
        assert last.terminated.tolist() == [terminated] * 2
        assert worlds.finished == [(float(ends or 5), ends or 5)] * 2
        assert not any(step.ended.any() for step in steps[:-1])


def test_an_episode_is_cut_where_the_user_says():
    worlds = Worlds(World("endless", {}, odd.Endless, longest=4), 1, [0])
    steps = [worlds.step(np.zeros((1, 1), np.int64)) for _ in range(4)]
    assert [bool(step.ended[0]) for step in steps] == [False, False, False, True]
    assert not steps[-1].terminated[0]
    assert World("endless", {}, odd.Endless).limit == LONGEST
    assert world_of("CartPole-v1").limit == 500
    assert world_of("CartPole-v1", longest=20).limit == 20


def test_seeds_decide():
    drawn = [Worlds(world_of("CartPole-v1"), 2, seeds).now for seeds in ([0], [0], [1])]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).any()
    assert (drawn[0][0] != drawn[0][1]).any()


def test_a_world_is_found_by_its_id_its_class_or_its_maker():
    assert world_of(f"{HERE}:Corridor").observations.size == 2
    assert world_of(odd.Corridor).name == "Corridor"
    assert world_of("FrozenLake-v1", ["map_name=8x8", "is_slippery=false"]).observations.width == 64
    assert world_of("gymnasium:CartPole-v1").limit == 500
    assert hash_of(f"{HERE}:Corridor") != hash_of(f"{HERE}:Shown") != hash_of("CartPole-v1")


@pytest.mark.parametrize(
    ("source", "kind", "sentence"),
    [
        ("CartPol-v1", NotFoundError, "There is no environment of this name. Got 'CartPol-v1'.*mean CartPole-v"),
        ("LunarLander-v2", NotFoundError, "Did you mean LunarLander-v3"),
        ("nowhere.at.all:Class", NotFoundError, "There is no module of this name"),
        (f"{HERE}:Coridor", NotFoundError, "The module has no environment of this name.*Did you mean Corridor"),
        ([1, 2], DataError, "control learns by doing, and needs an environment to do it in"),
        (f"{HERE}:NoStep", DataError, "This is no environment of Gymnasium: it has no step"),
        (f"{HERE}:Mixed", DataError, "The environment has an action of several kinds at once"),
        (lambda: 1 / 0, DataError, "The environment broke down in its making. Got 'ZeroDivisionError"),
    ],
)  # fmt: skip
def test_what_is_no_world_is_refused(source, kind, sentence):
    with pytest.raises(kind, match=sentence):
        world_of(source).actions  # noqa: B018 - looked at for the first time


def test_an_option_without_a_value_is_refused():
    with pytest.raises(SettingError, match="An argument of the environment needs a name and a value"):
        world_of("FrozenLake-v1", ["map_name"])


def test_a_library_that_is_missing_is_named(monkeypatch):
    def lacking(name, **options):
        raise gymnasium.error.DependencyNotInstalled("Box2D is not installed")

    monkeypatch.setattr(gymnasium, "make", lacking)
    with pytest.raises(ExtraError, match=r"This environment needs a library.*pip install 'headwater\[control\]'"):
        world_of("LunarLander-v3").make()


def test_without_gymnasium_the_extra_is_named(monkeypatch):
    real = importlib.import_module

    def absent(name, package=None):
        if name == "gymnasium":
            raise ModuleNotFoundError(name=name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(ExtraError, match="Environments need the library gymnasium"):
        world_of("CartPole-v1").make()


def test_a_module_that_cannot_be_imported_says_why(tmp_path, monkeypatch):
    (tmp_path / "torn.py").write_text("raise ValueError('torn')")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"broke down in the import of its module\. Got 'ValueError: torn'"):
        world_of("torn:Maze")
