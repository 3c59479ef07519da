"""SimCLR (Chen, Kornblith, Norouzi and Hinton, A simple framework for contrastive learning, 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import nn
from torch.nn import functional

from headwater.options import Between
from headwater.ranges import Search
from headwater.vision.features.pretrainer import Pretrainer, PretrainerSettings, TwinNetwork


@dataclass(frozen=True, kw_only=True)
class SimclrSettings(PretrainerSettings):
    """What SimCLR can be told."""

    section: ClassVar[str] = "Model"

    projection: Annotated[
        int, Between(8, 8192), "Features that views are compared by, and that are left behind after the training."
    ] = 128
    temperature: Annotated[
        float,
        Between(0.01, 2),
        Search(0.05, 1, log=True),
        "How alike the views of two images may be: the lower, the more the nearest of them count.",
    ] = 0.2


class Simclr(Pretrainer):
    """The two views of a picture are to be more alike than any two views of different pictures of a step."""

    Settings = SimclrSettings

    def twins(self, body: nn.Module, width: int) -> SimclrNetwork:
        return SimclrNetwork(body, width, self.settings)


class SimclrNetwork(TwinNetwork):
    """A network and a projector of two layers.

    Args:
        body: pixels to features.
        width: how many features.
        settings: how many of them the projector makes, and the temperature.
    """

    def __init__(self, body: nn.Module, width: int, settings: SimclrSettings) -> None:
        super().__init__()
        self.body, self.temperature = body, settings.temperature
        self.projector = nn.Sequential(
            nn.Linear(width, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(inplace=True),
            nn.Linear(width, settings.projection),
        )  # fmt: skip

    def loss(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return contrast(self.projector(torch.cat([first, second])), self.temperature)


def contrast(projected: torch.Tensor, temperature: float) -> torch.Tensor:
    """The cross entropy of finding a view's other half among all other views, summed over the rows.

    Args:
        projected: of the first views and then of the second, shape (2 * rows, width).
        temperature: what the cosines are divided by.

    Returns:
        A scalar: for each row the mean over its two views (NT-Xent).

    Example:
        >>> views = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
        >>> round(contrast(views, 1.0).item(), 4)  # 2 * log(1 + 2 / e)
        1.1029
    """
    units = functional.normalize(projected)
    likeness = units @ units.T / temperature
    own = torch.eye(len(units), dtype=torch.bool, device=units.device)
    partner = torch.arange(len(units), device=units.device).roll(len(units) // 2)
    return functional.cross_entropy(likeness.masked_fill(own, -torch.inf), partner, reduction="sum") / 2
