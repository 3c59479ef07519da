"""ResNet (He et al., Deep residual learning for image recognition, 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import nn

from headwater.options import Between
from headwater.ranges import Search
from headwater.vision.classification.neural import NeuralClassifier, NeuralSettings, he
from headwater.vision.convolution import Convolution

_SMALL = 64
WIDTHS = (64, 128, 256, 512)
"""The maps of the 3 x 3 convolutions of each stage."""
_WIDER = 4
"""How many times as many maps come out of a bottleneck."""


@dataclass(frozen=True, kw_only=True)
class ResnetSettings(NeuralSettings):
    """Networks that end in a mean over all places have few weights to drop."""

    section: ClassVar[str] = "Model"

    dropout: Annotated[float, Between(0, 0.95), Search(0, 0.7), "The share of features dropped while training."] = 0.0


class _ResnetClassifier(NeuralClassifier):
    Settings = ResnetSettings
    depths: ClassVar[tuple[int, ...]]
    """The blocks of each stage."""
    bottleneck: ClassVar[bool]

    def network(self, channels: int, n_classes: int) -> nn.Module:
        body = ResnetBody(channels, self.side, self.depths, bottleneck=self.bottleneck)
        return nn.Sequential(body, nn.Dropout(self.settings.dropout), nn.Linear(body.width, n_classes))


class Resnet18Classifier(_ResnetClassifier):
    """Eight blocks of two convolutions."""

    depths, bottleneck = (2, 2, 2, 2), False


class Resnet50Classifier(_ResnetClassifier):
    """Sixteen blocks of three convolutions, that in the middle on fewer maps."""

    depths, bottleneck = (3, 4, 6, 3), True


class ResnetBody(nn.Module):
    """The network without its dense layer: pixels to the mean of the last maps over all places.

    Up to 64 pixels its first convolution is 3 x 3 and keeps the size, as the paper has it for CIFAR-10; above, it is 7
    x 7 in steps of two, and a maximum halves the size once more. A bottleneck takes its step of two in its 3 x 3
    convolution, as torchvision and most others do, not in its first.

    Args:
        channels: 1 for grey, 3 for colour.
        side: pixels along each edge.
        depths: the blocks of each stage.
        bottleneck: whether blocks are of three convolutions, else of two.

    Attributes:
        width: the features of a picture.

    Example:
        >>> body = ResnetBody(3, 224, (2, 2, 2, 2), bottleneck=False)
        >>> body.width, body(torch.zeros(2, 3, 224, 224)).shape
        (512, torch.Size([2, 512]))
    """

    def __init__(self, channels: int, side: int, depths: tuple[int, ...], *, bottleneck: bool) -> None:
        super().__init__()
        small, width = side <= _SMALL, WIDTHS[0]
        layers = _convolution(channels, width, 3) if small else _convolution(channels, width, 7, stride=2)
        self.stem = nn.Sequential(
            *layers, nn.ReLU(inplace=True), *([] if small else [nn.MaxPool2d(3, stride=2, padding=1)])
        )
        blocks: list[nn.Module] = []
        for stage, (maps, depth) in enumerate(zip(WIDTHS, depths, strict=True)):
            for place in range(depth):
                block = Block(width, maps, stride=2 if stage and not place else 1, bottleneck=bottleneck)
                blocks.append(block)
                width = block.width
        self.blocks, self.width = nn.Sequential(*blocks), width
        he(self)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Features of shape (rows, width) for pictures of shape (rows, channels, side, side)."""
        return self.blocks(self.stem(pictures)).mean(dim=(2, 3))


class Block(nn.Module):
    """Convolutions whose output is added to their input, which is projected where the shapes differ.

    Args:
        channels: maps that come in.
        maps: maps of the 3 x 3 convolutions.
        stride: 2 halves the size.
        bottleneck: a 3 x 3 convolution between two of 1 x 1 that narrow and widen, else two of 3 x 3.

    Attributes:
        width: maps that go out.
    """

    def __init__(self, channels: int, maps: int, *, stride: int, bottleneck: bool) -> None:
        super().__init__()
        self.width = _WIDER * maps if bottleneck else maps
        if bottleneck:
            parts = [(channels, maps, 1, 1), (maps, maps, 3, stride), (maps, self.width, 1, 1)]
        else:
            parts = [(channels, maps, 3, stride), (maps, maps, 3, 1)]
        pairs = [_convolution(*part) for part in parts]
        # A block that begins as nothing but its shortcut lets the first steps reach all others (Goyal et al. 2017).
        nn.init.zeros_(pairs[-1][1].weight)
        layers = [layer for pair in pairs for layer in (*pair, nn.ReLU(inplace=True))]
        self.path = nn.Sequential(*layers[:-1])
        same = stride == 1 and channels == self.width
        self.shortcut = nn.Identity() if same else nn.Sequential(*_convolution(channels, self.width, 1, stride))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return (self.path(maps) + self.shortcut(maps)).relu_()


def _convolution(channels: int, maps: int, size: int, stride: int = 1) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    """A convolution that keeps the size but for its stride, and its norm, which has the bias."""
    return Convolution(channels, maps, size, stride, padding=size // 2, bias=False), nn.BatchNorm2d(maps)
