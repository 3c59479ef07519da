"""U-Net (Ronneberger et al., U-Net: Convolutional networks for biomedical image segmentation, 2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import nn
from torch.nn import functional

from headwater.errors import SettingError
from headwater.options import Between
from headwater.ranges import Search
from headwater.vision.classification.neural import he
from headwater.vision.segmentation.segmenter import Segmenter
from headwater.vision.segmentation.settings import SegmenterSettings


@dataclass(frozen=True, kw_only=True)
class UnetSettings(SegmenterSettings):
    """How wide and how deep it is."""

    section: ClassVar[str] = "Model"

    width: Annotated[
        int, Between(4, 256), Search(8, 64, log=True), "The maps at full size; doubled by each halving."
    ] = 16
    depth: Annotated[int, Between(1, 6), Search(2, 5), "How often the size is halved."] = 4


class UnetSegmenter(Segmenter):
    """Down by halvings, up again, and across from every size to the same one."""

    Settings = UnetSettings

    def network(self, channels: int, n_classes: int) -> nn.Module:
        height, width = self.canvas.seen
        most = min(height, width).bit_length() - 1
        if self.settings.depth > most:
            raise SettingError(
                "The network would halve pictures to nothing", where="--set depth", got=self.settings.depth,
                accepted=f"at most {most} for the {width} x {height} pixels that it sees here",
                fix="Lower it, or give a larger --image-size.",
            )  # fmt: skip
        return Unet(channels, n_classes, self.settings.width, self.settings.depth)


class Unet(nn.Module):
    """Pairs of 3 x 3 convolutions at each size, joined across by what was seen on the way down.

    Convolutions keep their size by padding, and have batch norms; the paper has neither.

    Args:
        channels: 1 for grey, 3 for colour.
        n_classes: how many classes there are.
        width: the maps at full size.
        depth: how often the size is halved.

    Example:
        >>> Unet(1, 2, width=4, depth=2)(torch.zeros(1, 1, 20, 24)).shape
        torch.Size([1, 2, 20, 24])
    """

    def __init__(self, channels: int, n_classes: int, width: int, depth: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(depth + 1)]
        self.down = nn.ModuleList(
            _pair(before, maps) for before, maps in zip([channels, *widths], widths, strict=False)
        )
        above = widths[:-1][::-1]
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * maps, maps, 2, stride=2) for maps in above)
        self.merge = nn.ModuleList(_pair(2 * maps, maps) for maps in above)
        self.head = nn.Conv2d(width, n_classes, 1)
        he(self)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logits of shape (rows, classes, height, width) for pictures of shape (rows, channels, height, width)."""
        passed = []
        maps = self.down[0](pictures)
        for pair in self.down[1:]:
            passed.append(maps)
            maps = pair(functional.max_pool2d(maps, 2))
        for enlarge, merge in zip(self.up, self.merge, strict=True):
            across = passed.pop()
            maps = merge(torch.cat([across, _to_size(enlarge(maps), across)], dim=1))
        return self.head(maps)


def _to_size(maps: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Maps with a last row and column more, where halving an odd size lost them."""
    down, across = (like.shape[axis] - maps.shape[axis] for axis in (2, 3))
    return functional.pad(maps, (0, across, 0, down), mode="replicate") if down or across else maps


def _pair(channels: int, maps: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before in (channels, maps):
        layers += [nn.Conv2d(before, maps, 3, padding=1, bias=False), nn.BatchNorm2d(maps), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
