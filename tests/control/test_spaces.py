"""What is observed and done survives its way into numbers, and into JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
from gymnasium import spaces

from headwater.control.declared import of_gymnasium
from headwater.control.spaces import Box, Choices, Discrete, Parts, Text, from_json
from headwater.errors import DataError

SPACES = {
    "discrete": spaces.Discrete(5, start=2),
    "box": spaces.Box(np.array([0.0, -np.inf], np.float32), np.array([1.0, np.inf], np.float32)),
    "image": spaces.Box(0, 255, (4, 4, 3), np.uint8),
    "several": spaces.MultiDiscrete([2, 3]),
    "switches": spaces.MultiBinary(3),
    "named": spaces.Dict({"a": spaces.Discrete(3), "b": spaces.Box(-1, 1, (2,))}),
    "text": spaces.Text(7),
    "shown and told": spaces.Dict({"a": spaces.Text(3), "b": spaces.Box(0, 255, (16, 16), np.uint8)}),
    "tuple": spaces.Tuple((spaces.Discrete(2), spaces.Discrete(3))),
}


@pytest.mark.parametrize("name", SPACES)
def test_a_space_keeps_its_values(name):
    given = SPACES[name]
    given.seed(0)
    space = from_json(json.loads(json.dumps(of_gymnasium(given, where="here").to_json())))
    assert space == of_gymnasium(given, where="here")
    for _ in range(5):
        raw = space.raw(given.sample())
        assert raw.shape == (space.size,)
        if name != "tuple":
            assert given.contains(space.value(raw))
        told = space.plain(raw)
        np.testing.assert_allclose(space.read(told if name == "text" else json.dumps(told)), raw, atol=1e-6)
    drawn = space.sample(np.random.default_rng(0), 50)
    encoded = space.encode(drawn)
    assert encoded.shape == (50, space.width)
    assert encoded.dtype == np.float32
    assert np.isfinite(encoded).all()


BOTH = Parts(("a", "b"), (Discrete(2), Discrete(3)))


@pytest.mark.parametrize(
    ("space", "cell", "why"),
    [
        (Discrete(3), 3, "not a whole number from 0 to 2"),
        (Discrete(3), 1.5, "not a whole number from 0 to 2"),
        (Discrete(3), True, "not a whole number"),
        (Discrete(3), "x", "a text that is no list of numbers"),
        (Choices((2, 2)), [0, 2], "not 2 whole numbers"),
        (Text(3), "four", "not a text of at most 3 characters"),
        (Text(3), 7, "not a text of at most 3 characters"),
        (Box((2,), (0.0,), (1.0,)), [1.0], "1 number, not 2 numbers"),
        (Box((2,), (0.0,), (1.0,)), [1.0, float("nan")], "a number that is not finite"),
        (Box((2,), (0.0,), (1.0,)), {"a": 1}, "something else than numbers"),
        (Box((2,), (0.0,), (1.0,)), ["a", 1], "something else than numbers"),
        (Box((2,), (0.0,), (1.0,)), [1j, 1], "something else than numbers"),
        (Box((2,), (0.0,), (1.0,)), [1, [2, 3]], "lists of unequal lengths"),
        (Discrete(2), [1, [2, 3]], "not a whole number from 0 to 1"),
        (Choices((2, 2)), [1, [2, 3]], "not 2 whole numbers from 0, below 2"),
        (Choices((2, 2), start=(5, -1)), [1, 0], "not 2 whole numbers from 5, -1, below 7, 1"),
        (Choices((2, 2)), ["a", "b"], "not 2 whole numbers"),
        (Choices((2,) * 4, shape=(2, 2)), [[0, 0, 1, 1]], "not 4 whole numbers from 0, below 2, 2 x 2"),
        (Box((4,), (0.0,), (1.0,)), [[1, 2, 3, 4]], r"an array of shape \(1, 4\), not \(4,\)"),
        (Box((3, 1), (0.0,), (1.0,)), [[1, 2]], r"2 numbers of shape \(1, 2\), not 3 numbers, 3 x 1"),
        (Box((2,), (0.0,), (1.0,)), [1e40, 0], r"an array with 1e\+40 in it, which is more than a float32 holds"),
        (Box((2,), (0.0,), (1.0,), pixels=True), [0, 0.5], "an array with 0.5 in it, which is no whole number from 0"),
        (Box((2,), (0.0,), (1.0,), pixels=True), [0, 256], "an array with 256 in it"),
        (Box((2,), (0.0,), (1.0,), pixels=True), [-1, 0], "an array with -1 in it"),
        (Box((2,), (0.0,), (1.0,), pixels=True), [0, float("nan")], "an array with nan in it"),
        (BOTH, {"a": 1}, "an object without b"),
        (BOTH, {"a": 1, "b": 7}, "wrong in b: not a whole number from 0 to 2"),
        (BOTH, 5, "no object of parts"),
        (BOTH, [1, 2, 3], "3 parts, not 2"),
    ],
)
def test_what_is_no_observation_says_why(space, cell, why):
    with pytest.raises(ValueError, match=why):
        space.read(cell)


def test_numbers_that_are_right_in_another_form_are_read():
    box = Box((2,), (0.0,), (1.0,))
    assert box.raw(["0.5", "1"]).tolist() == [0.5, 1.0]
    assert box.raw([10**30, 1]).tolist() == pytest.approx([1e30, 1])
    pixels = Box((2,), (0.0,), (255.0,), pixels=True)
    assert pixels.raw([255.0, 0]).tolist() == [255, 0]
    given = np.zeros(2, np.uint8)
    assert np.shares_memory(pixels.raw(given), given)


def test_what_was_done_lies_between_the_ends_but_for_rounding():
    box = Box((2,), (-2.0, 0.0), (2.0, float("inf")))
    assert box.read_done([2.00001, 1e9]).tolist() == [2.0, 1e9]
    with pytest.raises(ValueError, match="an array with 100 in it, not from -2 to 2"):
        box.read_done([100, 0])
    with pytest.raises(ValueError, match="an array with -1 in it, not from 0 to inf"):
        box.read_done([0, -1])


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        (
            spaces.Sequence(spaces.Discrete(2)),
            "here: The environment has a space that no agent reads. Got 'Sequence'. Accepted: Box, Discrete",
        ),
        (spaces.Text(100_000_000), "An observation or action of this environment is far too large"),
        (spaces.Box(0, 1, (5000, 5000)), "An observation or action of this environment is far too large"),
    ],
)
def test_a_space_that_nobody_reads_is_refused(space, sentence):
    with pytest.raises(DataError, match=sentence):
        of_gymnasium(space, where="here")
