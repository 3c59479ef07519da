"""Agents that look: a convolutional network in the place of the perceptron, whatever else they are."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from tests.control import worlds as odd
from tests.control.stopping import stopped_and_resumed
from torch import nn

import headwater
from headwater.control.actor_critic import ActorCritic
from headwater.control.convolutional import Convolutions, laid_out
from headwater.control.ddpg import Ddpg
from headwater.control.differentiable import Differentiable
from headwater.control.dqn import Dqn, DqnSettings
from headwater.control.networks import network_of
from headwater.control.normalising import Running
from headwater.control.perceptron import Adam, Perceptron
from headwater.control.picture import Picture
from headwater.control.spaces import Box, Discrete, Parts, Text
from headwater.errors import DataError, ExtraError
from headwater.serving.cells import ObservationCells

HERE = "tests.control.worlds"
VIEW = Box((16, 20, 3), (0.0,), (255.0,), pixels=True)
MODELS = [
    ("Seen", {"model": "dqn", "hidden": (8,), "warm_up": 32, "batch": 8, "train_every": 8}),
    ("Seen", {"model": "actor-critic", "hidden": (8,), "rollout": 8, "envs": 2, "passes": 1}),
    ("SeenSlope", {"model": "ddpg", "hidden": (8,), "warm_up": 32, "batch": 8, "train_every": 8}),
]
FEW = {"steps": 96, "episodes": 10, "evaluations": 2, "episode_limit": 3}


def by_hand(random, net):
    """The same network as plain torch has it, with parameters of its own."""
    theirs = nn.Sequential(
        nn.Conv2d(3, 16, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(32 * 4 * 5, 6), nn.ReLU(), nn.Linear(6, 2),
    )  # fmt: skip
    values, start = torch.from_numpy(net.parameters.copy()), 0
    with torch.no_grad():
        for one in theirs.parameters():
            one.copy_(values[start : start + one.numel()].reshape(one.shape))
            start += one.numel()
    assert start == len(values)
    return theirs


def test_outputs_gradients_and_steps_are_those_of_a_plain_module():
    random = np.random.default_rng(0)
    net = network_of(VIEW, (6, 2), random)
    theirs = by_hand(random, net)
    adam, optimiser = Adam(len(net.parameters)), torch.optim.Adam(theirs.parameters(), lr=1e-2)
    for _ in range(3):
        rows = VIEW.encode(random.integers(0, 256, (5, VIEW.size)).astype(np.uint8))
        aims = random.standard_normal((5, 2)).astype(np.float32)
        given = torch.from_numpy(rows.reshape(5, 16, 20, 3).transpose(0, 3, 1, 2).copy()).requires_grad_()
        outputs = theirs(given)
        trace = net.forward(rows)
        np.testing.assert_allclose(trace[-1], outputs.detach(), atol=1e-5)
        np.testing.assert_allclose(net(rows), trace[-1], atol=1e-6)
        optimiser.zero_grad()
        (0.5 * (outputs - torch.from_numpy(aims)).square()).sum().backward()
        by_inputs = net.backward(trace, trace[-1] - aims, to_inputs=True)
        expected = np.concatenate([one.grad.numpy().ravel() for one in theirs.parameters()])
        np.testing.assert_allclose(net.gradient, expected, atol=1e-4)
        np.testing.assert_allclose(
            by_inputs.reshape(5, 16, 20, 3), given.grad.permute(0, 2, 3, 1), atol=1e-5
        )  # fmt: skip
        adam.step(net.parameters, net.gradient, 1e-2)
        optimiser.step()
    np.testing.assert_allclose(net.last, theirs[-1].weight.detach(), atol=1e-4)


def test_a_copy_learns_by_itself_and_the_last_layer_is_part_of_the_parameters():
    net = network_of(VIEW, (4, 2), np.random.default_rng(0), tanh=True)
    rows = np.random.default_rng(1).random((3, VIEW.size), dtype=np.float32)
    before, other = net(rows), net.copy()
    net.last[:] = 0
    assert (other(rows) == before).all()
    np.testing.assert_array_equal(net(rows), np.repeat(net.parameters[None, -2:], 3, axis=0))
    other.parameters[:] = net.parameters
    np.testing.assert_array_equal(other(rows), net(rows))


def test_many_rows_are_looked_at_in_parts(monkeypatch):
    net = network_of(VIEW, (4, 2), np.random.default_rng(0))
    rows = np.random.default_rng(1).random((7, VIEW.size), dtype=np.float32)
    whole = net(rows)
    monkeypatch.setattr("headwater.control.differentiable._AT_ONCE", 2 * VIEW.size)
    np.testing.assert_allclose(net(rows), whole, atol=1e-6)
    assert net(rows[:0]).shape == (0, 2)


@pytest.mark.parametrize("shape", [(16, 20), (3, 16, 20), (4, 16, 20, 3), (4, 3, 16, 20), (4, 16, 20, 1)])
def test_images_lie_as_their_shape_says(shape):
    picture = Picture.of(shape)
    values = np.arange(np.prod(shape), dtype=np.float32)
    found = laid_out(torch.from_numpy(values[None]), picture)[0].numpy()
    assert found.shape == (picture.frames, picture.channels, 16, 20)
    array = values.reshape(shape)
    array = array[:, :, None] if len(shape) == 2 else array
    array = array[None] if array.ndim == 3 else array
    np.testing.assert_array_equal(found, array if picture.channels_first else array.transpose(0, 3, 1, 2))
    assert Convolutions(picture)(torch.zeros(2, len(values))).shape == (2, 32 * 4 * 5)


@pytest.mark.parametrize("shape", [(15, 40), (40,), (40, 40, 40), (2, 2, 40, 40, 3)])
def test_other_arrays_are_no_images(shape):
    assert Picture.of(shape) is None


def test_numbers_beside_an_image_have_their_part():
    both = Parts(("goal", "view"), (Discrete(2), VIEW))
    net = network_of(both, (4, 2), np.random.default_rng(0), beside=1)
    rows = np.concatenate([both.encode(both.sample(np.random.default_rng(0), 1)), np.ones((1, 1))], axis=1)
    rows = rows.astype(np.float32)
    for place in (0, 1, rows.shape[1] - 1):
        other = rows.copy()
        other[0, place] += 1
        assert not np.allclose(net(other), net(rows))


def test_numbers_are_brought_near_one_and_pixels_left():
    seen = Running(3, leave=[slice(1, 3)])
    seen.see(np.array([[100.0, 0.2, 0.4], [300.0, 0.6, 0.4]]))
    np.testing.assert_allclose(seen.of(np.array([[300.0, 0.2, 0.4]])), [[1.0, 0.2, 0.4]], atol=1e-6)


def test_agents_learn_by_looking():
    own = {"hidden": (16,), "tau": 0.05, "warm_up": 64, "batch": 16, "train_every": 8, "envs": 4, "steps": 1500}
    app = headwater.adapt("control", odd.Seen, model="dqn", episodes=20, evaluations=2, **own)
    assert isinstance(app.agent.network, Differentiable)
    assert app.agent.replay.now.dtype == np.uint8
    assert app.report.metrics["return"].value > 0.9


@pytest.mark.parametrize(("world", "own"), MODELS, ids=[own["model"] for _, own in MODELS])
def test_a_stopped_training_by_looking_goes_on_to_the_same_result(world, own, tmp_path, monkeypatch):
    asked = {**FEW, **own, "checkpoint_seconds": 0.0}
    whole, resumed = stopped_and_resumed(f"{HERE}:{world}", asked, tmp_path / "run", monkeypatch)
    for name, values in whole.agent.policy().items():
        np.testing.assert_array_equal(resumed.agent.policy()[name], values)
    shown = np.random.default_rng(0).integers(0, 256, (3, 16, 20, 3)).astype(np.uint8)
    loaded = headwater.load(tmp_path / "run")
    assert loaded.predict(shown).labels == whole.predict(shown).labels
    assert loaded.predict([json.dumps(shown[0].tolist())]).labels == whole.predict(shown[:1]).labels


def test_an_image_in_a_dictionary_is_looked_at():
    app = headwater.adapt("control", odd.SeenInPart, **{**FEW, **MODELS[0][1], "steps": 64, "evaluations": 1})
    assert isinstance(app.agent.network, Differentiable)
    asked = ObservationCells(app)
    assert asked.schemas()["observation"].keys() == {"type", "description"}
    observation = {"goal": 1, "view": np.zeros((16, 20, 3), int).tolist()}
    assert app.predict([asked.cell("observation", observation)]).labels[0] in (0, 1)
    dark = app.predict([{"goal": 1, "view": np.full((16, 20, 3), 0.25).tolist()}, {"goal": 1}])
    assert dark.labels == [None, None]
    assert dark.reasons[0].startswith("the observation is wrong in view: an array with 0.25 in it, which is no whole")
    assert dark.reasons[1].startswith("the observation is an object without view; it has to be goal: a whole number")


@pytest.mark.parametrize(
    "agent",
    [
        lambda: Dqn(DqnSettings(hidden=(4,)), VIEW, Discrete(2)),
        lambda: ActorCritic(None, VIEW, Discrete(2)),
        lambda: Ddpg(None, VIEW, Box((1,), (-1.0,), (1.0,))),
    ],
)
def test_without_torch_images_ask_for_it(agent, monkeypatch):
    monkeypatch.setitem(sys.modules, "headwater.control.convolutional", None)
    with pytest.raises(ExtraError, match=r"images need the library torch.*pip install 'headwater\[control,vision\]'"):
        agent()


def test_without_images_no_torch_is_loaded():
    code = (
        "import headwater, sys; from tests.control.worlds import Corridor\n"
        "for model in ('dqn', 'actor-critic'):\n"
        "    headwater.adapt('control', Corridor, model=model, hidden=(8,), steps=64, episodes=10, evaluations=1)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_numbers_keep_their_perceptron():
    assert isinstance(network_of(Box((3,), (0.0,), (1.0,)), (4, 2), np.random.default_rng(0)), Perceptron)


def test_texts_ask_for_an_encoder():
    with pytest.raises(DataError, match=r"Texts have to be read by a foundation before.*Give --encoder minilm"):
        Dqn(None, Text(5), Discrete(2))


def test_nobody_writes():
    class Writes(odd.Corridor):
        action_space = odd.Written.observation_space

    with pytest.raises(DataError, match="The environment takes texts for actions, and no agent here writes"):
        headwater.adapt("control", Writes, model="actor-critic")
