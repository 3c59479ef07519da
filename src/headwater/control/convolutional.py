"""A convolutional network over the pixels of observations, and dense layers over what it sees and all other numbers.

Convolutions of 3 x 3 pixels halve the image until its longer edge has at most eight places, so that an image of any
size has about as much to say (LeCun et al. 1989; for agents Mnih et al. 2015).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import nn

from headwater.control.differentiable import Differentiable
from headwater.control.picture import Picture
from headwater.control.spaces import Box, Space, leaves

if TYPE_CHECKING:
    from headwater.control.eye import Eye

_MAPS: Final = (16, 32, 64)
"""Of the first convolutions; all that follow have as many as the last."""
_PLACES: Final = 8
_FEWEST: Final = 2
"""Convolutions at least: one of them sees too little around a place of a small image."""


class Convolutions(nn.Module):
    """An image in a row of numbers to what convolutions see at each of a few places.

    Example:
        >>> eye = Convolutions(Picture.of((64, 64, 3)))
        >>> eye(torch.zeros(2, 64 * 64 * 3)).shape, eye.width
        (torch.Size([2, 4096]), 4096)
    """

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self.picture, layers = picture, list[nn.Module]()
        given, height, width = picture.frames * picture.channels, picture.height, picture.width
        while max(height, width) > _PLACES or len(layers) < 2 * _FEWEST:
            made = _MAPS[min(len(layers) // 2, len(_MAPS) - 1)]
            layers += [nn.Conv2d(given, made, 3, stride=2, padding=1), nn.ReLU()]
            given, height, width = made, math.ceil(height / 2), math.ceil(width / 2)
        self.layers, self.width = nn.Sequential(*layers), given * height * width

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Features of shape (rows, width) of images from 0 to 1, shape (rows, numbers)."""
        return self.layers(laid_out(rows, self.picture).flatten(1, 2)).flatten(1)


class Sighted(nn.Module):
    """Dense layers over what eyes see in parts of a row, and over all its other numbers.

    Args:
        eyes: for each part that is looked at its place in a row, and a module of a `width` that looks at it.
        width: numbers in a row.
        sizes: of every hidden layer, and of the output.
        tanh: put hyperbolic tangents between the dense layers, in the place of rectifiers.
    """

    def __init__(self, eyes: Sequence[tuple[slice, Any]], width: int, sizes: Sequence[int], *, tanh: bool) -> None:
        super().__init__()
        self.places, self.eyes = [place for place, _ in eyes], nn.ModuleList(eye for _, eye in eyes)
        looked_at = {column for place in self.places for column in range(place.start, place.stop)}
        self.plain = [column for column in range(width) if column not in looked_at]
        given = sum(eye.width for _, eye in eyes) + len(self.plain)
        layers = list[nn.Module]()
        for before, after in pairwise((given, *sizes)):
            layers += [nn.Linear(before, after), nn.Tanh() if tanh else nn.ReLU()]
        self.dense = nn.Sequential(*layers[:-1])

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """The outputs for rows of numbers."""
        seen = [eye(rows[:, place]) for place, eye in zip(self.places, self.eyes, strict=True)]
        return self.dense(torch.cat([*seen, rows[:, self.plain]], dim=1))


def sighted(
    observations: Space, sizes: Sequence[int], random: np.random.Generator, *, beside: int = 0, tanh: bool = False,
    eye: Eye | None = None,
) -> Differentiable:  # fmt: skip
    """The network of `networks.network_of` for observations that have to be looked at."""
    parts = leaves(observations)
    if eye is None:
        eyes: list[Any] = [(place, Convolutions(leaf.picture)) for leaf, place in parts
                           if isinstance(leaf, Box) and leaf.picture is not None]  # fmt: skip
        fresh = [one for _, one in eyes]
    else:
        eyes, fresh = [(place, eye.on(leaf)) for leaf, place in parts if eye.reads(leaf)], []
    module = Sighted(eyes, observations.width + beside, sizes, tanh=tanh)
    for one in (*fresh, module.dense):
        _draw(one, random)
    return Differentiable(module)


def laid_out(rows: torch.Tensor, picture: Picture) -> torch.Tensor:
    """The images in rows of numbers, shape (rows, frames, channels, height, width).

    Example:
        >>> laid_out(torch.zeros(2, 3 * 16 * 20), Picture.of((16, 20, 3))).shape
        torch.Size([2, 1, 3, 16, 20])
    """
    channels, height, width = picture.channels, picture.height, picture.width
    if picture.channels_first:
        return rows.reshape(-1, picture.frames, channels, height, width)
    return rows.reshape(-1, picture.frames, height, width, channels).permute(0, 1, 4, 2, 3)


def _draw(module: nn.Module, random: np.random.Generator) -> None:
    """The first parameters of all layers, drawn as those of `perceptron.Perceptron` are."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            for part in (layer.weight, layer.bias):
                if part is not None:
                    drawn = random.uniform(-1, 1, tuple(part.shape)) / np.sqrt(layer.weight[0].numel())
                    part.data = torch.from_numpy(drawn.astype(np.float32))
