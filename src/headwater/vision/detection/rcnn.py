"""R-CNN (Girshick et al., Rich feature hierarchies for accurate object detection, 2014)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

import torch
from torch import nn
from torchvision.ops import roi_align

from headwater.options import Between
from headwater.ranges import Search
from headwater.vision.classification.resnet import Block
from headwater.vision.detection.detector import Finder
from headwater.vision.detection.layers import convolution
from headwater.vision.detection.proposing import ProposedDetector, ProposedSettings
from headwater.vision.detection.regions import RegionFinder

_AROUND: Final = 227 / 195
"""How many times as wide and as high a region is cut, to show what is around it."""
_AT_ONCE: Final = 256
"""The regions that go through the network together where nothing is learned."""


@dataclass(frozen=True, kw_only=True)
class RcnnSettings(ProposedSettings):
    """How large the network is."""

    section: ClassVar[str] = "Model"

    width: Annotated[int, Between(4, 256), Search(8, 64, log=True), "The maps of the first convolution."] = 16
    side: Annotated[int, Between(16, 512), "Pixels along each edge of a region as the network sees it."] = 48


class RcnnDetector(ProposedDetector):
    """Every region that selective search proposes is cut out, warped to one size, and classified for itself."""

    Settings = RcnnSettings

    def network(self, n_classes: int) -> Finder:
        return Rcnn(n_classes, self.settings)


class Rcnn(RegionFinder):
    """A small residual network over the pixels of each region.

    Args:
        n_classes: how many there are.
        settings: widths and numbers.
    """

    def __init__(self, n_classes: int, settings: RcnnSettings) -> None:
        width = settings.width
        super().__init__(8 * width, n_classes, settings.regions_a_step)
        self.side = settings.side
        self.body = nn.Sequential(
            convolution(3, width, stride=2), convolution(width, 2 * width),
            *(Block(width * 2**stage, width * 2 ** (stage + 1), stride=2, bottleneck=False) for stage in (1, 2)),
            Block(8 * width, 8 * width, stride=1, bottleneck=False),
        )  # fmt: skip

    def seen(self, pictures: torch.Tensor) -> torch.Tensor:
        return pictures

    def features(self, seen: torch.Tensor, regions: Sequence[torch.Tensor]) -> torch.Tensor:
        boxes = torch.cat(list(regions))
        picture = torch.repeat_interleave(torch.tensor([len(some) for some in regions], device=boxes.device))
        rows = torch.arange(len(boxes), device=boxes.device)
        # Norms see the regions of a step together; where nothing is learned the squares of all would fill the memory.
        parts = [rows] if self.training else rows.split(_AT_ONCE)
        cut = (warped(seen, boxes[part], picture[part], self.side) for part in parts)
        return torch.cat([self.body(part).mean(dim=(2, 3)) for part in cut])


def warped(pictures: torch.Tensor, regions: torch.Tensor, picture: torch.Tensor, side: int) -> torch.Tensor:
    """Regions and a little of what is around them as squares of one size, shape (regions, 3, side, side).

    Args:
        pictures: shape (pictures, 3, height, width); what lies beside them is 0, the mean of standardised pixels.
        regions: boxes, shape (regions, 4).
        picture: the position of the picture that each is of, shape (regions,).
        side: pixels along each edge.
    """
    placed = torch.cat([picture[:, None].to(regions.dtype), _grown(regions)], dim=1)
    cut = roi_align(pictures.float(), placed, side, sampling_ratio=2, aligned=True)
    return cut.contiguous(memory_format=torch.channels_last)


def _grown(boxes: torch.Tensor) -> torch.Tensor:
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) * _AROUND / 2
    return torch.cat([middle - half, middle + half], dim=1)
