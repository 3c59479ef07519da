"""What the R-CNN family shares: regions of a picture are named, and moved to where the thing in them really is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Final, cast

import torch
from torch import nn
from torch.nn import functional

from headwater.vision.detection.assignment import drawn, excused, matched
from headwater.vision.detection.detector import Finder, Guess
from headwater.vision.detection.geometry import decode, encode
from headwater.vision.detection.scenes import Target

WEIGHTS: Final = (10.0, 5.0)
_ENOUGH: Final = 0.5
"""From this overlap on a region shows a known box."""
_SHARE: Final = 0.25
"""How many of the regions of a step show something at most."""
_SMOOTH: Final = 1 / 9
"""Below this error the loss of places is a square, above a line."""


class RegionFinder(Finder):
    """A network that looks at regions of pictures.

    A subclass gives `seen` and `features`.

    Args:
        width: features of a region.
        n_classes: how many there are.
        regions_a_step: how many of a picture are learned from in one step.
    """

    def __init__(self, width: int, n_classes: int, regions_a_step: int) -> None:
        super().__init__()
        self.regions_a_step = regions_a_step
        self.naming, self.placing = nn.Linear(width, n_classes + 1), nn.Linear(width, 4 * n_classes)
        for layer, spread in ((self.naming, 0.01), (self.placing, 0.001)):
            nn.init.normal_(layer.weight, std=spread)
            nn.init.zeros_(cast("torch.Tensor", layer.bias))

    @abstractmethod
    def seen(self, pictures: torch.Tensor) -> Any:
        """What is made of pictures of shape (pictures, 3, height, width) before regions are looked at."""

    @abstractmethod
    def features(self, seen: Any, regions: Sequence[torch.Tensor]) -> torch.Tensor:
        """What is in the regions of each picture, shape (regions of all pictures, width)."""

    def loss(self, pictures: torch.Tensor, targets: Sequence[Target]) -> torch.Tensor:
        proposals = [target.proposals for target in targets]
        return len(pictures) * self.region_loss(self.seen(pictures), proposals, targets)

    def guesses(self, pictures: torch.Tensor, proposals: Sequence[torch.Tensor]) -> list[Guess]:
        return self.named(self.seen(pictures), proposals)

    def named(self, seen: Any, proposals: Sequence[torch.Tensor]) -> list[Guess]:
        """What every region shows, and where."""
        logits, told = self(seen, proposals)
        sizes = [len(regions) for regions in proposals]
        parts = zip(proposals, logits.softmax(dim=1)[:, 1:].split(sizes), told.split(sizes), strict=True)
        return [Guess.of(decode(away, regions[:, None], WEIGHTS), sure) for regions, sure, away in parts]

    def forward(self, seen: Any, regions: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits, (regions, 1 + classes), the first that of nothing, and moves by class, (regions, classes, 4)."""
        features = self.features(seen, regions)
        return self.naming(features).float(), self.placing(features).float().unflatten(1, (-1, 4))

    def region_loss(
        self, seen: Any, proposals: Sequence[torch.Tensor], targets: Sequence[Target]
    ) -> torch.Tensor:  # fmt: skip
        """How wrong a sample of the regions is named and placed, as a mean over it."""
        chosen, labels, places = [], [], []
        for regions, target in zip(proposals, targets, strict=True):
            # What is known is a region too, so that there is one that shows it from the first step on.
            offered = torch.cat([regions, target.places])
            match = matched(offered, target.places, _ENOUGH, _ENOUGH, all_known=False)
            match = excused(match, offered, target.pardoned)
            shown, empty = drawn(match.box, self.regions_a_step, _SHARE)
            box = match.box[shown]
            chosen.append(offered[torch.cat([shown, empty])])
            labels += [target.labels[box] + 1, target.labels.new_zeros(len(empty))]
            places += [target.places[box], offered[empty]]
        if not sum(map(len, chosen)):
            return self.naming.weight.sum() * 0
        logits, told = self(seen, chosen)
        return named_and_placed(logits, told, torch.cat(chosen), torch.cat(labels), torch.cat(places))


def dense(features: int, width: int) -> nn.Sequential:
    """Two dense layers over the pooled maps of a region."""
    layers = [nn.Linear(features, width), nn.ReLU(inplace=True), nn.Linear(width, width), nn.ReLU(inplace=True)]
    return nn.Sequential(nn.Flatten(), *layers)


def named_and_placed(
    logits: torch.Tensor, told: torch.Tensor, regions: torch.Tensor, labels: torch.Tensor, places: torch.Tensor
) -> torch.Tensor:
    """The mean over regions of how wrong each is named and, where it shows something, placed.

    Args:
        logits: shape (regions, 1 + classes).
        told: the moves for each class, shape (regions, classes, 4).
        regions: shape (regions, 4).
        labels: 0 for nothing, else 1 + the position of the class, shape (regions,).
        places: where the thing is, shape (regions, 4); of no meaning where there is none.
    """
    shown = torch.nonzero(labels)[:, 0]
    away = encode(places[shown], regions[shown], WEIGHTS)
    moves = told[shown, labels[shown] - 1]
    placing = functional.smooth_l1_loss(moves, away, beta=_SMOOTH, reduction="sum") / len(labels)
    return functional.cross_entropy(logits, labels) + placing
