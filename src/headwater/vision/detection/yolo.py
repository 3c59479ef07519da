"""YOLO: boxes in one pass (Redmon et al., You only look once, 2016), without anchors, at three scales."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, cast

import torch
from torch import nn
from torch.nn import functional

from headwater.options import Between
from headwater.ranges import Search
from headwater.vision.detection.assignment import Padded, task_aligned
from headwater.vision.detection.detector import Detector, DetectorSettings, Finder, Guess
from headwater.vision.detection.geometry import ciou, decode
from headwater.vision.detection.layers import convolution, squares
from headwater.vision.detection.scenes import Target

STRIDES: Final = (8, 16, 32)
_CELLS: Final = 4
"""A box begins as a square of so many cells."""
_START: Final = math.log(0.01 / 0.99)
"""A cell begins one per cent sure of each class: nearly all of them have nothing to say (Lin et al. 2017)."""
_BOX_WEIGHT: Final = 5.0


@dataclass(frozen=True, kw_only=True)
class YoloSettings(DetectorSettings):
    """How large the network is."""

    section: ClassVar[str] = "Model"

    width: Annotated[int, Between(4, 256), Search(8, 64, log=True), "The maps of the first convolution."] = 16
    depth: Annotated[int, Between(1, 16), Search(1, 4), "The steps within a block of the middle scales."] = 2


class YoloDetector(Detector):
    """Learns from scratch in an hour of one core what a few hundred pictures show."""

    Settings = YoloSettings
    learning_rate = 2e-3

    def network(self, n_classes: int) -> Finder:
        return Yolo(n_classes, self.settings.width, self.settings.depth)


class Yolo(Finder):
    """Maps at strides 8, 16 and 32, each told of the others, on each of which every cell says a box and its class.

    The body halves the picture five times; a neck carries what the coarse maps know down to the fine ones and back up
    (Lin et al. 2017; Liu et al. 2018); two heads apart place and name (Ge et al. 2021). A cell tells the centre of its
    box in its own edges from its middle, and the logarithm of how many times its first square the box is wide and high.

    Args:
        n_classes: how many there are.
        width: maps of the first convolution; 16 times as many at the coarsest scale.
        depth: steps within the blocks of strides 8 and 16.
    """

    def __init__(self, n_classes: int, width: int, depth: int) -> None:
        super().__init__()
        fine, middle, coarse = maps = 4 * width, 8 * width, 16 * width
        self.stem = nn.Sequential(
            convolution(3, width, stride=2), convolution(width, 2 * width, stride=2), Block(2 * width, 2 * width, 1)
        )
        self.fine = nn.Sequential(convolution(2 * width, fine, stride=2), Block(fine, fine, depth))
        self.middle = nn.Sequential(convolution(fine, middle, stride=2), Block(middle, middle, depth))
        self.coarse = nn.Sequential(convolution(middle, coarse, stride=2), Block(coarse, coarse, 1))
        self.middle_down = Block(coarse + middle, middle, 1)
        self.fine_down = Block(middle + fine, fine, 1)
        self.fine_step, self.middle_step = convolution(fine, fine, stride=2), convolution(middle, middle, stride=2)
        self.middle_up = Block(fine + middle, middle, 1)
        self.coarse_up = Block(middle + coarse, coarse, 1)
        self.placing, self.naming = (
            nn.ModuleList(_head(channels, fine, outputs, start) for channels in maps)
            for outputs, start in ((4, 0.0), (n_classes, _START))
        )

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What every cell says.

        Args:
            pictures: shape (pictures, 3, height, width); both edges are multiples of 32.

        Returns:
            Logits of shape (pictures, cells, classes), boxes of shape (pictures, cells, 4) in pixels, and the cells
            themselves as boxes of shape (cells, 4).
        """
        fine = self.fine(self.stem(pictures))
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        middle = self.middle_down(torch.cat([_doubled(coarse), middle], dim=1))
        fine = self.fine_down(torch.cat([_doubled(middle), fine], dim=1))
        middle = self.middle_up(torch.cat([self.fine_step(fine), middle], dim=1))
        coarse = self.coarse_up(torch.cat([self.middle_step(middle), coarse], dim=1))
        maps = (fine, middle, coarse)
        logits, told = (
            torch.cat([head(one).flatten(2) for head, one in zip(heads, maps, strict=True)], dim=2).transpose(1, 2)
            for heads in (self.naming, self.placing)
        )
        cells = torch.cat([squares(one.shape[2:], stride) for one, stride in zip(maps, STRIDES, strict=True)])
        cells = cells.to(pictures.device)
        return logits.float(), decode(told.float(), _grown(cells), (_CELLS, 1.0)), cells

    def loss(self, pictures: torch.Tensor, targets: Sequence[Target]) -> torch.Tensor:
        """How wrong the cells are that answer for a box, and how sure the others that there is one."""
        logits, boxes, cells = self(pictures)
        known = Padded.of(targets)
        found = task_aligned(logits.detach().sigmoid(), boxes.detach(), cells, known)
        picture, cell = found.share.nonzero(as_tuple=True)
        box, share = found.box[picture, cell], found.share[picture, cell]
        wanted = torch.zeros_like(logits)
        wanted[picture, cell, known.labels[picture, box]] = share
        asked = _asked(cells, targets, found.share)
        naming = functional.binary_cross_entropy_with_logits(logits, wanted, asked, reduction="sum")
        placing = (share * (1 - ciou(boxes[picture, cell], known.places[picture, box]))).sum()
        return len(pictures) * (naming + _BOX_WEIGHT * placing) / share.sum().clamp(min=1)

    def guesses(self, pictures: torch.Tensor, proposals: Sequence[torch.Tensor]) -> list[Guess]:
        logits, boxes, _ = self(pictures)
        return [Guess.of(*pair) for pair in zip(boxes, logits.sigmoid(), strict=True)]


