"""Which of all items comes next: the cross entropy over all of them, or over a sample where they are many."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

_EVEN = 0.5
"""Half of a sample is drawn by how often items occur, half evenly: neither common nor rare items go unseen."""


class ItemSoftmax(nn.Module):
    """Item vectors that are both read and predicted, a constant for each, and the loss of a prediction.

    Args:
        counts: how often each item occurs in training, shape (items,).
        width: of a vector.
        sampled: how many other items a target is compared with in training; None compares with all.

    Attributes:
        table: the vector of each item, and last that of the beginning of a history.
    """

    counts: torch.Tensor

    def __init__(self, counts: torch.Tensor, width: int, sampled: int | None) -> None:
        super().__init__()
        self.sampled = sampled
        self.table = nn.Embedding(len(counts) + 1, width)
        nn.init.normal_(self.table.weight, std=1 / math.sqrt(width))
        self.bias = nn.Parameter(torch.log1p(counts.float()) - torch.log1p(counts.float()).mean())
        self.register_buffer("counts", counts.float())

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """The logits of all items, shape (rows, items), for states of shape (rows, width)."""
        return states @ self.table.weight[:-1].T + self.bias

    def loss(self, states: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The cross entropy of each target, shape (rows,).

        Args:
            states: what the network made of what came before, shape (rows, width).
            targets: the items that came, shape (rows,).
        """
        if self.sampled is None or self.sampled >= len(self.bias):
            return functional.cross_entropy(self.logits(states).float(), targets, reduction="none")
        return self._sampled_loss(states, targets)

    def _sampled_loss(self, states: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The same against a sample that all rows share: what is drawn stands for all that could have been.

        Each item of the sample is weighed by how rarely it is drawn (Bengio and Senecal 2008), so that the sum below
        the fraction is, on average, that over all items.
        """
        chances = _EVEN * self.counts / self.counts.sum() + (1 - _EVEN) / len(self.counts)
        drawn = torch.multinomial(chances, self.sampled or 1, replacement=True)
        correction = torch.log(chances * (self.sampled or 1))
        own = (states * self.table(targets)).sum(dim=1) + self.bias[targets]
        others = states @ self.table(drawn).T + (self.bias - correction)[drawn]
        others = others.masked_fill(drawn[None, :] == targets[:, None], -math.inf)
        logits = torch.cat([own[:, None], others], dim=1).float()
        return functional.cross_entropy(logits, torch.zeros_like(targets), reduction="none")
