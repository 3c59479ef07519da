"""Faster R-CNN (Ren et al., Faster R-CNN: Towards real-time object detection with region proposal networks, 2015)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, cast

import torch
from torch import nn
from torch.nn import functional
from torchvision.ops import roi_align

from headwater.options import Between
from headwater.ranges import Search
from headwater.vision.detection.assignment import drawn, excused, matched
from headwater.vision.detection.detector import Detector, DetectorSettings, Finder, Guess
from headwater.vision.detection.geometry import areas, best, clipped, decode, encode
from headwater.vision.detection.layers import Pyramid, anchors
from headwater.vision.detection.regions import RegionFinder, dense
from headwater.vision.detection.scenes import Target

STRIDES: Final = (8, 16, 32)
_EDGES: Final = (2.5, 4.0)
"""The edges of the first boxes, in strides."""
_SHAPES: Final = (0.5, 1.0, 2.0)
_UNLIKE: Final = 0.3
_ALIKE: Final = 0.7
"""Below the one overlap a first box shows nothing, from the other on it shows a known box."""
_BOXES_A_STEP: Final = 256
_MANY: Final = 400
"""First boxes of each map that are looked at further."""
_SAME: Final = 0.7
_LEAST_EDGE: Final = 2.0
_SHARE: Final = 0.5
_SMOOTH: Final = 1 / 9
"""Below this error the loss of places is a square, above a line."""
_WEIGHTS: Final = (1.0, 1.0)
_CELLS: Final = 7
_USUAL: Final = 14
"""A region is looked at on the map on which it is about so many places wide."""


@dataclass(frozen=True, kw_only=True)
class FasterRcnnSettings(DetectorSettings):
    """How large the network is, and how many regions it looks at."""

    section: ClassVar[str] = "Model"

    width: Annotated[int, Between(4, 256), Search(8, 64, log=True), "The maps of the first convolution."] = 24
    maps: Annotated[int, Between(8, 1024), Search(32, 256, log=True), "The maps of each scale."] = 64
    features: Annotated[int, Between(16, 8192), Search(64, 1024, log=True), "The features of a region."] = 256
    proposals: Annotated[int, Between(10, 10_000), "The regions of a picture that are looked at."] = 200
    regions_a_step: Annotated[int, Between(4, 4096), "The regions of a picture that are learned from at once."] = 64
    overlap: Annotated[float, Between(0.05, 0.95), "Of two boxes of a class with a higher IoU, the surer is kept."] = (
        0.5
    )


class FasterRcnnDetector(Detector):
    """A small network proposes regions of the maps that a second one names and places."""

    Settings = FasterRcnnSettings

    def network(self, n_classes: int) -> Finder:
        return FasterRcnn(n_classes, self.settings)


class FasterRcnn(RegionFinder):
    """A residual network with a feature pyramid, a region proposal network on its maps, and two dense layers.

    Args:
        n_classes: how many there are.
        settings: widths and numbers.
    """

    def __init__(self, n_classes: int, settings: FasterRcnnSettings) -> None:
        super().__init__(settings.features, n_classes, settings.regions_a_step)
        self.body = Pyramid(settings.width, settings.maps)
        self.proposing = ProposalNetwork(settings.maps, settings.proposals)
        self.dense = dense(_CELLS**2 * settings.maps, settings.features)

    def seen(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        return self.body(pictures)

    def features(self, seen: list[torch.Tensor], regions: Sequence[torch.Tensor]) -> torch.Tensor:
        return self.dense(pooled(seen, regions))

    def loss(self, pictures: torch.Tensor, targets: Sequence[Target]) -> torch.Tensor:
        seen = self.seen(pictures)
        proposing, proposals = self.proposing.learned(seen, targets)
        return len(pictures) * (proposing + self.region_loss(seen, proposals, targets))

    def guesses(self, pictures: torch.Tensor, proposals: Sequence[torch.Tensor]) -> list[Guess]:
        seen = self.seen(pictures)
        return self.named(seen, self.proposing.proposed(seen, self.proposing(seen)))


@dataclass(frozen=True)
class _Told:
    """What is said of the first boxes of one map.

    Attributes:
        logits: that each shows something, shape (pictures, boxes).
        moves: where that is, shape (pictures, boxes, 4).
        boxes: shape (boxes, 4).
    """

    logits: torch.Tensor
    moves: torch.Tensor
    boxes: torch.Tensor


class ProposalNetwork(nn.Module):
    """Says of six boxes about every place of some maps whether they show anything, and where it is.

    Args:
        maps: channels of each map.
        most: how many regions of a picture it proposes at most.
    """

    def __init__(self, maps: int, most: int) -> None:
        super().__init__()
        self.most = most
        shapes = len(_EDGES) * len(_SHAPES)
        self.looking = nn.Conv2d(maps, maps, 3, padding=1)
        self.there, self.where = nn.Conv2d(maps, shapes, 1), nn.Conv2d(maps, 4 * shapes, 1)
        for layer in (self.looking, self.there, self.where):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(cast("torch.Tensor", layer.bias))

    def forward(self, seen: Sequence[torch.Tensor]) -> list[_Told]:
        """What it says of the first boxes of each map."""
        found = []
        for maps, stride in zip(seen, STRIDES, strict=True):
            looked = self.looking(maps).relu()
            logits = self.there(looked).permute(0, 2, 3, 1).flatten(1).float()
            moves = self.where(looked).permute(0, 2, 3, 1).reshape(len(maps), -1, 4).float()
            found.append(_Told(logits, moves, first_boxes(maps.shape[2:], stride).to(maps.device)))
        return found

    def learned(
        self, seen: Sequence[torch.Tensor], targets: Sequence[Target]
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:  # fmt: skip
        """How wrong it is, as a mean over a sample of the boxes of each picture, and what it proposes."""
        told = self(seen)
        boxes = torch.cat([one.boxes for one in told])
        shown, chosen, away = [], [], []
        for row, target in enumerate(targets):
            match = matched(boxes, target.places, _UNLIKE, _ALIKE, all_known=True)
            match = excused(match, boxes, target.pardoned)
            found, empty = drawn(match.box, _BOXES_A_STEP, _SHARE)
            away.append(encode(target.places[match.box[found]], boxes[found], _WEIGHTS))
            shown.append(found + row * len(boxes))
            chosen.append(torch.cat([found, empty]) + row * len(boxes))
        logits = torch.cat([one.logits for one in told], dim=1).flatten()
        moves = torch.cat([one.moves for one in told], dim=1).flatten(0, 1)
        loss = proposing_loss(logits, moves, torch.cat(shown), torch.cat(chosen), torch.cat(away))
        return loss, self.proposed(seen, told)

    @torch.no_grad()
    def proposed(self, seen: Sequence[torch.Tensor], told: Sequence[_Told]) -> list[torch.Tensor]:
        """The regions of each picture that most likely show something, without those that show the same."""
        height, width = (edge * STRIDES[0] for edge in seen[0].shape[2:])
        found = []
        for row in range(len(seen[0])):
            parts = []
            for scale, one in enumerate(told):
                sure, order = one.logits[row].topk(min(_MANY, len(one.boxes)))
                places = clipped(decode(one.moves[row, order], one.boxes[order], _WEIGHTS), height, width)
                parts.append((places, sure, torch.full_like(order, scale)))
            places, sure, scales = map(torch.cat, zip(*parts, strict=True))
            wide = ((places[:, 2:] - places[:, :2]) >= _LEAST_EDGE).all(dim=1)
            places = places[wide]
            found.append(places[best(places, sure[wide], scales[wide], _SAME, self.most)])
        return found


def first_boxes(size: Sequence[int], stride: int) -> torch.Tensor:
    """Boxes of two areas and three shapes about every place of a map, shape (places * 6, 4).

    Example:
        >>> first_boxes((1, 1), 8)[1].tolist()
        [-6.0, -6.0, 14.0, 14.0]
    """
    edges = [(edge * stride, math.sqrt(shape)) for edge in _EDGES for shape in _SHAPES]
    return anchors(size, (stride, stride), [(edge / root, edge * root) for edge, root in edges])


def proposing_loss(
    logits: torch.Tensor, moves: torch.Tensor, shown: torch.Tensor, chosen: torch.Tensor, away: torch.Tensor
) -> torch.Tensor:
    """How wrong boxes are told to show something and, where they do, moved; each as a mean over the sample.

    Args:
        logits: of all boxes of all pictures, shape (boxes,).
        moves: shape (boxes, 4).
        shown: positions of the boxes of the sample that show something.
        chosen: positions of all of the sample.
        away: the moves that would be right, one for each of `shown`.
    """
    if not len(chosen):
        return logits.sum() * 0
    wanted = torch.zeros_like(logits)
    wanted[shown] = 1.0
    there = functional.binary_cross_entropy_with_logits(logits[chosen], wanted[chosen])
    where = functional.smooth_l1_loss(moves[shown], away, beta=_SMOOTH, reduction="sum")
    return there + where / max(1, len(chosen))


def pooled(seen: Sequence[torch.Tensor], regions: Sequence[torch.Tensor]) -> torch.Tensor:
    """Seven by seven places of each region, of the map that suits its size (Lin et al. 2017; He et al. 2017).

    Args:
        seen: maps at `STRIDES`, each of shape (pictures, maps, height, width).
        regions: boxes of each picture, each of shape (regions, 4).

    Returns:
        float32 of shape (regions of all pictures, maps, 7, 7).
    """
    boxes = torch.cat([*regions])
    rows = torch.cat([torch.full_like(part[:, :1], row) for row, part in enumerate(regions)])
    edge = areas(boxes).clamp(min=1).sqrt() / (_USUAL * STRIDES[0])
    scale = edge.log2().floor().clamp(0, len(STRIDES) - 1)
    found = boxes.new_zeros(len(boxes), seen[0].shape[1], _CELLS, _CELLS)
    given = torch.cat([rows, boxes], dim=1)
    for place, (maps, stride) in enumerate(zip(seen, STRIDES, strict=True)):
        ours = torch.nonzero(scale == place)[:, 0]
        parts = roi_align(maps.float(), given[ours], _CELLS, 1 / stride, sampling_ratio=2, aligned=True)
        found = found.index_put((ours,), parts)
    return found
