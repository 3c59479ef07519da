"""Batch norms (Ioffe and Szegedy 2015) where a pass has too little to tell how features are distributed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from headwater.settings import Settings
from headwater.training.device import token_budget_of

_MOST_TOKENS: Final = 16_384


def norms_of(network: nn.Module) -> list[_BatchNorm]:
    """The batch norms of a network."""
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]


@contextmanager
def settled(network: nn.Module, *, by_row: bool = False) -> Iterator[None]:
    """Within, a norm that sees one value of each channel uses what it has seen so far: one value has no distribution.

    Args:
        network: may be in training mode; what of it is not stays so.
        by_row: whether a whole row counts as one value, however many places it has.

    Example:
        >>> with settled(network := nn.BatchNorm2d(2)):
        ...     network(torch.full((1, 2, 1, 1), 3.0)).shape
        torch.Size([1, 2, 1, 1])
    """

    def settle(norm: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        maps = given[0]
        norm.train((len(maps) if by_row else maps[:, :1].numel()) > 1)

    norms = [norm for norm in norms_of(network) if norm.training]
    hooks = [norm.register_forward_pre_hook(settle) for norm in norms]
    try:
        yield
    finally:
        for norm, hook in zip(norms, hooks, strict=True):
            hook.remove()
            norm.train()


def train_unfrozen(network: nn.Module) -> None:
    """Training mode for what learns: norms of frozen layers keep the mean and the variance they were pretrained with.

    Example:
        >>> network = nn.Sequential(nn.BatchNorm2d(2).requires_grad_(False), nn.BatchNorm2d(2))
        >>> train_unfrozen(network)
        >>> [norm.training for norm in network]
        [False, True]
    """
    network.train()
    for module in network.modules():
        weights = list(module.parameters())
        if weights and not any(weight.requires_grad for weight in weights):
            module.eval()


def tokens_of_pass(settings: Settings, network: nn.Module, rows: int, patches: int) -> int:
    """The tokens of one pass where none were asked for: enough that norms see so many rows together, up to a limit.

    Args:
        settings: those of a run.
        network: is where it computes.
        rows: how many a norm wants.
        patches: the tokens of a row.

    Example:
        >>> [tokens_of_pass(Settings(), nn.Linear(2, 2), rows, 400) for rows in (2, 16, 64)]
        [1024, 6400, 16384]
    """
    return settings.token_budget or max(token_budget_of(None, network), min(rows * patches, _MOST_TOKENS))
