"""A convolution whose gradients are right on maps of one column, and quick on small ones, where a CPU computes them."""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import nn
from torch.nn import functional

_FEW: Final = 4
"""Up to how many places for each map that comes out the gradient of the weights is one product of matrices."""


class Convolution(nn.Conv2d):
    """torch's own, but for two ways of a CPU's library (oneDNN 3, torch 2.15).

    In bfloat16 the gradient of a strided convolution over a single column is not all computed: what stands in the
    memory by chance takes the place of zeros, and it is not always finite. Across a single column there is nothing to
    stride over, so that it is taken without a stride there, which gives the same maps.

    Where maps are small and many, as at the end of most networks, the gradient of the weights takes twice to seven
    times as long as the product of matrices that it is: there the maps are laid out as the rows of a matrix instead.

    Example:
        >>> Convolution(3, 4, 3, stride=2, padding=1)(torch.zeros(1, 3, 8, 1)).shape
        torch.Size([1, 4, 4, 1])
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if input.shape[3] == 1:
            stride = (self.stride[0], 1)
            return functional.conv2d(input, self.weight, self.bias, stride, self.padding, self.dilation, self.groups)
        if not self._is_small(input):
            return super().forward(input)
        maps, weight = input, self.weight
        if torch.is_autocast_enabled("cpu"):
            maps, weight = (tensor.to(torch.get_autocast_dtype("cpu")) for tensor in (maps, weight))
        found = _SmallMaps.apply(maps, weight, self.stride, self.padding)
        return found if self.bias is None else found + self.bias.to(found.dtype)[:, None, None]

    def _is_small(self, maps: torch.Tensor) -> bool:
        if maps.device.type != "cpu" or not (torch.is_grad_enabled() and self.weight.requires_grad):
            return False
        if self.groups > 1 or self.dilation != (1, 1) or isinstance(self.padding, str) or self.padding_mode != "zeros":
            return False
        down, across = self.stride
        return len(maps) * (maps.shape[2] // down) * (maps.shape[3] // across) <= _FEW * self.out_channels


class _SmallMaps(torch.autograd.Function):
    """A convolution without bias: the maps and their gradient are the library's, that of the weights is a product."""

    @staticmethod
    def forward(
        ctx: Any, maps: torch.Tensor, weight: torch.Tensor, stride: tuple[int, int], padding: tuple[int, int]
    ) -> torch.Tensor:
        ctx.save_for_backward(maps, weight)
        ctx.stride, ctx.padding = stride, padding
        return functional.conv2d(maps, weight, None, stride, padding)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        (gradient,) = grad_outputs
        maps, weight = ctx.saved_tensors
        of_maps = of_weight = None
        if ctx.needs_input_grad[0]:
            of_maps = nn.grad.conv2d_input(maps.shape, weight, gradient, ctx.stride, ctx.padding)
        if ctx.needs_input_grad[1]:
            wanted = gradient.permute(1, 0, 2, 3).reshape(len(weight), -1)
            product = wanted @ _rows(maps, weight.shape[2:], ctx.stride, ctx.padding)
            of_weight = product.view(len(weight), *weight.shape[2:], -1).permute(0, 3, 1, 2)
        return of_maps, of_weight, None, None


def _rows(maps: torch.Tensor, size: torch.Size, stride: tuple[int, int], padding: tuple[int, int]) -> torch.Tensor:
    """What each place of the maps that come out has seen, shape (places, height * width * channels)."""
    padded = functional.pad(maps, (padding[1], padding[1], padding[0], padding[0]))
    seen = padded.unfold(2, size[0], stride[0]).unfold(3, size[1], stride[1])
    return seen.permute(0, 2, 3, 4, 5, 1).flatten(3).flatten(0, 2)
