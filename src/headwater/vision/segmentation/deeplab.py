"""DeepLab v3 (Chen et al., Rethinking atrous convolution for semantic image segmentation, 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import nn
from torch.nn import functional

from headwater.options import Between
from headwater.ranges import Search
from headwater.vision.segmentation.body import ResidualMaps
from headwater.vision.segmentation.segmenter import Segmenter
from headwater.vision.segmentation.settings import SegmenterSettings

RATES = (3, 6, 9)
"""How far apart the taps of the pyramid's convolutions are, at an eighth of the picture's size (an output stride of 8).

The paper's, for larger pictures, are 6, 12 and 18 at an output stride of 16, and twice those, 12, 24 and 36, at 8.
"""


@dataclass(frozen=True, kw_only=True)
class DeeplabSettings(SegmenterSettings):
    """How wide it is."""

    section: ClassVar[str] = "Model"

    width: Annotated[
        int, Between(4, 256), Search(16, 64, log=True), "The maps of the first stage; doubled by each."
    ] = 32
    pyramid: Annotated[int, Between(8, 512), Search(32, 256, log=True), "The maps of each branch of the pyramid."] = 96


class DeeplabSegmenter(Segmenter):
    """Atrous convolutions: as wide a view as if the maps had been halved, without losing their places."""

    Settings = DeeplabSettings

    def network(self, channels: int, n_classes: int) -> nn.Module:
        return Deeplab(channels, n_classes, self.settings.width, self.settings.pyramid)


class Deeplab(nn.Module):
    """A residual network at an eighth of the picture's size, and a pyramid of atrous convolutions over its last maps.

    Args:
        channels: 1 for grey, 3 for colour.
        n_classes: how many classes there are.
        width: the maps of the first stage.
        pyramid: the maps of each branch of the pyramid.

    Example:
        >>> Deeplab(3, 5, 8, 8).eval()(torch.zeros(1, 3, 32, 48)).shape
        torch.Size([1, 5, 32, 48])
    """

    def __init__(self, channels: int, n_classes: int, width: int, pyramid: int) -> None:
        super().__init__()
        self.body = ResidualMaps(channels, width, (1, 2, 2, 1))
        self.head = AtrousHead(self.body.widths[-1], n_classes, pyramid, RATES)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logits of shape (rows, classes, height, width) for pictures of shape (rows, channels, height, width)."""
        maps = self.head(self.body(pictures)[-1])
        return functional.interpolate(maps, size=pictures.shape[2:], mode="bilinear", align_corners=False)


class AtrousHead(nn.Module):
    """Atrous spatial pyramid pooling: the same maps seen at several distances and as a whole, then told apart.

    Args:
        channels: maps that come in.
        n_classes: how many classes there are.
        width: the maps of each branch.
        rates: the distances of the taps of the 3 x 3 convolutions.
        dropout: the share of joined maps dropped while training.
    """

    def __init__(
        self, channels: int, n_classes: int, width: int, rates: Sequence[int], dropout: float = 0.5
    ) -> None:  # fmt: skip
        super().__init__()
        near = [_convolution(channels, width, 1, 1)]
        self.branches = nn.ModuleList([*near, *(_convolution(channels, width, 3, rate) for rate in rates)])
        self.whole = _convolution(channels, width, 1, 1)
        self.join = _convolution((2 + len(rates)) * width, width, 1, 1)
        self.dropout = nn.Dropout(dropout)
        self.smooth = _convolution(width, width, 3, 1)
        self.tell = nn.Conv2d(width, n_classes, 1)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Logits of shape (rows, classes, height, width) for maps of shape (rows, channels, height, width)."""
        mean = self.whole(maps.mean(dim=(2, 3), keepdim=True))
        seen = [branch(maps) for branch in self.branches]
        joined = self.join(torch.cat([*seen, mean.expand(-1, -1, *maps.shape[2:])], dim=1))
        return self.tell(self.smooth(self.dropout(joined)))


def _convolution(channels: int, maps: int, size: int, rate: int) -> nn.Sequential:
    padding = rate if size > 1 else 0
    convolution = nn.Conv2d(channels, maps, size, padding=padding, dilation=rate if size > 1 else 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(maps), nn.ReLU(inplace=True))
