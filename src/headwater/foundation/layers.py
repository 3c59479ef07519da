"""The layers of a network from first to last, whoever has built it."""

from __future__ import annotations

from torch import nn


def blocks_of(network: nn.Module) -> list[nn.Module]:
    """The blocks that a network repeats, in the order in which it was built.

    A list (or a sequence) of modules of one kind, each made of others, is a part of the body; a network of several
    stages has several such lists. What lies inside a block is no block of its own.

    Example:
        >>> block = lambda: nn.TransformerEncoderLayer(8, 2, 16)
        >>> len(blocks_of(nn.Sequential(nn.Linear(8, 8), nn.ModuleList([block(), block()]), nn.Linear(8, 2))))
        2
    """
    if isinstance(network, nn.ModuleList | nn.Sequential) and _repeats(list(network)):
        return list(network)
    return [block for child in network.children() for block in blocks_of(child)]


def _repeats(modules: list[nn.Module]) -> bool:
    alike = len({type(module) for module in modules}) == 1
    return alike and all(len(list(module.children())) > 1 for module in modules)
