"""RandAugment (Cubuk et al. 2020): a few operations out of fourteen, each as strong as all the others.

Every picture of a batch has its own operations. They work on pictures from 0 to 1, of shape (rows, channels, side,
side), and each is given a number a row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch.nn import functional

from headwater.data.shades import LUMA

_LEVELS: Final = 255
_FILL: Final = 0.5
"""The shade of what comes in from outside of a picture, as in the paper."""
_MOST: Final = {"colour": 0.9, "shear": 0.3, "shift": 150 / 331, "degrees": 30.0, "bits": 4.0}
"""What an operation does at full strength; the paper's networks were mostly trained at a third of it."""


def operated(pictures: torch.Tensor, count: int, strength: float) -> torch.Tensor:
    """Pictures after some operations each, one after the other; an operation may come twice.

    Args:
        pictures: from 0 to 1, shape (rows, channels, side, side).
        count: how many operations.
        strength: from 0, which changes next to nothing, to 1. To which side a picture turns, and whether it becomes
            brighter or darker, is drawn.

    Example:
        >>> pictures = torch.linspace(0, 1, 64).reshape(1, 1, 8, 8).repeat(4, 3, 1, 1)
        >>> operated(pictures, 2, 0.3).shape
        torch.Size([4, 3, 8, 8])
    """
    for _ in range(count):
        chosen = torch.randint(len(OPERATIONS), (len(pictures),))
        amounts = strength * (2.0 * torch.randint(2, (len(pictures),)) - 1)
        found = pictures.clone()
        for place, operation in enumerate(OPERATIONS.values()):
            rows = torch.nonzero(chosen == place)[:, 0]
            if len(rows):
                amount = amounts[rows].to(pictures.device)
                rows = rows.to(pictures.device)
                found[rows] = operation(pictures[rows], amount)
        pictures = found
    return pictures.contiguous(memory_format=torch.channels_last)


