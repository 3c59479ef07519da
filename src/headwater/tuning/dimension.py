"""A point of a search, and one dimension of it: a setting and where its value is looked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from headwater import options
from headwater.options import Between, OneOf, Option
from headwater.ranges import Search

_DIGITS = 3
"""The digits of a value that is drawn: more would be read as meaning something."""
_RATIO = 100
"""A range of the user's own is searched by ratios when its ends are this far apart."""


class Asks(Protocol):
    """Who is asked for a value of each dimension; Optuna's trials are of this kind."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int: ...

    def suggest_categorical(self, name: str, choices: Any) -> Any: ...


@dataclass(frozen=True)
class Point:
    """One point of the space: a model, and the settings that were drawn for it.

    Example:
        >>> str(Point("minilm", {"strategy": "full", "learning_rate": 1e-4})), str(Point("minilm"))
        ('strategy full, learning_rate 0.0001', 'the defaults')
    """

    model: str
    values: Mapping[str, Any] = field(default_factory=dict)
    drawn_model: bool = False

    def __str__(self) -> str:
        drawn = {"model": shown(self.model), **self.values} if self.drawn_model else self.values
        return ", ".join(f"{name} {options.word(value)}" for name, value in drawn.items()) or "the defaults"


@dataclass(frozen=True)
class Dimension:
    """One setting and where its value is looked for.

    Attributes:
        name: the setting; behind the name of its model and a dot, where it is one model's own among several models.
        option: the setting as data.
        search: its range.
        choices: the values to try, where they are names, or yes and no.
    """

    name: str
    option: Option
    search: Search
    choices: tuple[Any, ...] = ()

    @classmethod
    def of(cls, option: Option, search: Search, owner: str = "") -> Dimension:
        """The dimension of an option; `owner` is the model whose own setting it is, where there are several."""
        names = option.limit.choices if isinstance(option.limit, OneOf) else (True, False) * (option.kind is bool)
        choices = tuple(name for name in names if name not in search.leave)
        return cls(f"{owner}.{option.name}" if owner else option.name, option, search, choices)

    def __str__(self) -> str:
        return ", ".join(map(options.word, self.choices)) if self.choices else str(self.search)

    def draw(self, asked: Asks, own: Any) -> Any:
        """A value of the setting; `own` is what the model would take by itself."""
        if self.choices:
            return asked.suggest_categorical(self.name, self.choices)
        low, high, log = self.search.low or 0, self.search.high or 0, self.search.log
        if self.search.of_own:
            return self._rounded(own * asked.suggest_float(self.name, low, high, log=log))
        if self.option.kind is int:
            return asked.suggest_int(self.name, int(low), int(high), step=self.search.step or 1, log=log)
        return self._rounded(asked.suggest_float(self.name, low, high, log=log))

    def place_of(self, own: Any) -> Any:
        """Where the model's own value lies in this dimension; None where it lies outside."""
        if self.choices:
            return own if own in self.choices else None
        low, high = self.search.low or 0, self.search.high or 0
        place = 1.0 if self.search.of_own else own
        if place is None:
            return None
        on_grid = not self.search.step or (place - low) % self.search.step == 0
        return place if low <= place <= high and on_grid else None

    def _rounded(self, value: float) -> Any:
        limit = self.option.limit if isinstance(self.option.limit, Between) else Between()
        low, high = (-float("inf") if limit.low is None else limit.low), (limit.high or float("inf"))
        kept = min(max(value, low), high)
        return round(kept) if self.option.kind is int else float(f"{kept:.{_DIGITS}g}")


def range_of(option: Option, low: float, high: float) -> Search:
    """The range between two values of the user's own, under the strategies that read the option."""
    known = option.search or Search()
    log = known.log if option.search else low > 0 and high / low >= _RATIO
    return Search(low, high, log=log and low > 0, under=known.under)


def shown(model: str) -> str:
    """The name of a model; that of its folder when it comes from one."""
    return Path(model).name if Path(model).is_dir() else model
