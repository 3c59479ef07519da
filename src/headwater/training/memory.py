"""What to do when a pass does not fit into the memory."""

from __future__ import annotations

import gc
import logging

import numpy as np
import torch

from headwater.errors import ResourceError
from headwater.training.batching import micro_batches

log = logging.getLogger("headwater")
_SIGNS = ("out of memory", "can't allocate memory", "not enough memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on any device.

    Example:
        >>> is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"))
        True
    """
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(sign in str(error) for sign in _SIGNS)


def smaller_budget(rows: np.ndarray, lengths: np.ndarray, token_budget: int) -> int:
    """Half of the tokens of the largest pass that these rows made, after memory has been given back.

    Args:
        rows: positions of the rows that did not fit.
        lengths: the tokens of every training row, shape (all rows,).
        token_budget: the budget under which they did not fit.

    Raises:
        ResourceError: each pass held one row; nothing smaller is left.
    """
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    largest = max(micro_batches(rows, lengths, token_budget), key=len)
    if len(largest) == 1:
        raise ResourceError(
            "One row alone does not fit into the memory", where="--token-budget", got=f"{lengths[rows].max()} tokens",
            fix="Read less of each row (--max-length of texts, --image-size of images), or take a smaller model.",
        )  # fmt: skip
    budget = int(len(largest) * lengths[largest].max()) // 2
    log.warning("A pass did not fit into the memory; from here on a pass has at most %d tokens.", budget)
    return budget
