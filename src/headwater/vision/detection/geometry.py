"""The geometry of boxes: how far two of them agree, one told by another, and the best of many that say the same.

Boxes are left, top, right and bottom in pixels, in the last dimension of a tensor.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torchvision.ops import batched_nms

_TINY: Final = 1e-7
_MOST_GROWTH: Final = math.log(1000 / 16)
"""The largest logarithm of a growth that is believed: beyond, an untrained network overflows."""


def areas(boxes: torch.Tensor) -> torch.Tensor:
    """Square pixels of each box of shape (..., 4), shape (...)."""
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def iou(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """What each pair of boxes shares of what the two cover together.

    Args:
        first: shape (n, 4).
        second: shape (m, 4).

    Returns:
        0 to 1, shape (n, m).

    Example:
        >>> iou(torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[1.0, 0, 3, 2], [2, 2, 3, 3]])).tolist()
        [[0.3333333432674408, 0.0]]
    """
    return _shared(first[:, None], second[None])[0]


def mostly_within(boxes: torch.Tensor, others: torch.Tensor, share: float = 0.5) -> torch.Tensor:
    """Whether so much of each box, or more, lies in one of some others.

    Args:
        boxes: shape (n, 4).
        others: shape (m, 4).
        share: of the area of the box.

    Returns:
        True or false, shape (n,).

    Example:
        >>> mostly_within(torch.tensor([[0.0, 0, 4, 4], [0, 0, 8, 4]]), torch.tensor([[2.0, 0, 9, 9]])).tolist()
        [True, True]
        >>> mostly_within(torch.tensor([[0.0, 0, 4, 4]]), torch.tensor([[3.0, 0, 9, 9], [0, 3, 9, 9]])).tolist()
        [False]
    """
    common = _common(boxes[:, None], others[None])
    return (common >= share * areas(boxes)[:, None].clamp(min=_TINY)).any(dim=1)


def giou(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """IoU less the share of the smallest common frame that neither box covers (Rezatofighi et al. 2019).

    Args:
        first: shape (..., 4).
        second: the boxes to compare with, one for one.

    Returns:
        -1 to 1, shape (...).
    """
    shared, union = _shared(first, second)
    low, high = torch.minimum(first[..., :2], second[..., :2]), torch.maximum(first[..., 2:], second[..., 2:])
    frame = (high - low).prod(dim=-1)
    return shared - (frame - union) / frame.clamp(min=_TINY)


def ciou(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """IoU less the distance of the centres and the difference of the shapes (Zheng et al., Distance-IoU loss, 2020).

    Args:
        first: shape (..., 4).
        second: the boxes to compare with, one for one.

    Returns:
        1 at most, shape (...). The weight of the shapes passes no gradient, as in the paper.
    """
    shared, _ = _shared(first, second)
    low, high = torch.minimum(first[..., :2], second[..., :2]), torch.maximum(first[..., 2:], second[..., 2:])
    diagonal = (high - low).square().sum(dim=-1).clamp(min=_TINY)
    apart = (first[..., :2] + first[..., 2:] - second[..., :2] - second[..., 2:]).square().sum(dim=-1) / 4
    shape = (4 / math.pi**2) * (_slant(second) - _slant(first)).square()
    with torch.no_grad():
        weight = shape / (1 - shared + shape).clamp(min=_TINY)
    return shared - apart / diagonal - weight * shape


def encode(boxes: torch.Tensor, anchors: torch.Tensor, weights: tuple[float, float]) -> torch.Tensor:
    """Boxes as how far their centres lie from those of anchors, in sizes of these, and the logarithm of their growth.

    Args:
        boxes: shape (n, 4).
        anchors: the boxes that they are told by, one for one; each with an area.
        weights: what places and growths are multiplied by, so that their spread is about one.

    Returns:
        Shape (n, 4): across, down, wider, higher (Girshick et al. 2014).
    """
    size, start = anchors[:, 2:] - anchors[:, :2], anchors[:, :2]
    grown = (boxes[:, 2:] - boxes[:, :2]).clamp(min=_TINY)
    moved = (boxes[:, :2] + grown / 2 - start - size / 2) / size
    return torch.cat([weights[0] * moved, weights[1] * (grown / size).log()], dim=1)


def decode(told: torch.Tensor, anchors: torch.Tensor, weights: tuple[float, float]) -> torch.Tensor:
    """The boxes that `encode` told so, shape (n, 4).

    Example:
        >>> anchors, boxes = torch.tensor([[0.0, 0, 4, 4]]), torch.tensor([[1.0, 1, 3, 5]])
        >>> decode(encode(boxes, anchors, (10.0, 5.0)), anchors, (10.0, 5.0)).tolist()
        [[1.0, 1.0, 3.0, 5.0]]
    """
    size = anchors[..., 2:] - anchors[..., :2]
    centre = anchors[..., :2] + size / 2 + size * told[..., :2] / weights[0]
    half = size * (told[..., 2:] / weights[1]).clamp(max=_MOST_GROWTH).exp() / 2
    return torch.cat([centre - half, centre + half], dim=-1)


def clipped(boxes: torch.Tensor, height: float, width: float) -> torch.Tensor:
    """The part of each box of shape (..., 4) that lies within a picture."""
    most = torch.tensor([width, height, width, height], dtype=boxes.dtype, device=boxes.device)
    return torch.minimum(boxes.clamp(min=0), most)


def best(
    boxes: torch.Tensor, scores: torch.Tensor, labels: torch.Tensor, overlap: float, most: int
) -> torch.Tensor:  # fmt: skip
    """Greedy suppression: of boxes of one class that overlap, the surest.

    Args:
        boxes: shape (n, 4).
        scores: shape (n,).
        labels: boxes of different labels leave each other alone, shape (n,).
        overlap: the IoU above which two say the same.
        most: how many are kept at most.

    Returns:
        Positions, the surest first.

    Example:
        >>> boxes = torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 5], [0, 0, 4, 5]])
        >>> best(boxes, torch.tensor([0.9, 0.8, 0.7]), torch.tensor([0, 0, 1]), overlap=0.5, most=9).tolist()
        [0, 2]
    """
    return batched_nms(boxes.float(), scores.float(), labels, overlap)[:most]


def _shared(first: torch.Tensor, second: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """IoU, and the area that the two cover together, of boxes that broadcast."""
    common = _common(first, second)
    union = areas(first) + areas(second) - common
    return common / union.clamp(min=_TINY), union


def _common(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """The area that is of both, of boxes that broadcast."""
    low, high = torch.maximum(first[..., :2], second[..., :2]), torch.minimum(first[..., 2:], second[..., 2:])
    return (high - low).clamp(min=0).prod(dim=-1)


def _slant(boxes: torch.Tensor) -> torch.Tensor:
    """The angle of each box's diagonal."""
    size = (boxes[..., 2:] - boxes[..., :2]).clamp(min=_TINY)
    return torch.atan2(size[..., 0], size[..., 1])
