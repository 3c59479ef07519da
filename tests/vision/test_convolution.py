"""Convolutions of single columns and small maps: what torch computes, and gradients that chance has no part in."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from headwater.vision.convolution import Convolution


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("shape", [(9, 7), (8, 1), (1, 1)])
def test_maps_are_those_of_torch(size, shape):
    torch.manual_seed(0)
    ours = Convolution(4, 6, size, stride=2, padding=size // 2, bias=False)
    theirs = nn.Conv2d(4, 6, size, stride=2, padding=size // 2, bias=False)
    theirs.load_state_dict(ours.state_dict())
    pixels = torch.randn(2, 4, *shape)
    torch.testing.assert_close(ours(pixels), theirs(pixels))


def test_the_gradient_of_a_single_column_is_that_of_full_precision():
    torch.manual_seed(0)
    layer, pixels = Convolution(16, 16, 3, stride=2, padding=1, bias=False), torch.randn(8, 16, 8, 1)
    layer(pixels).sum().backward()
    wanted = layer.weight.grad
    for _ in range(5):
        layer.zero_grad()
        _spoilt_memory(layer.weight.numel())
        with torch.autocast("cpu", torch.bfloat16):
            found = layer(pixels)
        found.float().sum().backward()
        torch.testing.assert_close(layer.weight.grad, wanted, rtol=0.05, atol=0.1)


@pytest.mark.parametrize("settings", [
    {"kernel_size": 3, "padding": 1}, {"kernel_size": 3, "stride": 2, "padding": 1}, {"kernel_size": 1, "stride": 2},
    {"kernel_size": (1, 3), "padding": (0, 1), "bias": False},
])  # fmt: skip
@pytest.mark.parametrize("side", [4, 7])
def test_gradients_of_small_maps_are_those_of_torch(settings, side):
    torch.manual_seed(0)
    ours, theirs = (kind(5, 64, **settings).double() for kind in (Convolution, nn.Conv2d))
    theirs.load_state_dict(ours.state_dict())
    pixels, found = torch.randn(2, 5, side, side, dtype=torch.float64), []
    for layer in (ours, theirs):
        given = pixels.clone().requires_grad_()
        layer(given).square().sum().backward()
        found.append([given.grad, *(weight.grad for weight in layer.parameters())])
    assert ours(pixels).grad_fn.name() != theirs(pixels).grad_fn.name()
    torch.testing.assert_close(found[0], found[1])


@pytest.mark.parametrize(("settings", "rows"), [
    ({"groups": 2}, 2), ({"dilation": 2}, 2), ({"padding": "same"}, 2), ({"padding_mode": "reflect"}, 2), ({}, 20),
])  # fmt: skip
def test_what_is_not_small_or_not_plain_is_left_to_torch(settings, rows):
    layer = Convolution(4, 16, 3, **{"padding": 1, **settings})
    assert layer(torch.randn(rows, 4, 4, 4)).grad_fn.name() == "ConvolutionBackward0"


def test_small_maps_learn_in_bfloat16_as_in_full_precision():
    torch.manual_seed(0)
    layer, pixels = Convolution(32, 64, 3, padding=1), torch.randn(4, 32, 4, 4)
    layer(pixels).square().mean().backward()
    wanted = [weight.grad for weight in layer.parameters()]
    layer.zero_grad()
    with torch.autocast("cpu", torch.bfloat16):
        found = layer(pixels)
    assert found.dtype == torch.bfloat16
    found.float().square().mean().backward()
    for weight, gradient in zip(layer.parameters(), wanted, strict=True):
        assert weight.grad.dtype == torch.float32
        torch.testing.assert_close(weight.grad, gradient, rtol=0.05, atol=0.01)


def _spoilt_memory(*sizes):
    """Leaves memory behind that is no number: what a computation forgets to write then shows."""
    for size in (*sizes, 1000, 5000, 20_000, 100_000):
        torch.full((size,), torch.nan)
