"""Two views of a picture: altered so differently that only what the picture shows is left in common."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from headwater.data.shades import LUMA
from headwater.vision.augmentation import Preset, altered


@dataclass(frozen=True)
class Twins:
    """How two views of each picture are made.

    Attributes:
        preset: what is done to a view as to any training picture.
        tint: how much the share of red, green and blue changes at most.
        grey: the share of views that lose their colour.

    Example:
        >>> twins = Twins.of(crop=0.25, colour=0.4, grey=False)
        >>> first, second = twins.views(torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8))
        >>> first.shape, bool((first != second).any())
        (torch.Size([2, 3, 8, 8]), True)
    """

    preset: Preset = field(default_factory=Preset)
    tint: float = 0.0
    grey: float = 0.0

    @classmethod
    def of(cls, *, crop: float, colour: float, grey: bool) -> Twins:
        """The alterations that leave what a picture shows, and take what else could tell it from others.

        Args:
            crop: the least share of the area that a view shows.
            colour: how much brightness, contrast and saturation change at most.
            grey: whether the pictures have no colour: digits and scans, which are never mirrored.
        """
        if grey:
            return cls(Preset(crop=max(crop, 0.4), colour=colour, rotation=10.0))
        return cls(Preset(crop=crop, mirror=True, colour=colour), tint=colour / 2, grey=0.2)

    def views(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Two views of each picture.

        Args:
            pictures: uint8 of shape (rows, 3, side, side).

        Returns:
            float32 from 0 to 1, each of the same shape.
        """
        return self._view(pictures), self._view(pictures)

    def _view(self, pictures: torch.Tensor) -> torch.Tensor:
        found = altered(pictures, self.preset)
        rows, device = len(found), found.device
        if self.tint:
            factors = 1 + self.tint * torch.empty(rows, 3, 1, 1).uniform_(-1, 1)
            found = (found * factors.to(device)).clamp(0, 1)
        if self.grey:
            luma = torch.tensor(LUMA, device=device)[:, None, None]
            lost = (torch.rand(rows, 1, 1, 1) < self.grey).to(device)
            found = torch.where(lost, (found * luma).sum(dim=1, keepdim=True), found)
        return found
