"""Pictures shared among the threads that the machine lends, with what is made of them in their order."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

_MOST: Final = 8
_IN_A_PART: Final = 64
"""The rows that a thread takes in one go: few enough that all threads end at about the same time."""
_AHEAD: Final = 2
"""How many results a thread may have ready before they are taken."""
_HELD: Final = 1 << 28
"""The bytes of results that are held at once: large pictures would fill the memory."""
Given = TypeVar("Given")
Made = TypeVar("Made")


def lent() -> int:
    """How many threads decode at the same time."""
    return min(_MOST, os.cpu_count() or 1)


def shared(rows: int, work: Callable[[range], None]) -> None:
    """Has rows worked on in parts, one for each thread at least, and raises what the first failing part did.

    Example:
        >>> found = [0] * 5
        >>> shared(5, lambda rows: found.__setitem__(slice(rows.start, rows.stop), rows))
        >>> found
        [0, 1, 2, 3, 4]
    """
    step = max(1, min(_IN_A_PART, math.ceil(rows / lent())))
    parts = [range(start, min(start + step, rows)) for start in range(0, rows, step)]
    if len(parts) < 2:
        list(map(work, parts))
        return
    with ThreadPoolExecutor(min(lent(), len(parts))) as pool:
        list(pool.map(work, parts))


def ahead(make: Callable[[Given], Made], given: Sequence[Given], weights: Sequence[int]) -> Iterator[Made]:
    """What is made of each of many, in their order: threads make what comes while whoever asked works on what came.

    Args:
        make: is called by several threads.
        given: what it is called with.
        weights: the bytes of each result, as far as can be told; no more are held than fit easily into the memory.

    Example:
        >>> list(ahead(str.upper, ["a", "b", "c"], [1, 1, 1]))
        ['A', 'B', 'C']
    """
    threads = min(lent(), len(given))
    if threads < 2:
        yield from map(make, given)
        return
    coming: deque[tuple[Future[Made], int]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for one, weight in zip(given, weights, strict=True):
            while coming and (len(coming) >= _AHEAD * threads or weight + sum(held for _, held in coming) > _HELD):
                yield coming.popleft()[0].result()
            coming.append((pool.submit(make, one), weight))
        while coming:
            yield coming.popleft()[0].result()
    finally:
        pool.shutdown(cancel_futures=True)
