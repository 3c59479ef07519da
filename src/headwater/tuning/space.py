"""What a search may vary: a dimension for every setting that has a range and that the model reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from headwater import catalog, options
from headwater.options import Between, OneOf, Option
from headwater.ranges import Search
from headwater.request import Request
from headwater.settings import Settings

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
class Candidate:
    """One point of the space: a model, and the settings that were drawn for it.

    Example:
        >>> str(Candidate("minilm", {"strategy": "full", "learning_rate": 1e-4})), str(Candidate("minilm"))
        ('strategy full, learning_rate 0.0001', 'the defaults')
    """

    model: str
    values: Mapping[str, Any] = field(default_factory=dict)
    drawn_model: bool = False

    def __str__(self) -> str:
        drawn = {"model": self.model, **self.values} if self.drawn_model else self.values
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
        on_grid = not self.search.step or (place - low) % self.search.step == 0
        return place if low <= place <= high and on_grid else None

    def _rounded(self, value: float) -> Any:
        limit = self.option.limit if isinstance(self.option.limit, Between) else Between()
        low, high = (-float("inf") if limit.low is None else limit.low), (limit.high or float("inf"))
        kept = min(max(value, low), high)
        return round(kept) if self.option.kind is int else float(f"{kept:.{_DIGITS}g}")


@dataclass(frozen=True)
class Space:
    """The models of a search with the settings that stay as they are, and the dimensions of each.

    Attributes:
        requests: what is asked of each model, as the user fixed it.
        dimensions: what is varied of each.
    """

    requests: Mapping[str, Request]
    dimensions: Mapping[str, tuple[Dimension, ...]]

    @property
    def empty(self) -> bool:
        return len(self.requests) == 1 and not any(self.dimensions.values())

    @property
    def first(self) -> str:
        """The model that the others have to beat: its defaults are the first trial."""
        return next(iter(self.requests))

    def described(self) -> list[dict[str, str]]:
        """Name, range and models of every dimension, in words."""
        found: dict[str, dict[str, str]] = {}
        if len(self.requests) > 1:
            found["model"] = {"name": "model", "range": ", ".join(self.requests), "sentence": "What learns."}
        for dimensions in self.dimensions.values():
            for one in dimensions:
                found.setdefault(one.name, {"name": one.name, "range": str(one), "sentence": one.option.sentence})
        return list(found.values())

    def draw(self, asked: Asks, rows: int) -> Candidate:
        """A point of the space, for so many training rows; a setting that the strategy does not read is not drawn."""
        several = len(self.requests) > 1
        model = asked.suggest_categorical("model", tuple(self.requests)) if several else self.first
        values: dict[str, Any] = {}
        for dimension in self.dimensions[model]:
            own = self._own(model, values, rows)
            if self._is_read(dimension, model, own):
                values[dimension.option.name] = dimension.draw(asked, own[dimension.option.name])
        return Candidate(model, values, drawn_model=several)

    def defaults(self, rows: int) -> dict[str, Any]:
        """Where the first model's own settings lie in the space, by dimension; those outside of it are left out."""
        own = self._own(self.first, {}, rows)
        read = [one for one in self.dimensions[self.first] if self._is_read(one, self.first, own)]
        places = {one.name: one.place_of(own[one.option.name]) for one in read}
        named = {"model": self.first} if len(self.requests) > 1 else {}
        return named | {name: place for name, place in places.items() if place is not None}

    def draw_defaults(self, asked: Asks, rows: int) -> Candidate:
        """Tells of the point `defaults` that it is tried, and gives it as it is."""
        places = self.defaults(rows)
        if "model" in places:
            asked.suggest_categorical("model", tuple(self.requests))
        for dimension in self.dimensions[self.first]:
            if dimension.name in places:
                dimension.draw(asked, 1)
        return Candidate(self.first, drawn_model=len(self.requests) > 1)

    def request(self, candidate: Candidate) -> Request:
        """What is asked of a model at a point. The budget is the search's, and not of any one training."""
        base = self.requests[candidate.model]
        shared = {option.name for option in options.options_of(Settings)}
        drawn = {name: value for name, value in candidate.values.items() if name in shared}
        of_model = {name: value for name, value in candidate.values.items() if name not in shared}
        return replace(
            base,
            settings=replace(base.settings, **drawn, budget=None),
            model_settings={**base.model_settings, **of_model},
        )

    def _own(self, model: str, drawn: Mapping[str, Any], rows: int) -> dict[str, Any]:
        """The value of every setting of a model as far as it is drawn, and else what the model takes by itself."""
        request = self.request(Candidate(model, drawn))
        kind = catalog.model_class(request.task, model)
        of_model = options.build(kind.Settings, request.model_settings, where=f"model {model}")
        return {**options.plain(kind.completed(request.settings, rows)), **options.plain(of_model)}

    def _is_read(self, dimension: Dimension, model: str, own: Mapping[str, Any]) -> bool:
        """Whether a model reads a setting under the strategy that is drawn; only some models have strategies."""
        strategies = "strategy" in catalog.model_class(self.requests[model].task, model).reads
        under = dimension.search.under if strategies else ()
        return own[dimension.option.name] is not None and (not under or own["strategy"] in under)


def of(requests: Mapping[str, Request], fixed: Mapping[str, Any], ranges: Mapping[str, Search]) -> Space:
    """The space of some models: ranges of the user's own, else those beside the settings; without what is fixed."""
    dimensions = {}
    for model in requests:
        shared, own = searchable(requests[model].task, model)
        owner = model if len(requests) > 1 else ""
        found = [(option, "") for option in shared] + [(option, owner) for option in own]
        made = [
            Dimension.of(option, search, where)
            for option, where in found
            if option.name not in fixed and (search := ranges.get(option.name, option.search)) is not None
        ]
        # What a model takes by itself may hang on other settings, as epochs do on the strategy: those come first.
        dimensions[model] = tuple(sorted(made, key=lambda one: one.search.of_own))
    return Space(requests, dimensions)


def searchable(task: str, model: str) -> tuple[list[Option], list[Option]]:
    """The settings of every run that a model reads, and its own, which hold one value each."""
    kind = catalog.model_class(task, model)
    shared = [option for option in options.options_of(Settings) if option.name in kind.reads]
    own = [option for option in options.options_of(kind.Settings) if not option.many]
    return shared, own


def range_of(option: Option, low: float, high: float) -> Search:
    """The range between two values of the user's own, under the strategies that read the option."""
    known = option.search or Search()
    log = known.log if option.search else low > 0 and high / low >= _RATIO
    return Search(low, high, log=log and low > 0, under=known.under)