def brightened(pictures: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """Each picture times its factor."""
    return (pictures * _wide(factor)).clamp(0, 1)


def contrasted(pictures: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """Each picture's distance from its mean grey, times its factor."""
    return _from(grey_of(pictures).mean(dim=(1, 2, 3), keepdim=True), pictures, factor)


def saturated(pictures: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """Each pixel's distance from its own grey, times the picture's factor."""
    return _from(grey_of(pictures), pictures, factor)


def sharpened(pictures: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """Each pixel's distance from what it is when smoothed, times the picture's factor; the outermost pixels stay."""
    if pictures.shape[3] < 3:
        return pictures
    smooth = pictures.clone()
    inner = pictures[:, :, 1:-1, 1:-1]
    smooth[:, :, 1:-1, 1:-1] = (9 * functional.avg_pool2d(pictures, 3, 1) + 4 * inner) / 13
    return _from(smooth, pictures, factor)


def posterised(pictures: torch.Tensor, bits: torch.Tensor) -> torch.Tensor:
    """As many shades as a number of so many bits tells apart."""
    levels = _wide(2.0 ** bits.round())
    return (pictures * levels).floor().clamp(max=levels - 1) / levels


def solarised(pictures: torch.Tensor, threshold: torch.Tensor) -> torch.Tensor:
    """The negative of what is at least as bright as a threshold."""
    return torch.where(pictures >= _wide(threshold), 1 - pictures, pictures)


def stretched(pictures: torch.Tensor) -> torch.Tensor:
    """Each channel so that its darkest pixel is black and its brightest is white; one of a single shade stays."""
    least, most = pictures.amin(dim=(2, 3), keepdim=True), pictures.amax(dim=(2, 3), keepdim=True)
    span = most - least
    return torch.where(span > 0, (pictures - least) / span.clamp(min=1e-12), pictures)


def equalised(pictures: torch.Tensor) -> torch.Tensor:
    """Each channel so that its 256 shades are about equally frequent."""
    shades = (pictures * _LEVELS).round().clamp(0, _LEVELS).long().flatten(2)
    counts = torch.zeros(*shades.shape[:2], _LEVELS + 1, device=shades.device, dtype=torch.long)
    counts.scatter_add_(2, shades, torch.ones_like(shades))
    below = counts.cumsum(2) - counts
    # How many pixels a step of the new shades is: of all but those of the brightest shade.
    step = (below * (counts > 0)).amax(dim=2, keepdim=True) // _LEVELS
    new = ((below + step // 2) // step.clamp(min=1)).clamp(max=_LEVELS)
    found = torch.where(step > 0, new.gather(2, shades), shades)
    return (found.to(pictures.dtype) / _LEVELS).view(pictures.shape)


def turned(pictures: torch.Tensor, degrees: torch.Tensor, fill: float = _FILL) -> torch.Tensor:
    """Each picture turned about its middle, to the left where degrees are positive."""
    angle = torch.deg2rad(degrees)
    cosine, sine = angle.cos(), angle.sin()
    return _moved(pictures, torch.stack([cosine, -sine, 0 * sine, sine, cosine, 0 * sine]), fill)


def sheared(
    pictures: torch.Tensor, across: torch.Tensor, down: torch.Tensor, fill: float = _FILL
) -> torch.Tensor:  # fmt: skip
    """Each picture slanted about its middle, along its lines or along its columns.

    Args:
        pictures: shape (rows, channels, side, side).
        across: how far lines move to the left, for each line further down.
        down: how far columns move up, for each column further right; one of both is 0.
        fill: the shade of what comes in.
    """
    one, none = torch.ones_like(across), torch.zeros_like(across)
    return _moved(pictures, torch.stack([one, across, none, down, one, none]), fill)


def shifted(
    pictures: torch.Tensor, across: torch.Tensor, down: torch.Tensor, fill: float = _FILL
) -> torch.Tensor:  # fmt: skip
    """Each picture moved to the right and down, by shares of its edge."""
    one, none = torch.ones_like(across), torch.zeros_like(across)
    return _moved(pictures, torch.stack([one, none, -2 * across, none, one, -2 * down]), fill)


def _factor(amount: torch.Tensor) -> torch.Tensor:
    return 1 + _MOST["colour"] * amount


OPERATIONS: Final[dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]]] = {
    "identity": lambda pictures, _: pictures,
    "autocontrast": lambda pictures, _: stretched(pictures),
    "equalize": lambda pictures, _: equalised(pictures),
    "rotate": lambda pictures, amount: turned(pictures, _MOST["degrees"] * amount),
    "solarize": lambda pictures, amount: solarised(pictures, 1 - amount.abs()),
    "color": lambda pictures, amount: saturated(pictures, _factor(amount)),
    "posterize": lambda pictures, amount: posterised(pictures, 8 - _MOST["bits"] * amount.abs()),
    "contrast": lambda pictures, amount: contrasted(pictures, _factor(amount)),
    "brightness": lambda pictures, amount: brightened(pictures, _factor(amount)),
    "sharpness": lambda pictures, amount: sharpened(pictures, _factor(amount)),
    "shear-x": lambda pictures, amount: sheared(pictures, _MOST["shear"] * amount, 0 * amount),
    "shear-y": lambda pictures, amount: sheared(pictures, 0 * amount, _MOST["shear"] * amount),
    "translate-x": lambda pictures, amount: shifted(pictures, _MOST["shift"] * amount, 0 * amount),
    "translate-y": lambda pictures, amount: shifted(pictures, 0 * amount, _MOST["shift"] * amount),
}
"""The operations of the paper by its names: of pictures, and of a strength from -1 to 1 for each."""


def _wide(numbers: torch.Tensor) -> torch.Tensor:
    return numbers[:, None, None, None]


def _from(other: torch.Tensor, pictures: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    return torch.lerp(other.expand_as(pictures), pictures, _wide(factor)).clamp(0, 1)


def grey_of(pictures: torch.Tensor) -> torch.Tensor:
    """How bright pictures are, shape (rows, 1, height, width); those without colours as they are."""
    if pictures.shape[1] == 1:
        return pictures
    red, green, blue = pictures.split(1, dim=1)
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


def _moved(pictures: torch.Tensor, numbers: torch.Tensor, fill: float) -> torch.Tensor:
    """Resampled where six numbers a row say: of each place from -1 to 1 the old x by three of them, the old y by three.

    A grid of our own, since that of `affine_grid` is a product of matrices, which a training in half precision rounds.
    """
    side = pictures.shape[3]
    places = (2 * torch.arange(side, device=pictures.device) + 1) / side - 1
    x, y = places[None, None, :], places[None, :, None]
    xx, xy, x0, yx, yy, y0 = numbers[:, :, None, None]
    grid = torch.stack([xx * x + xy * y + x0, yx * x + yy * y + y0], dim=3)
    return functional.grid_sample(pictures - fill, grid, padding_mode="zeros", align_corners=False) + fill
