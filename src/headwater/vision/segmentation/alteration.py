"""Random alterations of training pictures, anew in every step, in which masks move with the pixels.

One resampling does it all: a piece of the canvas is cut out, enlarged or reduced, turned, mirrored and bent. A pixel of
a picture is blended of its neighbours, one of a mask is its nearest; what lies outside is void.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import torch
from torch.nn import functional

from headwater.vision.augmentation import coloured, unit
from headwater.vision.segmentation.canvas import EMPTY

_FEW: Final = 100
_BENDS: Final = 3
"""Displacements are drawn on a grid of so many places in a row, as the paper has it."""


@dataclass(frozen=True, kw_only=True)
class Alteration:
    """What is done to training pictures and their masks.

    Attributes:
        zoom: how many times a picture is enlarged at most, and how many times reduced.
        mirror: whether half of the pictures are mirrored, left for right.
        around: whether they are also mirrored upside down and turned by quarters: such as have no up or down.
        rotation: how many degrees a picture turns at most, to either side.
        colour: how much brightness, contrast and saturation change at most, as a share.
        bend: how far pixels are displaced, smoothly and each way, as a share of the edge: a standard deviation
            (elastic deformation; Simard et al. 2003, Ronneberger et al. 2015).
    """

    zoom: float = 1.0
    mirror: bool = False
    around: bool = False
    rotation: float = 0.0
    colour: float = 0.0
    bend: float = 0.0


ALTERATIONS: Final = {
    "none": Alteration(),
    "light": Alteration(zoom=1.15, mirror=True),
    "standard": Alteration(zoom=1.4, mirror=True, rotation=5.0, colour=0.2),
    "strong": Alteration(zoom=1.7, mirror=True, rotation=15.0, colour=0.4, bend=0.02),
}


def alteration_of(name: str, *, rows: int, tiles: bool) -> Alteration:
    """The alteration of a name; `auto` bends few pictures.

    Pictures that are cut into tiles are turned all around, since they have no up or down, and zoomed by a third of what
    others are, since what they show has mostly one size.

    Example:
        >>> alteration_of("auto", rows=24, tiles=True).around, alteration_of("auto", rows=367, tiles=False).bend
        (True, 0.0)
    """
    if name == "auto":
        name = "strong" if rows < _FEW else "standard"
    found = ALTERATIONS[name]
    return replace(found, around=found.mirror, zoom=found.zoom ** (1 / 3)) if tiles else found


def altered(
    pictures: torch.Tensor, masks: torch.Tensor, given: Alteration, size: tuple[int, int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures and masks as a training step sees them.

    Args:
        pictures: uint8 of shape (rows, channels, height, width).
        masks: uint8 of shape (rows, height, width), 255 for void.
        given: what is done to them.
        size: height and width of what the step sees; smaller than the canvas, it lies anywhere in it.

    Returns:
        Pictures, float32 from 0 to 1 of shape (rows, channels, *size), and masks, int64 of shape (rows, *size).

    Example:
        >>> pictures, masks = torch.zeros(2, 3, 8, 8, dtype=torch.uint8), torch.ones(2, 8, 8, dtype=torch.uint8)
        >>> seen, known = altered(pictures, masks, ALTERATIONS["light"], (4, 4))
        >>> seen.shape, known.shape
        (torch.Size([2, 3, 4, 4]), torch.Size([2, 4, 4]))
    """
    if given == Alteration() and size == tuple(pictures.shape[2:]):
        return unit(pictures), masks.long()
    grid = _grid(len(pictures), tuple(pictures.shape[2:]), size, given).to(pictures.device)
    seen = functional.grid_sample(unit(pictures), grid, padding_mode="reflection", align_corners=False)
    # What lies outside is sampled as nothing: void is made nothing, and back again.
    shifted = masks[:, None].float() - EMPTY
    known = functional.grid_sample(shifted, grid, mode="nearest", align_corners=False)[:, 0] + EMPTY
    seen = coloured(seen, given.colour) if given.colour else seen
    return seen.contiguous(memory_format=torch.channels_last), known.round().long()


def _grid(rows: int, whole: tuple[int, ...], size: tuple[int, int], given: Alteration) -> torch.Tensor:
    """Where each pixel of what is seen comes from, float32 of shape (rows, *size, 2), -1 to 1 over the canvas."""
    high, wide = size
    scale = _power(rows, given.zoom)
    angle = torch.deg2rad(given.rotation * _between(-1, 1, rows))
    if given.around:
        angle = angle + torch.pi / 2 * torch.randint(0, 4, (rows,))
    cosine, sine = angle.cos() / scale, angle.sin() / scale
    flip = torch.where(torch.rand(rows) < 0.5 * given.mirror, -1.0, 1.0)
    # How far the middle may lie from that of the canvas, where what is seen is smaller than it.
    free = [(length - part / scale).abs() / 2 for length, part in zip(whole, size, strict=True)]
    middle = [_between(-1, 1, rows) * room for room in free]
    down, across = torch.arange(high) - (high - 1) / 2, torch.arange(wide) - (wide - 1) / 2
    y, x = down[None, :, None].expand(rows, high, wide), across[None, None, :] * flip[:, None, None]
    if given.bend:
        bends = given.bend * high * torch.randn(rows, 2, _BENDS, _BENDS)
        bent = functional.interpolate(bends, size=size, mode="bicubic", align_corners=True)
        y, x = y + bent[:, 0], x + bent[:, 1]
    cosine, sine = cosine[:, None, None], sine[:, None, None]
    from_top = sine * x + cosine * y + middle[0][:, None, None]
    from_left = cosine * x - sine * y + middle[1][:, None, None]
    return torch.stack([from_left * 2 / whole[1], from_top * 2 / whole[0]], dim=3)


def _power(rows: int, most: float) -> torch.Tensor:
    """A factor for each row, as often above 1 as below, shape (rows,)."""
    return most ** _between(-1, 1, rows)


def _between(low: float, high: float, rows: int) -> torch.Tensor:
    return torch.empty(rows).uniform_(low, high)
