"""The layers that detectors are built of, and the places of their maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional

from headwater.vision.classification.resnet import Block
from headwater.vision.convolution import Convolution


def convolution(channels: int, maps: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    """A convolution that keeps the size but for its stride, its norm, which has the bias, and its activation."""
    layer = Convolution(channels, maps, size, stride, padding=size // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(maps), nn.SiLU(inplace=True))


def squares(size: Sequence[int], stride: int) -> torch.Tensor:
    """The squares of a picture that the places of a map stand for, line by line, shape (places, 4).

    Example:
        >>> squares((1, 2), 8).tolist()
        [[0.0, 0.0, 8.0, 8.0], [8.0, 0.0, 16.0, 8.0]]
    """
    down, across = torch.meshgrid(torch.arange(size[0]), torch.arange(size[1]), indexing="ij")
    start = torch.stack([across, down], dim=2).reshape(-1, 2) * float(stride)
    return torch.cat([start, start + stride], dim=1)


def anchors(
    size: Sequence[int], stride: tuple[float, float], shapes: Sequence[tuple[float, float]]
) -> torch.Tensor:  # fmt: skip
    """Boxes of several shapes about the middle of every place of a map, line by line, shape (places * shapes, 4).

    Args:
        size: lines and columns of the map.
        stride: pixels from one line to the next, and from one column to the next.
        shapes: width and height of each box in pixels.

    Example:
        >>> anchors((1, 2), (8, 8), [(4, 2)]).tolist()
        [[2.0, 3.0, 6.0, 5.0], [10.0, 3.0, 14.0, 5.0]]
    """
    places = (squares(size, 1)[:, :2] + 0.5) * torch.tensor([stride[1], stride[0]])
    half = torch.tensor(shapes) / 2
    return torch.cat([places[:, None] - half, places[:, None] + half], dim=2).reshape(-1, 4)


class Pyramid(nn.Module):
    """A residual network and its maps at strides 8, 16 and 32, the finer told by the coarser (Lin et al. 2017).

    Args:
        width: maps of the first stage; 64 in the ResNet of the paper (He et al. 2016).
        maps: maps of each scale that go out.
        scales: how many scales go out, the finest first.

    Example:
        >>> [tuple(found.shape) for found in Pyramid(8, 16)(torch.zeros(1, 3, 64, 96))]
        [(1, 16, 8, 12), (1, 16, 4, 6), (1, 16, 2, 3)]
    """

    def __init__(self, width: int, maps: int, scales: int = 3) -> None:
        super().__init__()
        self.stem = nn.Sequential(convolution(3, width, 7, 2), nn.MaxPool2d(3, stride=2, padding=1))
        widths = [width * 2**stage for stage in range(4)]
        self.stages = nn.ModuleList(
            nn.Sequential(
                Block(before, after, stride=2 if stage else 1, bottleneck=False),
                Block(after, after, stride=1, bottleneck=False),
            )
            for stage, (before, after) in enumerate(zip([width, *widths], widths, strict=False))
        )
        self.across = nn.ModuleList(nn.Conv2d(channels, maps, 1) for channels in widths[1:])
        # All are drawn, so that what is drawn after them is the same whatever goes out.
        self.smoothed = nn.ModuleList([convolution(maps, maps) for _ in widths[1:]][:scales])
        self.register_load_state_dict_pre_hook(_without_others)

    def forward(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        """The maps, finest first, for pictures of shape (pictures, 3, height, width)."""
        found = [self.stem(pictures)]
        for stage in self.stages:
            found.append(stage(found[-1]))
        told = [layer(maps) for layer, maps in zip(self.across, found[2:], strict=True)]
        for scale in (1, 0):
            told[scale] = told[scale] + functional.interpolate(told[scale + 1], scale_factor=2.0)
        return [layer(maps) for layer, maps in zip(self.smoothed, told, strict=False)]


def _without_others(pyramid: nn.Module, weights: dict[str, Any], prefix: str, *_: Any) -> None:
    """Leaves out the layers of scales that do not go out: earlier versions kept them."""
    smoothed = cast("Pyramid", pyramid).smoothed
    for key in [key for key in weights if key.startswith(f"{prefix}smoothed.")]:
        if int(key.removeprefix(f"{prefix}smoothed.").partition(".")[0]) >= len(smoothed):
            del weights[key]
