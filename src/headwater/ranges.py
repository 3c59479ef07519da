"""Where a search looks for the value of a setting, as data beside the setting's limit, default and sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Search:
    """A range to search; names, and yes or no, need none: all that their limit accepts are tried.

    Attributes:
        low: the least value.
        high: the largest value.
        log: whether equal ratios are equally likely, and not equal steps.
        step: the distance of the values of a whole number; any value if not given.
        of_own: whether the ends are multiples of the value that the model takes by itself. What is a large learning
            rate for the weights of a foundation is a small one for a network that starts from nothing.
        under: the strategies that read the setting; a model without strategies reads it always.
        leave: what is not tried.

    Example:
        >>> str(Search(0.1, 10, log=True, of_own=True)), str(Search(2, 64)), str(Search())
        ('0.1 to 10 times its own', '2 to 64', 'all')
    """

    low: float | None = None
    high: float | None = None
    log: bool = False
    step: int | None = None
    of_own: bool = False
    under: tuple[str, ...] = ()
    leave: tuple[Any, ...] = ()

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"all but {', '.join(map(str, self.leave))}" if self.leave else "all"
        return f"{self.low:g} to {self.high:g}" + (" times its own" if self.of_own else "")
