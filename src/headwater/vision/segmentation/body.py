"""A residual network that keeps its maps: what FCN and DeepLab look at pictures with."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from headwater.vision.classification.neural import he
from headwater.vision.classification.resnet import Block


class ResidualMaps(nn.Module):
    """Four stages of two residual blocks (He et al. 2016) over half of the picture's size.

    ResNet-18 but for its beginning, which halves the size once, not twice, and for its width. A stage whose size is
    kept, not halved, spreads its convolutions instead (atrous convolutions; Chen et al. 2017), so that each still sees
    as much of the picture.

    Args:
        channels: 1 for grey, 3 for colour.
        width: the maps of the first stage; doubled by each.
        strides: of each stage, 1 keeps the size and 2 halves it.

    Attributes:
        widths: the maps of each stage.

    Example:
        >>> maps = ResidualMaps(3, 8, (1, 2, 2, 1))(torch.zeros(1, 3, 32, 64))
        >>> [tuple(one.shape[1:]) for one in maps]
        [(8, 16, 32), (16, 8, 16), (32, 4, 8), (64, 4, 8)]
    """

    def __init__(self, channels: int, width: int, strides: Sequence[int] = (1, 2, 2, 2)) -> None:
        super().__init__()
        convolutions = [
            nn.Conv2d(channels, width, 3, stride=2, padding=1, bias=False),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
        ]
        self.stem = nn.Sequential(
            *(layer for one in convolutions for layer in (one, nn.BatchNorm2d(width), nn.ReLU(inplace=True)))
        )
        self.widths = [width * 2**stage for stage in range(len(strides))]
        stages, before, spread = [], width, 1
        for stage, (maps, stride) in enumerate(zip(self.widths, strides, strict=True)):
            blocks = [
                Block(before, maps, stride=stride, bottleneck=False),
                Block(maps, maps, stride=1, bottleneck=False),
            ]
            spread *= 2 if stage and stride == 1 else 1
            for block in blocks:
                _spread(block, spread)
            stages.append(nn.Sequential(*blocks))
            before = maps
        self.stages = nn.ModuleList(stages)
        he(self)

    def forward(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        """The maps after each stage."""
        maps, found = self.stem(pictures), []
        for stage in self.stages:
            maps = stage(maps)
            found.append(maps)
        return found


def _spread(block: nn.Module, times: int) -> None:
    """Puts the taps of 3 x 3 convolutions so many pixels apart."""
    for layer in block.modules():
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3):
            layer.dilation = layer.padding = (times, times)
