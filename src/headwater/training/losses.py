"""Losses summed over rows, so that the passes of a step add up to the loss of the whole step."""

from __future__ import annotations

import torch
from torch.nn import functional


def classification_loss(
    logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None, *, several: bool
) -> torch.Tensor:
    """The weighted loss of rows, summed.

    Args:
        logits: unnormalised scores of shape (rows, classes).
        targets: class positions of shape (rows,), or zeros and ones of shape (rows, classes) where `several`.
        weights: the weight of each row, shape (rows,); None weighs all alike.
        several: whether a row may have several labels: then the binary cross entropy, averaged over the classes,
            takes the place of the cross entropy.

    Returns:
        A scalar in single precision, whatever the precision of the logits.

    Example:
        >>> logits, targets = torch.zeros(3, 2), torch.tensor([0, 1, 1])
        >>> round(classification_loss(logits, targets, None, several=False).item(), 4)  # 3 * log 2
        2.0794
    """
    scores = logits.float()
    if several:
        losses = functional.binary_cross_entropy_with_logits(scores, targets.float(), reduction="none").mean(dim=1)
    else:
        losses = functional.cross_entropy(scores, targets, reduction="none")
    return losses.sum() if weights is None else (losses * weights).sum()
