"""Which prediction answers for which known box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch

from headwater.vision.detection.geometry import iou, mostly_within
from headwater.vision.detection.scenes import Target

NOTHING: Final = -1
UNCLEAR: Final = -2
_TINY: Final = 1e-9


@dataclass(frozen=True)
class Padded:
    """The targets of several pictures in tensors of one shape.

    Attributes:
        places: shape (pictures, most boxes, 4).
        labels: shape (pictures, most boxes).
        known: which of them there are, true or false of the same shape.
    """

    places: torch.Tensor
    labels: torch.Tensor
    known: torch.Tensor

    @classmethod
    def of(cls, targets: Sequence[Target]) -> Padded:
        pad = torch.nn.utils.rnn.pad_sequence
        known = [torch.ones(len(target.labels), dtype=torch.bool, device=target.labels.device) for target in targets]
        places, labels = [target.places for target in targets], [target.labels for target in targets]
        return cls(*(pad(parts, batch_first=True) for parts in (places, labels, known)))


@dataclass(frozen=True)
class Assignment:
    """What each prediction of several pictures is to say.

    Attributes:
        box: the position of its known box among those of its picture, int64 of shape (pictures, predictions).
        share: 0 where it is to say nothing, else how sure it is to be of its class, shape (pictures, predictions).
    """

    box: torch.Tensor
    share: torch.Tensor


@torch.no_grad()
def task_aligned(
    sure: torch.Tensor, boxes: torch.Tensor, cells: torch.Tensor, known: Padded, most: int = 10
) -> Assignment:  # fmt: skip
    """The predictions that are best at both naming and placing a box answer for it (Feng et al., TOOD, 2021).

    A prediction is as well aligned with a known box as the root of its probability of the box's class times the sixth
    power of their IoU; in the paper, the probability itself, and the best are thirteen. Of those whose cell has its
    centre in the box, or touches the box's centre, the best few answer for it; one that answers for two keeps that
    which it overlaps more. The best of a box is to be as sure as its IoU is large, the others less in the proportion of
    their alignment.

    Args:
        sure: the probability of each class, shape (pictures, predictions, classes).
        boxes: the predicted boxes, shape (pictures, predictions, 4).
        cells: the square of the picture that each prediction stands for, shape (predictions, 4).
        known: the known boxes.
        most: how many predictions answer for a box at most.
    """
    pictures, predictions, _ = sure.shape
    if not known.known.any():
        nothing = torch.zeros(pictures, predictions, device=sure.device)
        return Assignment(nothing.long(), nothing)
    overlap = torch.stack([iou(*pair) for pair in zip(known.places, boxes, strict=True)])
    likely = sure.transpose(1, 2).gather(1, known.labels[:, :, None].expand(-1, -1, predictions))
    aligned = likely.sqrt() * overlap**6 + _TINY
    allowed = _near(cells, known.places) & known.known[:, :, None]
    aligned = torch.where(allowed, aligned, 0.0)
    least = aligned.topk(min(most, predictions), dim=2).values[:, :, -1:]
    chosen = allowed & (aligned >= least)
    box = torch.where(chosen, overlap, -1.0).argmax(dim=1)
    chosen = chosen & (torch.arange(chosen.shape[1], device=box.device)[:, None] == box[:, None])
    aligned, overlap = (torch.where(chosen, values, 0.0) for values in (aligned, overlap))
    scale = overlap.amax(dim=2, keepdim=True) / aligned.amax(dim=2, keepdim=True).clamp(min=_TINY)
    return Assignment(box, (aligned * scale).amax(dim=1))


def _near(cells: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """Whether the centre of each cell lies in each box, or the box's centre in a square of twice the cell's edge.

    Args:
        cells: shape (predictions, 4).
        boxes: shape (pictures, boxes, 4).

    Returns:
        Shape (pictures, boxes, predictions).
    """
    centre, edge = (cells[:, :2] + cells[:, 2:]) / 2, cells[:, 2:] - cells[:, :2]
    middle, half = (boxes[..., :2] + boxes[..., 2:]) / 2, (boxes[..., 2:] - boxes[..., :2]) / 2
    away = (centre - middle[:, :, None]).abs()
    return (away <= torch.maximum(half[:, :, None], edge)).all(dim=3)


@dataclass(frozen=True)
class Match:
    """Which known box each given box is of.

    Attributes:
        box: its position, int64 of shape (boxes,); `NOTHING` where it shows none, `UNCLEAR` where that is not sure.
        overlap: its IoU with the known box that it overlaps most, shape (boxes,).
    """

    box: torch.Tensor
    overlap: torch.Tensor


@torch.no_grad()
def matched(boxes: torch.Tensor, known: torch.Tensor, low: float, high: float, *, all_known: bool) -> Match:
    """Boxes matched with known boxes by their overlap.

    Args:
        boxes: shape (boxes, 4).
        known: shape (known, 4).
        low: a box whose largest IoU is below shows nothing.
        high: from here on it shows the known box that it overlaps most; between the two it is unclear.
        all_known: whether the boxes that overlap a known box most show something though it be less than enough: the
            known box that they overlap most themselves (Ren et al. 2015).

    Example:
        >>> boxes = torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 3], [0, 0, 2, 2], [8, 8, 9, 9]])
        >>> matched(boxes, boxes[:1], 0.3, 0.7, all_known=False).box.tolist()
        [0, 0, -1, -1]
    """
    if not len(known):
        nothing = torch.zeros(len(boxes), device=boxes.device)
        return Match(nothing.long() + NOTHING, nothing)
    overlaps = iou(boxes, known)
    overlap, nearest = overlaps.max(dim=1)
    box = torch.where(overlap >= high, nearest, torch.where(overlap >= low, UNCLEAR, NOTHING))
    if all_known:
        most = overlaps.amax(dim=0)
        best = ((overlaps == most) & (most > 0)).any(dim=1)
        box = torch.where(best, nearest, box)
    return Match(box, overlap)


def excused(found: Match, boxes: torch.Tensor, pardoned: torch.Tensor) -> Match:
    """The same, where it is not sure that a box shows nothing: half of it or more lies in one that need not be found.

    Args:
        found: what `matched` said.
        boxes: shape (boxes, 4).
        pardoned: shape (pardoned, 4).

    Example:
        >>> boxes, none = torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 9]]), torch.empty(0, 4)
        >>> excused(matched(boxes, none, 0.3, 0.7, all_known=False), boxes, boxes[:1]).box.tolist()
        [-2, -1]
    """
    if not len(pardoned):
        return found
    spared = (found.box == NOTHING) & mostly_within(boxes, pardoned)
    return Match(found.box.masked_fill(spared, UNCLEAR), found.overlap)


def drawn(box: torch.Tensor, most: int, share: float) -> tuple[torch.Tensor, torch.Tensor]:
    """A random sample of matched boxes that show something, and of those that show nothing.

    Args:
        box: `Match.box`.
        most: how many of both together.
        share: how many of them show something at most.

    Returns:
        Positions of the ones and of the others.
    """
    found, empty = (torch.nonzero(which)[:, 0] for which in (box >= 0, box == NOTHING))
    found = _some(found, round(most * share))
    return found, _some(empty, most - len(found))


def _some(positions: torch.Tensor, most: int) -> torch.Tensor:
    return positions[torch.randperm(len(positions))[:most].to(positions.device)]
