"""Boxes at random, and targets of them."""

from __future__ import annotations

from typing import Any

import torch

from headwater.vision.detection.scenes import Target


def random_boxes(count: int, *, seed: int = 0, most: float = 90) -> torch.Tensor:
    """Boxes of at least one pixel in a square picture."""
    torch.manual_seed(seed)
    start = torch.rand(count, 2) * most / 2
    return torch.cat([start, start + 1 + torch.rand(count, 2) * (most / 2 - 1)], dim=1)


def target(places: Any, labels: list[int], proposals: Any = (), pardoned: Any = ()) -> Target:
    """What is known of a picture."""
    given = (places, proposals, pardoned)
    boxes = [torch.as_tensor(values, dtype=torch.float32).reshape(-1, 4) for values in given]
    return Target(boxes[0], torch.tensor(labels).long(), *boxes[1:])
