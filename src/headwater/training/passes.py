"""Rows through a network that does not learn, in passes that fit into the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
from torch import nn

from headwater.training.batching import by_length, micro_batches
from headwater.training.device import token_budget_of
from headwater.training.memory import is_out_of_memory, smaller_budget

Found = TypeVar("Found")


def in_passes(
    network: nn.Module,
    lengths: np.ndarray,
    token_budget: int | None,
    forward: Callable[[np.ndarray], Found],
    ahead: Callable[[np.ndarray], object] | None = None,
) -> Iterator[tuple[np.ndarray, Found]]:
    """Sends rows through a network, longest first; after a pass that does not fit, in smaller ones.

    Args:
        network: tells which device the passes must suit.
        lengths: the tokens of each row, shape (rows,).
        token_budget: the most tokens of a pass; None takes what suits the device.
        forward: what becomes of the rows at these positions.
        ahead: is told, before each pass, the rows of this one and of the next.

    Returns:
        The positions of the rows of each pass, and what `forward` gave.

    Raises:
        ResourceError: one row alone does not fit into the memory.

    Example:
        >>> passes = in_passes(nn.Linear(2, 2), np.array([2, 9, 3, 4]), 9, lambda rows: rows.sum())
        >>> [(rows.tolist(), int(found)) for rows, found in passes]
        [([1], 1), ([3, 2], 5), ([0], 0)]
    """
    budget = token_budget_of(token_budget, network)
    pending = by_length(lengths, budget)
    while pending:
        try:
            if ahead is not None:
                ahead(np.concatenate(pending[:2]))
            found = forward(pending[0])
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            left = np.concatenate(pending)
            budget = smaller_budget(pending[0], lengths, budget)
            pending = micro_batches(left, lengths, budget)
        else:
            yield pending.pop(0), found
