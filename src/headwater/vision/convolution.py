"""A convolution that is right on maps of one column as well."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class Convolution(nn.Conv2d):
    """torch's own, but for maps of one column.

    In bfloat16 the gradient of a strided convolution over a single column is not all computed on a CPU (oneDNN 3, torch
    2.15): what stands in the memory by chance takes the place of zeros, and it is not always finite. Across a single
    column there is nothing to stride over, so that it is taken without a stride there, which gives the same maps.

    Example:
        >>> Convolution(3, 4, 3, stride=2, padding=1)(torch.zeros(1, 3, 8, 1)).shape
        torch.Size([1, 4, 4, 1])
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if input.shape[3] > 1:
            return super().forward(input)
        stride = (self.stride[0], 1)
        return functional.conv2d(input, self.weight, self.bias, stride, self.padding, self.dilation, self.groups)
