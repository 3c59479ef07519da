"""Random alterations of training pictures, anew in every step, of a whole batch at once.

Every picture has draws of its own. They come from torch's own random numbers, on the processor, so that one seed gives
the same alterations on every device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch.nn import functional

from headwater.vision.operations import grey_of, operated

_TINY: Final = 64
_MANY: Final = 50_000
_ASPECT: Final = 4 / 3
"""How much wider than high a crop is at most, and how much higher than wide."""
_ERASED: Final = (0.05, 0.25)
"""The share of a picture's area that a rectangle takes away."""
_MIXUP_ALPHA: Final = 0.2


@dataclass(frozen=True, kw_only=True)
class Preset:
    """What is done to training pictures.

    Attributes:
        shift: how far a picture moves at most, as a share of its edge; what comes in is its own reflection.
        mirror: whether half of the pictures are mirrored, left for right.
        crop: the least share of its area that is cut out and enlarged; 1 cuts nothing.
        rotation: how many degrees a picture turns at most, to either side.
        colour: how much brightness, contrast and saturation change at most, as a share.
        operations: how many operations of RandAugment each picture undergoes.
        strength: how strong each of them is, from 0 to 1.
        erase: the share of pictures that lose a rectangle.
        mix: the share of batches whose pictures are mixed with one another, by mixup or by CutMix.
    """

    shift: float = 0.0
    mirror: bool = False
    crop: float = 1.0
    rotation: float = 0.0
    colour: float = 0.0
    operations: int = 0
    strength: float = 0.0
    erase: float = 0.0
    mix: float = 0.0


PRESETS: Final = {
    "none": Preset(),
    "light": Preset(shift=1 / 8, mirror=True),
    "standard": Preset(crop=0.35, mirror=True, colour=0.3),
    "strong": Preset(crop=0.35, mirror=True, operations=2, strength=0.3, erase=0.25, mix=0.5),
}


def preset_of(name: str, side: int, *, grey: bool, rows: int) -> Preset:
    """The preset of a name; of `auto` the one that suits the pictures.

    Grey pictures are digits and scans more often than photographs: they are never mirrored. Small ones in colour show
    one thing that fills them: a crop would lose it. Many rows teach by themselves what a rectangle less would.

    Args:
        name: one of the presets, or `auto`.
        side: pixels along each edge.
        grey: whether the pictures have no colour.
        rows: how many there are.

    Example:
        >>> preset_of("auto", 32, grey=True, rows=1000).mirror, preset_of("auto", 224, grey=False, rows=1000).crop
        (False, 0.35)
    """
    if name != "auto":
        return PRESETS[name]
    if grey:
        return replace(PRESETS["light"], mirror=False)
    erase = 0.0 if rows >= _MANY else 0.5 if side <= _TINY else 0.25
    return replace(PRESETS["light" if side <= _TINY else "standard"], erase=erase)


def altered(pictures: torch.Tensor, preset: Preset) -> torch.Tensor:
    """Pictures as a training step sees them.

    Args:
        pictures: uint8 of shape (rows, channels, side, side).
        preset: what is done to them.

    Returns:
        float32 from 0 to 1 of the same shape, with the channels last in memory.

    Example:
        >>> pictures = torch.full((2, 3, 8, 8), 255, dtype=torch.uint8)
        >>> altered(pictures, PRESETS["standard"]).shape, altered(pictures, PRESETS["none"]).min().item()
        (torch.Size([2, 3, 8, 8]), 1.0)
    """
    if preset.crop < 1 or preset.rotation:
        found = _warped(unit(pictures), preset)
    elif preset.shift or preset.mirror:
        found = unit(_moved(pictures, preset))
    else:
        found = unit(pictures)
    if preset.colour:
        found = coloured(found, preset.colour)
    if preset.operations:
        found = operated(found, preset.operations, preset.strength)
    return _erased(found, preset.erase) if preset.erase else found


def unit(pictures: torch.Tensor) -> torch.Tensor:
    """Pixels of 0 to 255 as float32 from 0 to 1, with the channels last in memory, as convolutions like them."""
    return pictures.contiguous(memory_format=torch.channels_last).float() / 255


@dataclass(frozen=True)
class Mixed:
    """Pictures that are mixed with one another.

    Attributes:
        pictures: shape (rows, channels, side, side).
        partner: the position of the row that each was mixed with, shape (rows,).
        share: how much of each is still its own, shape (rows,).
    """

    pictures: torch.Tensor
    partner: torch.Tensor
    share: torch.Tensor


def mixup(pictures: torch.Tensor) -> Mixed:
    """The weighted mean of each picture and another of its batch (Zhang et al. 2018)."""
    rows, device = len(pictures), pictures.device
    partner = torch.randperm(rows).to(device)
    share = torch.distributions.Beta(_MIXUP_ALPHA, _MIXUP_ALPHA).sample((rows,)).to(device)
    return Mixed(torch.lerp(pictures[partner], pictures, share[:, None, None, None]), partner, share)


def cutmix(pictures: torch.Tensor) -> Mixed:
    """Each picture with a rectangle of another of its batch (Yun et al. 2019); the share is that of the pixels."""
    rows, device = len(pictures), pictures.device
    partner = torch.randperm(rows).to(device)
    taken = _rectangles(pictures, torch.rand(rows), torch.ones(rows))
    share = 1 - taken.float().mean(dim=(1, 2, 3))
    return Mixed(torch.where(taken, pictures[partner], pictures), partner, share)


