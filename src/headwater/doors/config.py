"""The configuration file of a run: reading `run.yaml`, and writing a commented one to start from."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from headwater import catalog
from headwater.errors import SettingError, did_you_mean
from headwater.options import build, options_of, to_yaml
from headwater.request import read_yaml
from headwater.settings import Settings

ARGUMENTS = {
    "task": "What is asked of the data.",
    "data": "The file or folder to learn from; may be given on the command line instead.",
    "model": "A basic model, an embedded foundation, a hub id, or a folder.",
    "to": "The run folder.",
}
_MODEL_SETTINGS = "model_settings"


def read(path: Path) -> dict[str, Any]:
    """The keys of a configuration file, flat: arguments, settings, and the model's own settings beside them.

    Raises:
        NotFoundError, DataError: there is no such file, or it is not YAML.
        SettingError: it holds a key or a value that no run takes.
    """
    values = read_yaml(path)
    own = values.pop(_MODEL_SETTINGS, None) or {}
    if not isinstance(own, dict):
        raise SettingError(f"{_MODEL_SETTINGS} is a mapping of names to values", where=str(path), got=own)
    names = [option.name for option in options_of(Settings)]
    _refuse_unknown(values, [*ARGUMENTS, *names, _MODEL_SETTINGS], where=str(path))
    arguments = {name: values[name] for name in ARGUMENTS if values.get(name) is not None}
    settings = {name: values[name] for name in values if name in names}
    build(Settings, settings, where=str(path))
    return {**arguments, **settings, **own}


def write(task: str, model: str | None = None) -> str:
    """A commented configuration file with every setting at its default, and the model's own settings last."""
    name = model or catalog.task(task).default_model
    own = to_yaml(catalog.model_class(task, name).Settings())
    lines = [f"# A run of headwater: headwater adapt --config {task}.yaml", ""]
    for argument, value in (("task", task), ("data", "null"), ("model", name), ("to", "null")):
        lines += [f"# {ARGUMENTS[argument]}", f"{argument}: {value}"]
    text = "\n".join(lines) + "\n\n" + to_yaml(Settings())
    if own.strip():
        text += f"\n# The settings of {name} itself\n{_MODEL_SETTINGS}:\n{textwrap.indent(own, '  ')}"
    return text


def _refuse_unknown(values: Iterable[str], known: list[str], *, where: str) -> None:
    for name in values:
        if name not in known:
            near = did_you_mean(name, known)
            raise SettingError(
                "There is no setting of this name",
                where=where,
                got=name,
                accepted=None if near else known,
                fix=near or f"Settings of the model itself belong under {_MODEL_SETTINGS}.",
            )
