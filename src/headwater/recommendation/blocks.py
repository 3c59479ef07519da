"""Work that goes row by row, cut into blocks that the cores share."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

T = TypeVar("T")


def threads() -> int:
    """How many threads may compute at once: `OMP_NUM_THREADS`, else every core."""
    return int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)


def in_blocks(work: Callable[[int, int], T], rows: int, size: int) -> list[T]:
    """What `work(first, end)` gives for each block of rows, in their order.

    The blocks are the same however many threads there are, and so is what they give.

    Args:
        work: lets go of Python's lock while it computes, and writes to no rows but its own.
        rows: how many there are.
        size: of a block, at most.

    Example:
        >>> in_blocks(lambda first, end: list(range(first, end)), rows=5, size=2)
        [[0, 1], [2, 3], [4]]
    """
    spans = [(first, min(first + size, rows)) for first in range(0, rows, size)]
    if len(spans) < 2 or threads() == 1:
        return [work(*span) for span in spans]
    # Matrix products of two blocks at once, each over all cores, would wait for one another.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads()) as pool:
        return list(pool.map(lambda span: work(*span), spans))
