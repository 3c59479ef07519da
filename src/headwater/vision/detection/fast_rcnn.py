"""Fast R-CNN (Girshick, Fast R-CNN, 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

import torch
from torchvision.ops import roi_pool

from headwater.options import Between
from headwater.ranges import Search
from headwater.vision.detection.detector import Finder
from headwater.vision.detection.layers import Pyramid
from headwater.vision.detection.proposing import ProposedDetector, ProposedSettings
from headwater.vision.detection.regions import RegionFinder, dense

_STRIDE: Final = 8
_CELLS: Final = 7


@dataclass(frozen=True, kw_only=True)
class FastRcnnSettings(ProposedSettings):
    """How large the network is."""

    section: ClassVar[str] = "Model"

    width: Annotated[int, Between(4, 256), Search(8, 64, log=True), "The maps of the first convolution."] = 24
    maps: Annotated[int, Between(8, 1024), Search(32, 256, log=True), "The maps that regions are cut from."] = 64
    features: Annotated[int, Between(16, 8192), Search(64, 1024, log=True), "The features of a region."] = 256


class FastRcnnDetector(ProposedDetector):
    """One pass over a picture, then a look at each region that selective search proposes."""

    Settings = FastRcnnSettings

    def network(self, n_classes: int) -> Finder:
        return FastRcnn(n_classes, self.settings)


class FastRcnn(RegionFinder):
    """The finest map of a feature pyramid, the largest value of each of 7 x 7 cells of a region, two dense layers.

    Args:
        n_classes: how many there are.
        settings: widths and numbers.
    """

    def __init__(self, n_classes: int, settings: FastRcnnSettings) -> None:
        super().__init__(settings.features, n_classes, settings.regions_a_step)
        self.body = Pyramid(settings.width, settings.maps, scales=1)
        self.dense = dense(_CELLS**2 * settings.maps, settings.features)

    def seen(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.body(pictures)[0]

    def features(self, seen: torch.Tensor, regions: Sequence[torch.Tensor]) -> torch.Tensor:
        return self.dense(roi_pool(seen.float(), [*regions], _CELLS, 1 / _STRIDE))
