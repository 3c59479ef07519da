"""Convolutions over a single column: what torch computes otherwise, and gradients that chance has no part in."""

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


def _spoilt_memory(*sizes):
    """Leaves memory behind that is no number: what a computation forgets to write then shows."""
    for size in (*sizes, 1000, 5000, 20_000, 100_000):
        torch.full((size,), torch.nan)
