"""What a search may vary: a dimension for every setting that has a range and that the model reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from headwater import catalog, options
from headwater.options import Option
from headwater.ranges import Search
from headwater.request import Request, run_settings
from headwater.settings import Settings
from headwater.transfer.supervised import OF_SOME_MODELS
from headwater.tuning.dimension import Asks, Dimension, Point, shown


@dataclass(frozen=True)
class Space:
    """The models of a search with the settings that stay as they are, and the dimensions of each.

    Attributes:
        requests: what is asked of each model, as the user fixed it.
        dimensions: what is varied of each; nothing of a model that is always the same.
        once: points of which nothing can be varied, such as the probe of a foundation: they are tried once each.
    """

    requests: Mapping[str, Request]
    dimensions: Mapping[str, tuple[Dimension, ...]]
    once: tuple[Point, ...] = ()

    @property
    def first(self) -> str:
        """The model that the others have to beat: its defaults are the first trial."""
        return next(iter(self.requests))

    @property
    def planned(self) -> list[Point]:
        """What is tried before anything is drawn: the defaults, then the points of which nothing can be varied."""
        defaults = Point(self.first, drawn_model=len(self.requests) > 1)
        return [defaults, *(point for point in self.once if point != defaults)]

    @property
    def drawn(self) -> tuple[str, ...]:
        """The models of which something is varied."""
        return tuple(model for model, dimensions in self.dimensions.items() if dimensions)

    def described(self) -> list[dict[str, Any]]:
        """Name, range and meaning of every dimension, in words, and whether its values are compared by ratios."""
        found: dict[str, dict[str, Any]] = {}
        if len(self.requests) > 1:
            models = ", ".join(map(shown, self.requests))
            found["model"] = {"name": "model", "range": models, "log": False, "sentence": "What learns."}
        for one in (one for dimensions in self.dimensions.values() for one in dimensions):
            row = {"name": one.name, "range": str(one), "log": one.search.log, "sentence": one.option.sentence}
            found.setdefault(one.name, row)
        alone = dict.fromkeys(str(one.values["strategy"]) for one in self.once if one.values)
        if "strategy" in found and alone:
            found["strategy"]["range"] += f"; once: {', '.join(alone)}"
        return list(found.values())

    def draw(self, asked: Asks, rows: int) -> Point:
        """A point of the space, for so many training rows; a setting that the strategy does not read is not drawn."""
        model = asked.suggest_categorical("model", self.drawn) if len(self.drawn) > 1 else self.drawn[0]
        values: dict[str, Any] = {}
        for dimension in self.dimensions[model]:
            own = self._own(model, values, rows)
            if self._is_read(dimension, model, own):
                values[dimension.option.name] = dimension.draw(asked, own[dimension.option.name])
        return Point(model, values, drawn_model=len(self.requests) > 1)

    def defaults(self, rows: int) -> dict[str, Any]:
        """Where the first model's own settings lie in the space, by dimension; those outside of it are left out."""
        own = self._own(self.first, {}, rows)
        read = [one for one in self.dimensions[self.first] if self._is_read(one, self.first, own)]
        places = {one.name: one.place_of(own[one.option.name]) for one in read}
        named = {"model": self.first} if self.first in self.drawn and len(self.drawn) > 1 else {}
        return named | {name: place for name, place in places.items() if place is not None}

    def tell_defaults(self, asked: Asks, places: Mapping[str, Any]) -> None:
        """Asks for the values that the defaults have, so that whoever draws knows where they lie."""
        if "model" in places:
            asked.suggest_categorical("model", self.drawn)
        for dimension in self.dimensions[self.first]:
            if dimension.name in places:
                dimension.draw(asked, 1)

    def request(self, point: Point) -> Request:
        """What is asked of a model at a point. The budget is the search's, and not of any one training.

        Of several models one may have no use for a setting that is fixed for another.
        """
        base = self.requests[point.model]
        reads = catalog.model_class(base.task, point.model).reads if len(self.requests) > 1 else OF_SOME_MODELS
        idle = {o.name: o.default for o in options.options_of(Settings) if o.name in {*OF_SOME_MODELS} - {*reads}}
        shared = run_settings(base.task, point.model, point.values)
        drawn = {name: value for name, value in point.values.items() if name in shared}
        of_model = {name: value for name, value in point.values.items() if name not in shared}
        return replace(
            base,
            settings=replace(base.settings, **{**idle, **drawn}, budget=None),
            model_settings={**base.model_settings, **of_model},
        )

    def _own(self, model: str, drawn: Mapping[str, Any], rows: int) -> dict[str, Any]:
        """The value of every setting of a model as far as it is drawn, and else what the model takes by itself."""
        request = self.request(Point(model, drawn))
        kind = catalog.model_class(request.task, model)
        of_model = options.build(kind.Settings, request.model_settings, where=f"model {model}")
        return {**options.plain(kind.completed(request.settings, rows)), **options.plain(of_model)}

    def _is_read(self, dimension: Dimension, model: str, own: Mapping[str, Any]) -> bool:
        """Whether a model reads a setting under the strategy that is drawn; only some models have strategies."""
        strategies = "strategy" in catalog.model_class(self.requests[model].task, model).reads
        under = dimension.search.under if strategies else ()
        open_ended = dimension.search.of_own and own[dimension.option.name] is None  # a multiple of nothing
        return not open_ended and (not under or own["strategy"] in under)