def mixed(pictures: torch.Tensor, preset: Preset) -> Mixed | None:
    """Mixup or CutMix, as often the one as the other; None for a batch that stays as it is."""
    if not preset.mix or len(pictures) < 2 or float(torch.rand(())) >= preset.mix:
        return None
    return mixup(pictures) if float(torch.rand(())) < 0.5 else cutmix(pictures)


def _between(low: float, high: float, rows: int) -> torch.Tensor:
    """A number of its own for each row, shape (rows,)."""
    return torch.empty(rows).uniform_(low, high)


def _moved(pictures: torch.Tensor, preset: Preset) -> torch.Tensor:
    """Whole pixels up or down and to the side, and mirrored: no pixel is blended with another."""
    rows, _, side, _ = pictures.shape
    far = round(preset.shift * side)
    places = torch.arange(side)
    down, across = (_reflected(places + torch.randint(-far, far + 1, (rows, 1)), side) for _ in range(2))
    if preset.mirror:
        across = torch.where(torch.rand(rows, 1) < 0.5, side - 1 - across, across)
    down, across = down.to(pictures.device), across.to(pictures.device)
    row = torch.arange(rows, device=pictures.device)[:, None, None]
    return pictures.permute(0, 2, 3, 1)[row, down[:, :, None], across[:, None, :]].permute(0, 3, 1, 2)


def _reflected(places: torch.Tensor, side: int) -> torch.Tensor:
    """Places outside of a picture as those inside that mirror them."""
    return (side - 1) - ((side - 1) - places.abs()).abs()


def _warped(pictures: torch.Tensor, preset: Preset) -> torch.Tensor:
    """Crop, enlargement, mirror, rotation and shift in one resampling (the crop is that of Szegedy et al. 2015).

    A grid of our own, since that of `affine_grid` is a product of matrices, which a training in half precision rounds.
    """
    rows, _, side, _ = pictures.shape
    area = _between(preset.crop, 1, rows)
    # No wider or higher than the picture: a crop of nearly all of it is nearly square.
    aspect = _between(-1, 1, rows) * (-area.log()).clamp(max=math.log(_ASPECT))
    wide, high = ((area * (sign * aspect).exp()).sqrt() for sign in (1, -1))
    left, down = (
        (1 - size) * _between(-1, 1, rows) + 2 * preset.shift * _between(-1, 1, rows) for size in (wide, high)
    )
    if preset.mirror:
        wide = torch.where(torch.rand(rows) < 0.5, -wide, wide)
    turn = torch.deg2rad(preset.rotation * _between(-1, 1, rows))
    cosine, sine = turn.cos(), turn.sin()
    numbers = torch.stack([wide * cosine, -high * sine, left, wide * sine, high * cosine, down])
    xx, xy, x0, yx, yy, y0 = numbers.to(pictures.device)[:, :, None, None]
    places = (2 * torch.arange(side, device=pictures.device) + 1) / side - 1
    x, y = places[None, None, :], places[None, :, None]
    grid = torch.stack([xx * x + xy * y + x0, yx * x + yy * y + y0], dim=3)
    found = functional.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)
    return found.contiguous(memory_format=torch.channels_last)


def coloured(pictures: torch.Tensor, most: float) -> torch.Tensor:
    """Brightness, contrast about the picture's mean, and saturation about its grey, each times a factor around 1.

    Args:
        pictures: from 0 to 1, shape (rows, channels, height, width).
        most: how far a factor lies from 1 at most.
    """
    rows, channels = pictures.shape[:2]
    factors = 1 + most * _between(-1, 1, 3 * rows).reshape(3, rows, 1, 1, 1)
    brightness, contrast, saturation = factors.to(pictures.device)
    if channels == 3:
        pictures = torch.lerp(grey_of(pictures), pictures, saturation)
    mean = pictures.mean(dim=(1, 2, 3), keepdim=True)
    return (torch.lerp(mean, pictures, contrast) * brightness).clamp(0, 1)


def _erased(pictures: torch.Tensor, often: float) -> torch.Tensor:
    """A rectangle of some pictures filled with their mean colour (DeVries and Taylor 2017; Zhong et al. 2020)."""
    rows = len(pictures)
    area = torch.where(torch.rand(rows) < often, _between(*_ERASED, rows), 0.0)
    gone = _rectangles(pictures, area, (_between(-1, 1, rows) * math.log(2)).exp())
    return torch.where(gone, pictures.mean(dim=(2, 3), keepdim=True), pictures)


def _rectangles(pictures: torch.Tensor, area: torch.Tensor, aspect: torch.Tensor) -> torch.Tensor:
    """Which pixels lie in a rectangle somewhere in each picture, true or false of shape (rows, 1, side, side).

    Args:
        pictures: shape (rows, channels, side, side).
        area: the share of each picture that its rectangle covers, shape (rows,).
        aspect: its width over its height, shape (rows,).
    """
    rows, side = len(pictures), pictures.shape[3]
    places = torch.arange(side)
    inside = []
    for ratio in (1 / aspect, aspect):
        size = (side * (area * ratio).sqrt()).round().clamp(max=side)
        start = (torch.rand(rows) * (side - size + 1)).floor()
        inside.append((places >= start[:, None]) & (places < (start + size)[:, None]))
    down, across = inside
    return (down[:, None, :, None] & across[:, None, None, :]).to(pictures.device)
