"""What `tune` is asked to do: models, what the user fixed, what is searched, how often and by how many."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headwater import catalog, options, workspace
from headwater.errors import SettingError
from headwater.options import options_of
from headwater.request import Request, run_settings
from headwater.settings import SearchSettings
from headwater.tuning import narrowing, space
from headwater.tuning.space import Space

TRIALS = 20
"""The trials of a search that is given neither a number nor a budget."""
_MOST_TRIALS = 100_000


@dataclass(frozen=True)
class Asked:
    """A checked search.

    Attributes:
        space: the models with what is fixed and what is varied of them.
        fixed: the settings that the user set.
        ranges: the ranges that the user gave, as they were given.
        trials: how many trials at most.
        jobs: how many processes.
        source: where the ranges came from, for errors and for the command.
    """

    space: Space
    fixed: Mapping[str, Any]
    ranges: Mapping[str, Any]
    trials: int | None
    jobs: int
    source: str

    @classmethod
    def of(cls, task: str, data: Any, model: str | Sequence[str] | None, values: Mapping[str, Any]) -> Asked:
        """The search of these values: names of `Settings`, of `SearchSettings`, or of one of the models.

        Raises:
            NotFoundError, SettingError, DataError: as a request does; a range that is none; nothing to search.
            ExtraError: a model needs a library that is not installed.
        """
        search = values.get("search")
        own = {option.name for option in options_of(SearchSettings)}
        told = {name: value for name, value in values.items() if name in own - {"search"}}
        how = options.build(SearchSettings, told, where="headwater tune")
        source = "search" if isinstance(search, Mapping) or search is None else str(search)
        given = search if isinstance(search, Mapping) else {} if search is None else narrowing.read(search)
        ranges, single = narrowing.divided(given)
        set_by_hand = {name: value for name, value in values.items() if name not in own}
        requests = _requests(task, data, model, {**single, **set_by_hand})
        fixed = _fixed(requests, {**single, **set_by_hand})
        narrowed = narrowing.checked(ranges, task, requests, fixed, where=source)
        asked = cls(space.of(requests, fixed, narrowed), fixed, ranges, how.trials, how.jobs, source)
        asked._refuse_nothing()
        asked._refuse_what_no_trial_can_show()
        return asked

    @property
    def request(self) -> Request:
        """What is asked of the first model."""
        return self.space.requests[self.space.first]

    @property
    def most(self) -> int:
        """How many trials there may be."""
        return self.trials or (_MOST_TRIALS if self.request.settings.budget else TRIALS)

    def command(self) -> str:
        """What makes the same search again."""
        searched = ["--search", self.source] if self.ranges and self.source != "search" else []
        asked = replace(self.request, model=",".join(self.space.requests))
        if self.request.data is None or self.request.remembered:
            return asked.command().replace("headwater.adapt", "headwater.tune", 1)
        trials = ["--trials", str(self.trials)] if self.trials else []
        jobs = ["--jobs", str(self.jobs)] if self.jobs > 1 else []
        return " ".join([asked.command().replace("adapt", "tune", 1), shlex.join([*trials, *jobs, *searched])]).strip()

    def to_json(self) -> dict[str, Any]:
        """Everything that `from_json` needs; the data in memory stays behind."""
        return {
            "task": self.request.task, "data": self.request.data, "models": list(self.space.requests),
            "fixed": dict(self.fixed), "ranges": dict(self.ranges), "source": self.source,
            "trials": self.trials, "jobs": self.jobs,
        }  # fmt: skip

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Asked:
        """Takes back what `to_json` gave."""
        how = {"trials": values["trials"], "jobs": values["jobs"], "search": values["ranges"]}
        found = cls.of(values["task"], values["data"], values["models"], {**values["fixed"], **how})
        return replace(found, source=values["source"])

    def _refuse_nothing(self) -> None:
        if not self.space.drawn and len(self.space.planned) == 1:
            raise SettingError(
                "There is nothing to search: with what is fixed, this model is always the same",
                where="headwater tune", got=self.space.first,
                fix="Take headwater adapt, leave more settings open, or give several models: --model tfidf-svm,lstm",
            )  # fmt: skip

    def _refuse_what_no_trial_can_show(self) -> None:
        """A search compares trials on validation rows, and judges the one training of each as it goes on."""
        settings = self.request.settings
        if settings.strategy == "few-shot":
            raise SettingError(
                "A search compares on validation rows, and few-shot holds none out", where="headwater tune",
                got="--strategy few-shot", fix="Take headwater adapt: few-shot chooses among its heads by itself.",
            )  # fmt: skip
        if settings.unlabelled is not None:
            raise SettingError(
                "A search judges one training a trial, and learning from unlabelled rows takes several",
                where="headwater tune", got=f"--unlabelled {settings.unlabelled}",
                fix="Search without it, then adapt with the settings that were found, and --unlabelled.",
            )  # fmt: skip


def _requests(task: str, data: Any, model: str | Sequence[str] | None, values: Mapping[str, Any]) -> dict[str, Request]:
    """A request for each model; a setting that only some models have is theirs alone."""
    names = _models(model) or [catalog.task(task).default_model]
    own = {name: {option.name for option in options_of(catalog.model_class(task, name).Settings)} for name in names}
    shared = {name: run_settings(task, name, values) for name in names}
    of_others = {name: set().union(*(own[one] - shared[one] for one in names)) - own[name] for name in names}
    found = {}
    for name in names:
        taken = {key: value for key, value in values.items() if key not in of_others[name]}
        request = workspace.absolute(Request.of(task, data, name, taken))
        found[request.model] = request
    return found


def _models(model: str | Sequence[str] | None) -> list[str]:
    """The names in a text that divides them by commas; a path that has one is one name."""
    if model is None:
        return []
    if not isinstance(model, str):
        return list(dict.fromkeys(model))
    if Path(model).exists():
        return [model]
    return list(dict.fromkeys(name for part in model.split(",") if (name := part.strip())))


def _fixed(requests: Mapping[str, Request], given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, with paths made whole and texts converted."""
    found: dict[str, Any] = {}
    for request in requests.values():
        found |= {**options.plain(request.settings), **request.model_settings}
    return {name: found[name] for name in given}