def of(requests: Mapping[str, Request], fixed: Mapping[str, Any], ranges: Mapping[str, Search]) -> Space:
    """The space of some models: ranges of the user's own, else those beside the settings; without what is fixed."""
    dimensions: dict[str, tuple[Dimension, ...]] = {}
    once: list[Point] = []
    several = len(requests) > 1
    for model in requests:
        shared, own = searchable(requests[model].task, model)
        reads_strategy = any(option.name == "strategy" for option in shared)
        only = requests[model].settings.strategy if "strategy" in fixed and reads_strategy else ""
        found = [(option, "") for option in shared] + [(option, model if several else "") for option in own]
        made = [
            Dimension.of(option, search, owner)
            for option, owner in found
            if option.name not in fixed and (search := ranges.get(option.name, option.search)) is not None
            if not only or not search.under or only in search.under
        ]
        # What a model takes by itself may hang on other settings, as epochs do on the strategy: those come first.
        dimensions[model] = tuple(sorted(_varied(made), key=lambda one: one.search.of_own))
        points = [{"strategy": strategy} for strategy in _alone(made)] if made else [{}]
        once += [Point(model, point, drawn_model=several) for point in points]
    return Space(requests, dimensions, tuple(once))


def searchable(task: str, model: str) -> tuple[list[Option], list[Option]]:
    """The settings of every run that a model reads, and its own, which hold one value each."""
    kind = catalog.model_class(task, model)
    shared = [option for option in options.options_of(Settings) if option.name in kind.reads]
    own = [option for option in options.options_of(kind.Settings) if not option.many]
    return shared, own


def _alone(dimensions: Sequence[Dimension]) -> tuple[str, ...]:
    """The strategies, where they are searched, under which nothing else is."""
    strategies = next((one.choices for one in dimensions if one.name == "strategy"), ())
    others = [one.search.under for one in dimensions if one.name != "strategy"]
    return tuple(name for name in strategies if not any(not under or name in under for under in others))


def _varied(dimensions: Sequence[Dimension]) -> list[Dimension]:
    """The dimensions without the strategies that stand alone; without the strategy where no other is left."""
    alone = _alone(dimensions)
    left = [replace(one, choices=tuple(name for name in one.choices if name not in alone)) for one in dimensions]
    return [one for one in left if one.choices or one.search.low is not None]
