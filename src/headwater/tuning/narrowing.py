"""The file of `--search`: ranges of the user's own, checked against the limits of the settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from headwater import options
from headwater.errors import DataError, NotFoundError, SettingError, did_you_mean
from headwater.options import OneOf, Option
from headwater.ranges import Search
from headwater.tuning.dimension import range_of
from headwater.tuning.space import searchable


def read(path: str | Path) -> dict[str, Any]:
    """The names and ranges in a search file, as they stand there.

    Raises:
        NotFoundError, DataError: there is no such file, or it is not YAML with one range a name.
    """
    import yaml

    try:
        found = yaml.safe_load(Path(path).read_text("utf-8"))
    except FileNotFoundError as missing:
        raise NotFoundError("There is no search file here", where=str(path), fix="Check the path.") from missing
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as failure:
        raise DataError(
            "The search file is no YAML that can be read",
            where=str(path),
            got=str(failure),
            fix="Mend the line it names.",
        ) from failure
    if not isinstance(found, dict):
        raise DataError(
            "The search file is not a list of `name: range` lines", where=str(path), got=found,
            accepted="lines such as learning_rate: [1e-5, 1e-3]",
        )  # fmt: skip
    return found


def divided(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The ranges among what was given, and the single values, which fix their settings.

    Example:
        >>> divided({"epochs": [2, 8], "batch_size": 16})
        ({'epochs': [2, 8]}, {'batch_size': 16})
    """
    ranges = {name: value for name, value in given.items() if isinstance(value, list | tuple)}
    return ranges, {name: value for name, value in given.items() if name not in ranges}


def checked(
    given: Mapping[str, Any], task: str, models: Iterable[str], fixed: Mapping[str, Any], *, where: str
) -> dict[str, Search]:
    """The ranges of a search file by the names of their settings.

    Raises:
        SettingError: a name that no model of the search reads, one that is fixed at the same time, or a range that is
            none, or goes beyond the limits of its setting.
    """
    known = {option.name: option for model in models for part in searchable(task, model) for option in part}
    return {name: _range(known, name, value, fixed, where) for name, value in given.items()}


def _range(known: Mapping[str, Option], name: str, value: Any, fixed: Mapping[str, Any], where: str) -> Search:
    if name not in known:
        near = did_you_mean(str(name), known)
        raise SettingError(
            "There is nothing of this name that a search of these models varies", where=where, got=name,
            accepted=None if near else sorted(known), fix=near,
        )  # fmt: skip
    if name in fixed:
        raise SettingError(
            "A setting is either fixed or searched", where=where, got={name: fixed[name], "searched": value},
            fix=f"Take {name} out of the search file, or do not set it.",
        )  # fmt: skip
    option = known[name]
    values = [options.value_of(option, one, where=where) for one in value]
    if option.kind not in (int, float):
        every = option.limit.choices if isinstance(option.limit, OneOf) else (True, False)
        return Search(leave=tuple(one for one in every if one not in values))
    if len(values) != 2 or values[0] > values[1]:
        raise SettingError(
            f"{name} is searched between two values", where=where, got=value,
            accepted="the least and the largest, such as [2, 8]",
        )  # fmt: skip
    return range_of(option, *values)
