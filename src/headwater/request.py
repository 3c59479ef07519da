"""What `adapt` is asked to do, as Python arguments, flags or a YAML file say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headwater import catalog, options
from headwater.errors import DataError, NotFoundError, SettingError, did_you_mean
from headwater.settings import Settings

KEYS = ("task", "data", "model", "to", "model_settings")
"""What a configuration file may hold beside the names of `Settings`."""


@dataclass(frozen=True)
class Request:
    """A task, its data, a model and checked settings.

    Attributes:
        data: a path or hub name when the data has one; None when it came from memory.
        model_settings: the settings that only this model has.

    Example:
        >>> Request.of("text-classification", None, "tfidf-svm", {"epochs": 3}).settings.epochs
        3
    """

    task: str
    data: str | None
    model: str
    settings: Settings = field(default_factory=Settings)
    model_settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, task: str, data: Any, model: str | None, values: Mapping[str, Any]) -> Request:
        """The request of these values; names that `Settings` lacks are the model's own.

        Raises:
            NotFoundError: no such task.
            SettingError: a name that neither has, or a value out of its limits.
        """
        entry = catalog.task(task)
        name = model or entry.default_model
        shared = {option.name for option in options.options_of(Settings)}
        own = {key: value for key, value in values.items() if key not in shared}
        if own:
            _refuse_unknown(own, shared, catalog.model_class(task, name).Settings, name)
        settings = options.build(Settings, {key: value for key, value in values.items() if key in shared})
        return cls(task, str(data) if isinstance(data, str | Path) else None, name, settings, own)

    @classmethod
    def from_yaml(cls, path: Path) -> Request:
        """The request in a configuration file.

        Raises:
            NotFoundError, DataError: the file is missing, or is not YAML with one value a key.
            SettingError: an unknown key, or a value out of its limits.
        """
        values = read_yaml(path)
        if "task" not in values:
            raise SettingError("The configuration names no task", where=str(path), fix="Add a line such as task: NAME.")
        inner = values.get("model_settings") or {}
        rest = {key: value for key, value in values.items() if key not in KEYS}
        return cls.of(values["task"], values.get("data"), values.get("model"), {**rest, **inner})

    def to_yaml(self, *, head: tuple[str, ...] = ()) -> str:
        """The request as a commented configuration file, which `from_yaml` reads back to an equal request."""
        import yaml

        top = {"task": self.task, "data": self.data, "model": self.model, "model_settings": dict(self.model_settings)}
        return (
            options.to_yaml(self.settings, head=head) + "\n" + yaml.safe_dump(top, sort_keys=False, allow_unicode=True)
        )


def read_yaml(path: Path) -> dict[str, Any]:
    """The keys and values of a configuration file."""
    import yaml

    try:
        values = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError as missing:
        raise NotFoundError("There is no configuration file here", where=str(path)) from missing
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as failure:
        raise DataError("The configuration is not readable YAML", where=str(path), got=str(failure)) from failure
    if not isinstance(values, dict):
        raise DataError("The configuration is not a list of `name: value` lines", where=str(path), got=values)
    return values


def _refuse_unknown(own: Mapping[str, Any], shared: set[str], model_settings: type, model: str) -> None:
    known = {option.name for option in options.options_of(model_settings)}
    for name in own:
        if name not in known:
            raise SettingError(
                "There is no setting of this name", where=f"model {model}", got=name,
                accepted=f"the names in `headwater config`, and for this model: {', '.join(sorted(known)) or 'none'}",
                fix=did_you_mean(name, known | shared),
            )  # fmt: skip
    options.build(model_settings, own, where=f"model {model}")
