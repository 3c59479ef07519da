"""SimSiam (Chen and He, Exploring simple siamese representation learning, 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import nn
from torch.nn import functional

from headwater.options import Between
from headwater.vision.features.pretrainer import Pretrainer, PretrainerSettings, TwinNetwork

_NARROWER = 4
"""How many times as narrow as its ends the predictor is in its middle, as in the paper."""


@dataclass(frozen=True, kw_only=True)
class SimsiamSettings(PretrainerSettings):
    """What SimSiam can be told."""

    section: ClassVar[str] = "Model"

    projection: Annotated[
        int,
        Between(8, 8192),
        "Features that the two views are compared by, and that are left behind after the training.",
    ] = 512


class Simsiam(Pretrainer):
    """Of two views of a picture, each is to tell what the network makes of the other."""

    Settings = SimsiamSettings

    def twins(self, body: nn.Module, width: int) -> SimsiamNetwork:
        return SimsiamNetwork(body, width, self.settings.projection)


class SimsiamNetwork(TwinNetwork):
    """A network, a projector of three layers, and a predictor that is narrow in its middle.

    Args:
        body: pixels to features.
        width: how many features.
        projection: how many of them the projector makes.
    """

    def __init__(self, body: nn.Module, width: int, projection: int) -> None:
        super().__init__()
        self.body = body
        self.projector = nn.Sequential(
            *_layer(width, projection), *_layer(projection, projection),
            nn.Linear(projection, projection, bias=False), nn.BatchNorm1d(projection, affine=False),
        )  # fmt: skip
        narrow = max(2, projection // _NARROWER)
        self.predictor = nn.Sequential(*_layer(projection, narrow), nn.Linear(narrow, projection))

    def loss(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        projected = self.projector(torch.cat([first, second]))
        predicted = self.predictor(projected)
        return twin_loss(predicted.chunk(2), projected.chunk(2))


def twin_loss(predicted: tuple[torch.Tensor, ...], projected: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """The negative cosine between what is predicted of each view and the other's projection, summed over the rows.

    No gradient flows back through a projection: without that all pictures would soon look the same.

    Args:
        predicted: of the first and of the second views, each of shape (rows, width).
        projected: the same.

    Example:
        >>> same = (torch.eye(3), torch.eye(3))
        >>> twin_loss(same, same).item()
        -3.0
    """
    first, second = predicted
    of_first, of_second = (part.detach().float() for part in projected)
    found = functional.cosine_similarity(first.float(), of_second)
    return -0.5 * (found + functional.cosine_similarity(second.float(), of_first)).sum()


def _layer(width: int, made: int) -> tuple[nn.Module, ...]:
    return nn.Linear(width, made, bias=False), nn.BatchNorm1d(made), nn.ReLU(inplace=True)
