"""Embedding tables that hold, while they are trained, only the rows that occur in the data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn


@contextmanager
def compact(table: nn.Embedding, used: np.ndarray) -> Iterator[None]:
    """Shrinks a table to the rows of the ids in use; gives back the whole, with what they learned, at the end.

    The result is that of training the whole table, as long as the table has no weight decay: the gradient of a row
    that never occurs is zero, and Adam leaves it where it is. But gradient, both moments, clipping and checkpoints now
    cost what the data's vocabulary costs: for a few thousand short texts, a fifth of the foundation's.

    A table that is frozen is left as it is. Callers must not compact a table whose weight another module shares.

    Args:
        table: the embedding; its forward accepts the same ids as before.
        used: every id that a pass will read until the end, in any order: those of validation rows too, and the one
            that pads, unless it is the table's `padding_idx`.

    Example:
        >>> table = nn.Embedding(1000, 2)
        >>> with compact(table, np.array([7, 900])):
        ...     tuple(table.weight.shape), tuple(table(torch.tensor([[900, 7, 7]])).shape)
        ((2, 2), (1, 3, 2))
        >>> tuple(table.weight.shape)
        (1000, 2)
    """
    if not table.weight.requires_grad:
        yield
        return
    whole, padding = table.weight, table.padding_idx
    always = [] if padding is None else [padding]
    ids = torch.from_numpy(np.union1d(used, always).astype(np.int64)).to(whole.device)
    place = torch.full((len(whole),), -1, dtype=torch.int64, device=whole.device)
    place[ids] = torch.arange(len(ids), device=whole.device)
    table.register_buffer("place", place, persistent=False)
    table.weight = nn.Parameter(whole.detach()[ids])
    table.padding_idx = None if padding is None else int(place[padding])
    hook = table.register_forward_pre_hook(_to_places)
    try:
        yield
    finally:
        hook.remove()
        learned = table.weight.detach()
        with torch.no_grad():
            whole.data = whole.data.to(learned.device)
            whole[ids.to(learned.device)] = learned
        del table.place
        table.weight, table.padding_idx = whole, padding


def _to_places(table: Any, arguments: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    return (table.place[arguments[0]], *arguments[1:])
