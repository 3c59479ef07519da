"""The perceptron and Adam in numpy give torch's numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from headwater.control.perceptron import Adam, Perceptron


@pytest.mark.parametrize("tanh", [False, True])
def test_gradients_and_steps_equal_those_of_torch(tanh: bool):
    random = np.random.default_rng(0)
    ours = Perceptron((3, 8, 5, 2), random, tanh=tanh)
    kind = nn.Tanh if tanh else nn.ReLU
    theirs = nn.Sequential(nn.Linear(3, 8), kind(), nn.Linear(8, 5), kind(), nn.Linear(5, 2))
    layers = [layer for layer in theirs if isinstance(layer, nn.Linear)]
    with torch.no_grad():
        for layer, (weights, biases) in zip(layers, ours._layers, strict=True):
            layer.weight.copy_(torch.from_numpy(weights.T.copy()))
            layer.bias.copy_(torch.from_numpy(biases.copy()))
    adam, optimiser = Adam(len(ours.parameters)), torch.optim.Adam(theirs.parameters(), lr=1e-2)
    for _ in range(5):
        inputs, aims = (random.standard_normal((7, width)).astype(np.float32) for width in (3, 2))
        given = torch.from_numpy(inputs).requires_grad_()
        loss = nn.functional.smooth_l1_loss(theirs(given), torch.from_numpy(aims))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(theirs.parameters(), 0.05)
        optimiser.step()
        trace = ours.forward(inputs)
        slope = np.clip(trace[-1] - aims, -1, 1) / aims.size
        by_inputs = ours.backward(trace, slope.astype(np.float32), to_inputs=True)
        adam.step(ours.parameters, ours.gradient, 1e-2, clip=0.05)
        np.testing.assert_allclose(by_inputs, given.grad.numpy(), atol=1e-6)
    for layer, (weights, biases) in zip(layers, ours._layers, strict=True):
        np.testing.assert_allclose(weights.T, layer.weight.detach().numpy(), atol=2e-5)
        np.testing.assert_allclose(biases, layer.bias.detach().numpy(), atol=2e-5)


def test_moments_of_units_that_never_fire_again_do_not_decay_into_numbers_that_are_slow():
    adam, parameters = Adam(4), np.zeros(4, np.float32)
    for step in range(1500):
        adam.step(parameters, np.array([0, 1e-3, 1, 0] if step else [1, 1, 1, 0], np.float32), 1e-3)
    moments = np.abs(adam.moments)
    assert adam.moments[0].tolist()[::3] == [0, 0]
    assert (moments[moments > 0] > np.finfo(np.float32).tiny).all()
    assert parameters[0] < 0
