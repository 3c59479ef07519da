"""What an environment must not do is told in a sentence that says what it did."""

from __future__ import annotations

import numpy as np
import pytest
from tests.control import worlds as odd

from headwater.control.world import World
from headwater.control.worlds import Worlds
from headwater.errors import DataError


def lived(kind, steps=3):
    worlds = Worlds(World("wrong", {}, kind), 2, [0])
    for _ in range(steps):
        worlds.step(np.ones((2, 1), np.int64))
    return worlds


@pytest.mark.parametrize(
    ("kind", "told"), [(odd.SayNo, "'no', False"), (odd.SayNothing, "(True|False), None"), (odd.Twos, "2, False")]
)
def test_an_end_is_true_or_false(kind, told, monkeypatch):
    monkeypatch.setattr(odd.Broken, "broken", True)
    with pytest.raises(DataError, match=f"does not tell whether its episode has ended. Got \"?'?{told}.*true or false"):
        lived(kind)


def test_an_end_of_a_vector_environment_is_true_or_false():
    with pytest.raises(DataError, match="does not tell whether its episode has ended"):
        lived(odd.OddEnds)


def test_an_end_may_be_a_number():
    assert lived(odd.Numbered, 30).finished == lived(odd.Corridor, 30).finished


@pytest.mark.parametrize(("kind", "told"), [(odd.OldReset, r"array\("), (odd.PairReset, r"\[")])
def test_reset_gives_two_values(kind, told):
    with pytest.raises(DataError, match=f"wrong: reset of the environment gave .* two values. Got {told}.*tion, info"):
        lived(kind)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (odd.Darkened, r"an array with 0\.5 in it, which is no whole number from 0 to 255"),
        (odd.Overexposed, r"an array with 300 in it, which is no whole number from 0 to 255"),
        (odd.Lacking, "an object without goal"),
        (odd.Twisted, r"wrong in place: 2 numbers of shape \(1, 1, 2\), not 1 number"),
        (odd.OtherShape, "3 numbers, not 2 numbers"),
    ],
)
def test_an_observation_says_what_is_wrong_with_it(kind, told, monkeypatch):
    monkeypatch.setattr(odd.Broken, "broken", True)
    with pytest.raises(DataError, match=f"none of its own space. Got '{told}'. Accepted: "):
        lived(kind)
