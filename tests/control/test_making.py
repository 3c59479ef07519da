"""How environments are made: their arguments, their versions, what is warned of meanwhile, and their end."""

from __future__ import annotations

import logging
import warnings

import gymnasium
import numpy as np
import pytest
from tests.control import worlds as odd

from headwater.control import hushed
from headwater.control.stepping import together
from headwater.control.task import Control
from headwater.control.world import World, world_of
from headwater.control.worlds import Worlds
from headwater.errors import DataError, SettingError
from headwater.settings import Settings

HERE = "tests.control.worlds"


@pytest.mark.parametrize(
    ("source", "env", "kind", "sentence"),
    [
        ("FrozenLake-v1", "map=8x8", SettingError,
         "--env: FrozenLake-v1 takes no argument of this name. Got 'map'. Accepted: .*map_name.*Did you mean map_name"),
        ("FrozenLake-v1", "is_sliperry=true", SettingError, "Did you mean is_slippery"),
        (f"{HERE}:Sized", "siz=4", SettingError, "Got 'siz'. Accepted: size, name. Did you mean size"),
        (f"{HERE}:Corridor", "size=4", SettingError, "Corridor takes no argument of this name.*Accepted: none"),
        (odd.Corridors, "mod=4", SettingError, "Got 'mod'. Accepted: num_envs, mode, kind.*Did you mean mode"),
        (f"{HERE}:Sized", "size=0", DataError, "broke down in its making.*too small.*Check the values of --env"),
        (f"{HERE}:AnyWise", "size=0", DataError, "broke down in its making.*nobody knows size"),
        ("FrozenLake-v1", "map_name=9x9", DataError, "KeyError: '9x9'.*Check the values of --env, or mend the env"),
    ],
)  # fmt: skip
def test_an_argument_that_is_not_taken_is_told(source, env, kind, sentence):
    with pytest.raises(kind, match=sentence):
        world_of(source, [env]).make()


def test_an_argument_is_given_once():
    with pytest.raises(SettingError, match=r"An argument of the environment is given twice\. Got 'map_name'"):
        world_of("FrozenLake-v1", ["map_name=4x4", "map_name=8x8"])


def test_a_name_without_a_version_is_the_newest():
    world = world_of("CartPole")
    assert world.name == world.known_as == "CartPole-v1"
    assert together(world)
    plan = Control("dqn", Settings())._plan(world)
    assert plan == Control("dqn", Settings())._plan(world_of("CartPole-v1"))
    assert plan.steps == 50_000
    assert Control("dqn", Settings())._plan(world_of("gymnasium:CartPole-v1")).steps == 50_000
    gymnasium.register("tests/Own-v3", odd.Corridor)
    assert world_of("tests/Own").name == "tests/Own-v3"
    del gymnasium.registry["tests/Own-v3"]
    assert world_of(odd.Corridor).known_as == "Corridor"


def test_what_gymnasium_warns_of_is_said_once_and_plainly(caplog, monkeypatch):
    monkeypatch.setattr(hushed, "_said", set())

    def warned(**options):
        gymnasium.logger.warn("the paint is wet")
        warnings.warn("mine", UserWarning, stacklevel=1)
        return odd.Corridor()

    world = World("wet", {}, warned)
    for _ in range(2):
        with pytest.warns(UserWarning, match="^mine$") as told:
            world.make()
        assert len(told) == 1
    with caplog.at_level(logging.WARNING):
        world_of("CartPole-v1", ["render_mode=nope"]).make()
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "wet: the paint is wet"
    assert len(set(lines)) == len(lines) > 1
    assert not any("\x1b" in line or "WARN" in line for line in lines)


@pytest.mark.parametrize("kind", [odd.Clinging, odd.ClingingAll])
def test_an_environment_that_does_not_close_is_a_warning(kind, caplog):
    with caplog.at_level(logging.WARNING):
        worlds = Worlds(World("clinging", {}, kind), 1, [0])
        worlds.step(np.zeros((1, 1), np.int64))
        worlds.close()
    assert caplog.messages == ["clinging: The environment broke down in close: OSError: cannot close"]


def test_a_stop_in_the_midst_of_closing_is_a_stop(monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(odd.Clinging, "close", stop)
    with pytest.raises(KeyboardInterrupt):
        Worlds(World("clinging", {}, odd.Clinging), 1, [0]).close()
