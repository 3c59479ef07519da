"""FCN-8s (Long et al., Fully convolutional networks for semantic segmentation, 2015)."""

from __future__ import annotations

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

_SKIPS = 3


@dataclass(frozen=True, kw_only=True)
class FcnSettings(SegmenterSettings):
    """How wide it is."""

    section: ClassVar[str] = "Model"

    width: Annotated[
        int, Between(4, 256), Search(16, 64, log=True), "The maps of the first stage; doubled by each."
    ] = 32


class FcnSegmenter(Segmenter):
    """Classes told at three sizes, the coarse ones enlarged and added to the finer."""

    Settings = FcnSettings

    def network(self, channels: int, n_classes: int) -> nn.Module:
        return Fcn(channels, n_classes, self.settings.width)


class Fcn(nn.Module):
    """A residual network whose last three stages each tell classes by a 1 x 1 convolution, as FCN-8s does of three.

    Args:
        channels: 1 for grey, 3 for colour.
        n_classes: how many classes there are.
        width: the maps of the first stage.

    Example:
        >>> Fcn(3, 5, 8)(torch.zeros(2, 3, 32, 48)).shape
        torch.Size([2, 5, 32, 48])
    """

    def __init__(self, channels: int, n_classes: int, width: int) -> None:
        super().__init__()
        self.body = ResidualMaps(channels, width)
        self.tell = nn.ModuleList(nn.Conv2d(maps, n_classes, 1) for maps in self.body.widths[-_SKIPS:])

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logits of shape (rows, classes, height, width) for pictures of shape (rows, channels, height, width)."""
        fine_to_coarse = [tell(maps) for tell, maps in zip(self.tell, self.body(pictures)[-_SKIPS:], strict=True)]
        found = fine_to_coarse[-1]
        for finer in fine_to_coarse[-2::-1]:
            found = finer + _enlarged(found, finer)
        return _enlarged(found, pictures)


def _enlarged(maps: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(maps, size=like.shape[2:], mode="bilinear", align_corners=False)
