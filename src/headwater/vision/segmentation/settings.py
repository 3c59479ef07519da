"""What every network of masks can be told; apart from what computes it, so that reading it needs no such library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from headwater.options import Between, OneOf
from headwater.ranges import Search


@dataclass(frozen=True, kw_only=True)
class SegmenterSettings:
    """What every network of masks can be told."""

    section: ClassVar[str] = "Model"

    tiles: Annotated[
        str,
        OneOf(("auto", "yes", "no")),
        "Whether larger pictures are cut into pieces, not reduced; auto does so where reducing loses small things.",
    ] = "auto"
    weighting: Annotated[
        str,
        OneOf(("auto", "none", "root", "median-frequency")),
        Search(leave=("auto",)),
        "What rare classes count in the loss: as much as others, by median frequency more, or by its root; auto takes "
        "the root where one class is ten times as frequent as another.",
    ] = "auto"
    averaged: Annotated[
        int,
        Between(1, 8),
        "Answers that are averaged for each picture: 1 as it is, 2 mirrored as well; more are turned and upside down.",
    ] = 1
    dice: Annotated[
        float, Between(0, 100), Search(0, 2), "What the overlap of regions counts in the loss beside the cross entropy."
    ] = 0.5
