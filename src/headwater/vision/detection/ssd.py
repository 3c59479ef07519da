"""SSD (Liu et al., SSD: Single shot multibox detector, 2016)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

import torch
from torch import nn
from torch.nn import functional

from headwater.options import Between
from headwater.ranges import Search
from headwater.vision.detection.assignment import UNCLEAR, Match, excused, matched
from headwater.vision.detection.detector import Detector, DetectorSettings, Finder, Guess
from headwater.vision.detection.geometry import decode, encode, iou
from headwater.vision.detection.layers import anchors, convolution
from headwater.vision.detection.scenes import Target

SIZES: Final = (0.07, 0.15, 0.33, 0.51, 0.69, 0.87)
"""The edge of a first box of each map, and of one map more, as a share of the picture's."""
SHAPES: Final = (1.0, 2.0, 0.5)
"""How many times as wide as high the first boxes are."""
_WEIGHTS: Final = (10.0, 5.0)
_ENOUGH: Final = 0.5
"""From this overlap on a first box answers for a known one."""
_NEGATIVES: Final = 3
"""How many that show nothing count for each that shows something."""


@dataclass(frozen=True, kw_only=True)
class SsdSettings(DetectorSettings):
    """How large the network is."""

    section: ClassVar[str] = "Model"

    width: Annotated[int, Between(4, 256), Search(8, 64, log=True), "The maps of the first convolution."] = 16
    overlap: Annotated[float, Between(0.05, 0.95), "Of two boxes of a class with a higher IoU, the surer is kept."] = (
        0.45
    )


class SsdDetector(Detector):
    """A convolutional body whose maps, five sizes, each say what is in boxes laid over the picture beforehand."""

    Settings = SsdSettings

    def network(self, n_classes: int) -> Finder:
        return Ssd(n_classes, self.settings.width)


class Ssd(Finder):
    """Stages of 3 x 3 convolutions; on the map of each from stride 8 on, one convolution places and one names.

    Args:
        n_classes: how many there are.
        width: maps of the first convolution; up to 16 times as many further on.
    """

    def __init__(self, n_classes: int, width: int) -> None:
        super().__init__()
        widths = [width * min(16, 2**stage) for stage in range(2, 2 + len(SIZES) - 1)]
        self.stem = nn.Sequential(
            convolution(3, width, stride=2), convolution(width, 2 * width, stride=2), convolution(2 * width, 2 * width)
        )
        self.stages = nn.ModuleList(
            nn.Sequential(convolution(before, after, stride=2), convolution(after, after), convolution(after, after))
            for before, after in zip([2 * width, *widths], widths, strict=False)
        )
        self.outputs, boxes = n_classes + 1, len(SHAPES) + 1
        self.placing, self.naming = (
            nn.ModuleList(nn.Conv2d(channels, boxes * outputs, 3, padding=1) for channels in widths)
            for outputs in (4, self.outputs)
        )

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What every first box says.

        Returns:
            Logits of shape (pictures, boxes, 1 + classes), of which the first is that of nothing; how its place differs
            from the first box, shape (pictures, boxes, 4); and the first boxes, shape (boxes, 4).
        """
        found = [self.stem(pictures)]
        for stage in self.stages:
            found.append(stage(found[-1]))
        logits, told = (
            torch.cat([
                head(maps).permute(0, 2, 3, 1).reshape(len(pictures), -1, outputs)
                for head, maps in zip(heads, found[1:], strict=True)
            ], dim=1).float() for heads, outputs in ((self.naming, self.outputs), (self.placing, 4))
        )  # fmt: skip
        height, width = pictures.shape[2:]
        laid = first_boxes([(maps.shape[2], maps.shape[3]) for maps in found[1:]], height, width)
        return logits, told, laid.to(pictures.device)

    def loss(self, pictures: torch.Tensor, targets: Sequence[Target]) -> torch.Tensor:
        logits, told, laid = self(pictures)
        found = [excused(answering(laid, target.places), laid, target.pardoned) for target in targets]
        return len(pictures) * multibox_loss(logits, told, laid, targets, found)

    def guesses(self, pictures: torch.Tensor, proposals: Sequence[torch.Tensor]) -> list[Guess]:
        logits, told, laid = self(pictures)
        sure = logits.softmax(dim=2)[:, :, 1:]
        return [Guess.of(*pair) for pair in zip(decode(told, laid, _WEIGHTS), sure, strict=True)]


def first_boxes(maps: Sequence[tuple[int, int]], height: int, width: int) -> torch.Tensor:
    """The boxes that are laid over a picture: about every place of each map three shapes of a size and a larger square.

    Args:
        maps: lines and columns of each map, the finest first.
        height: of the picture in pixels.
        width: of the picture in pixels.
    """
    edge = math.sqrt(height * width)
    laid = []
    for (lines, columns), own, larger in zip(maps, SIZES, SIZES[1:], strict=False):
        between = edge * math.sqrt(own * larger)
        shapes = [(edge * own * math.sqrt(shape), edge * own / math.sqrt(shape)) for shape in SHAPES]
        laid.append(anchors((lines, columns), (height / lines, width / columns), [*shapes, (between, between)]))
    return torch.cat(laid)


@torch.no_grad()
def answering(laid: torch.Tensor, known: torch.Tensor) -> Match:
    """Which known box each first box answers for: that which it half overlaps with, and most.

    The first box that overlaps a known one most answers for it in any case, even if it overlaps another more: of a
    small thing in front of a large one, neither is lost.

    Args:
        laid: the first boxes, shape (boxes, 4).
        known: shape (known, 4).
    """
    found = matched(laid, known, _ENOUGH, _ENOUGH, all_known=False)
    if len(known):
        found.box[iou(known, laid).argmax(dim=1)] = torch.arange(len(known), device=laid.device)
    return found


def multibox_loss(
    logits: torch.Tensor, told: torch.Tensor, laid: torch.Tensor, targets: Sequence[Target], found: Sequence[Match]
) -> torch.Tensor:
    """How wrong names and places are, for each first box that shows something.

    Of the first boxes that show nothing, those of each picture that are taken for something most count, three for
    each that shows something; what is not sure to show nothing is none of them.

    Args:
        logits: shape (pictures, boxes, 1 + classes).
        told: shape (pictures, boxes, 4).
        laid: the first boxes, shape (boxes, 4).
        targets: what is in each picture.
        found: which known box each first box is of.
    """
    wanted = torch.zeros(logits.shape[:2], dtype=torch.int64, device=logits.device)
    placing = told.new_zeros(())
    for row, (target, match) in enumerate(zip(targets, found, strict=True)):
        shown = torch.nonzero(match.box >= 0)[:, 0]
        box = match.box[shown]
        wanted[row, shown] = target.labels[box] + 1
        away = encode(target.places[box], laid[shown], _WEIGHTS)
        placing = placing + functional.smooth_l1_loss(told[row, shown], away, reduction="sum")
    naming = functional.cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction="none").view(wanted.shape)
    shows, unclear = wanted > 0, torch.stack([match.box == UNCLEAR for match in found])
    many = shows.sum(dim=1, keepdim=True)
    with torch.no_grad():
        order = naming.masked_fill(shows | unclear, -math.inf).argsort(dim=1, descending=True).argsort(dim=1)
    hard = (order < _NEGATIVES * many) & ~shows & ~unclear
    return (placing + naming[shows | hard].sum()) / shows.sum().clamp(min=1)