class Block(nn.Module):
    """Half of the maps go on in steps, and all that came of any step is mixed (Wang et al., CSPNet, 2020).

    Args:
        channels: maps that come in.
        maps: maps that go out.
        depth: the steps, each two convolutions beside a shortcut.
    """

    def __init__(self, channels: int, maps: int, depth: int) -> None:
        super().__init__()
        half = maps // 2
        self.parted = convolution(channels, maps, 1)
        self.steps = nn.ModuleList(
            nn.Sequential(convolution(half, half), convolution(half, half)) for _ in range(depth)
        )
        self.mixed = convolution((2 + depth) * half, maps, 1)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        parts = list(self.parted(maps).chunk(2, dim=1))
        for step in self.steps:
            parts.append(parts[-1] + step(parts[-1]))
        return self.mixed(torch.cat(parts, dim=1))


def _asked(cells: torch.Tensor, targets: Sequence[Target], share: torch.Tensor) -> torch.Tensor | None:
    """1 for the cells that are to say what is there, 0 for those that would be blamed for what need not be found.

    These have their centre in such a box, or its centre in them, and answer for no known box.

    Args:
        cells: shape (cells, 4).
        targets: what is in each picture.
        share: more than 0 where a cell answers for a known box, shape (pictures, cells).

    Returns:
        Shape (pictures, cells, 1); None where there is nothing that need not be found.
    """
    if not any(len(target.pardoned) for target in targets):
        return None
    spared = torch.stack([
        (_centred(cells[:, None], target.pardoned) | _centred(target.pardoned, cells[:, None])).any(dim=1)
        for target in targets
    ])  # fmt: skip
    return (~spared | (share > 0)).float()[:, :, None]


def _centred(boxes: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Whether the centre of each box lies in another, of boxes that broadcast."""
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2
    return ((centre >= others[..., :2]) & (centre <= others[..., 2:])).all(dim=-1)


def _grown(cells: torch.Tensor) -> torch.Tensor:
    """Squares of `_CELLS` times the edge about the same centres."""
    more = (cells[:, 2:] - cells[:, :2]) * (_CELLS - 1) / 2
    return torch.cat([cells[:, :2] - more, cells[:, 2:] + more], dim=1)


def _doubled(maps: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(maps, scale_factor=2.0)


def _head(channels: int, maps: int, outputs: int, start: float) -> nn.Sequential:
    """Three convolutions whose outputs all begin near one number."""
    layer = nn.Conv2d(maps, outputs, 1)
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.constant_(cast("torch.Tensor", layer.bias), start)
    return nn.Sequential(convolution(channels, maps), convolution(maps, maps), layer)
