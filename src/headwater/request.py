"""What `adapt` is asked to do, as Python arguments, flags or a YAML file say it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headwater import catalog, options
from headwater.errors import DataError, NotFoundError, SettingError, did_you_mean
from headwater.settings import CompareSettings, Settings, ViewSettings

ARGUMENTS = {
    "task": "What is asked of the data.",
    "data": "The file or folder to learn from; may be given on the command line instead.",
    "model": "A basic model, an embedded foundation, a hub id, or a folder.",
    "to": "The run folder.",
}
"""What a configuration file may hold beside the names of `Settings`, and what it is."""
MODEL_SETTINGS = "model_settings"
"""The key under which the settings of the model itself stand."""
IN_MEMORY = ("demonstrations",)
"""The settings that name rows and may be given the rows themselves."""
_HELD = "memory:"
FEWEST_RANKED = 20
"""Fewer rows tell no two models apart."""


@dataclass(frozen=True)
class Request:
    """A task, its data, a model and checked settings.

    Attributes:
        data: a path or hub name when the data has one; None when it came from memory.
        model_settings: the settings that only this model has.
        held: rows in memory, by the setting that they were given as; no file keeps them.

    Example:
        >>> Request.of("text-classification", None, "tfidf-svm", {"epochs": 3}).settings.epochs
        3
    """

    task: str
    data: str | None
    model: str
    settings: Settings = field(default_factory=Settings)
    model_settings: Mapping[str, Any] = field(default_factory=dict)
    held: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, task: str, data: Any, model: str | None, values: Mapping[str, Any]) -> Request:
        """The request of these values; names that `Settings` lacks are the model's own.

        Raises:
            NotFoundError: no such task, or the model is one of another task.
            SettingError: a name that neither has, a value out of its limits, or a setting of another kind of data.
        """
        entry = catalog.task(task)
        name = entry.default_model if model is None else model
        if not Path(name).is_dir():
            catalog.refuse_foreign(task, name)
        values = {key: str(value) if isinstance(value, Path) else value for key, value in values.items()}
        held = {key: values[key] for key in IN_MEMORY if not isinstance(values.get(key), str | None)}
        values = {**values, **{key: f"{_HELD}{key}" for key in held}}
        shared = run_settings(task, name, values)
        own = {key: value for key, value in values.items() if key not in shared}
        if own:
            own = _of_model(own, shared, catalog.model_class(task, name).Settings, name)
        settings = options.build(Settings, {key: value for key, value in values.items() if key in shared})
        options.check_fields(settings, task, entry.fields)
        return cls(task, str(data) if isinstance(data, str | Path) else None, name, settings, own, held)

    @classmethod
    def from_yaml(cls, path: Path) -> Request:
        """The request in a configuration file.

        Raises:
            NotFoundError, DataError: the file is missing, or is not YAML with one value a key.
            SettingError: an unknown key, or a value out of its limits.
        """
        values = read_config(path)
        if "task" not in values:
            raise SettingError("The configuration names no task", where=str(path), fix="Add a line such as task: NAME.")
        rest = {name: value for name, value in values.items() if name not in ARGUMENTS}
        return cls.of(values["task"], values.get("data"), values.get("model"), rest)

    def changed(self) -> dict[str, Any]:
        """The settings that differ from their defaults, and those of the model itself that were given."""
        values = options.plain(self.settings)
        shared = options.options_of(Settings)
        return {o.name: values[o.name] for o in shared if values[o.name] != o.default} | dict(self.model_settings)

    @property
    def remembered(self) -> list[str]:
        """The settings whose rows were given in memory, by this process or an earlier one."""
        return [name for name in IN_MEMORY if str(getattr(self.settings, name)).startswith(_HELD)]

    def refuse_forgotten(self) -> None:
        """Refuses settings that stand for rows in the memory of an earlier process.

        Raises:
            DataError: names them.
        """
        lost = [name for name in self.remembered if name not in self.held]
        if lost:
            raise DataError(
                "These rows were in memory, and are gone with their process", where="settings", got=lost,
                fix="Give them again in Python, or write them to a file and name that.",
            )  # fmt: skip

    def command(self) -> str:
        """What makes the same application again: a command, or a call in Python where some rows were in memory.

        Example:
            >>> Request.of("text-classification", "a.csv", "tfidf-svm", {"epochs": 3}).command()
            'headwater adapt text-classification a.csv --model tfidf-svm --epochs 3'
            >>> Request.of("control", "CartPole-v1", "dqn", {"demonstrations": [{"action": 1}]}).command()[:71]
            "headwater.adapt('control', 'CartPole-v1', model='dqn', demonstrations=D"
        """
        if self.data is None or self.remembered:
            return self._call()
        known = {option.name: option for option in options.options_of(Settings)}
        words = ["headwater", "adapt", self.task, self.data, "--model", self.model]
        for name, value in self.changed().items():
            own = name in self.model_settings
            words += ["--set", f"{name}={options.word(value)}"] if own else options.flags(known[name], value)
        return shlex.join(words)

    def _call(self) -> str:
        """The call in Python; rows that were in memory stand in it as a name."""
        held = {name: name.upper() for name in self.remembered}
        given = "".join(f", {name}={held.get(name, repr(value))}" for name, value in
                        {"model": self.model, **self.changed()}.items())  # fmt: skip
        data = "DATA" if self.data is None else repr(self.data)
        rows = " and ".join([*(["DATA"] if self.data is None else []), *held.values()])
        return f"headwater.adapt({self.task!r}, {data}{given})  # {rows}: the rows, which were in memory"

    def to_yaml(self, *, head: tuple[str, ...] = ()) -> str:
        """The request as a commented configuration file, which `from_yaml` reads back to an equal request."""
        import yaml

        top = {"task": self.task, "data": self.data, "model": self.model, "model_settings": dict(self.model_settings)}
        settings = options.to_yaml(self.settings, head=head, fields=catalog.task(self.task).fields)
        return settings + "\n" + yaml.safe_dump(top, sort_keys=False, allow_unicode=True)


def run_settings(task: str, model: str, given: Iterable[str]) -> set[str]:
    """The names of `Settings`, without those given ones of another kind of data that are settings of the model's own.

    Example:
        >>> "encoder" in run_settings("control", "dqn", ["encoder"])
        True
        >>> "encoder" in run_settings("recommendation", "text-embedding", ["encoder"])
        False
    """
    foreign = _foreign(task) & set(given)
    if foreign:
        foreign &= {option.name for option in options.options_of(catalog.model_class(task, model).Settings)}
    return {option.name for option in options.options_of(Settings)} - foreign


def comparison_command(task: str, data: Mapping[str, Any], model: str, settings: CompareSettings) -> str:
    """What makes the same comparison again: a command, or a call in Python where some data was in memory.

    Example:
        >>> data = {"source": "a.csv", "target": "b.csv"}
        >>> comparison_command("text-classification", data, "minilm", CompareSettings(rows=500))
        'headwater compare a.csv b.csv --task text-classification --model minilm --rows 500'
    """
    known = options.options_of(CompareSettings)
    values = {o.name: value for o in known if (value := options.plain(settings)[o.name]) != o.default}
    if not all(isinstance(one, str | Path) for one in data.values()):
        given = "".join(f", {name}={value!r}" for name, value in {"model": model, "task": task, **values}.items())
        return f"headwater.compare({', '.join(map(str.upper, data))}{given})  # rows were in memory"
    words = ["headwater", "compare", *map(str, data.values()), "--task", task, "--model", model]
    return shlex.join([*words, *(word for o in known if o.name in values for word in options.flags(o, values[o.name]))])


def ranking_request(task: str, data: Any, rows: int, values: Mapping[str, Any]) -> Request:
    """What `rank` is asked to do; the model of the request stands for nothing.

    Raises:
        SettingError: a task that names no classes, a name that `rank` does not read, a value out of its limits, or too
            few rows.
    """
    naming = [entry.name for entry in catalog.TASKS if entry.linear_baseline]
    if catalog.task(task).name not in naming:
        raise SettingError(
            "rank compares models that name the class of a whole row", where="headwater rank", got=task,
            accepted=naming, fix="Adapt the models one by one and compare their reports.",
        )  # fmt: skip
    known = [option.name for option in options.options_of(ViewSettings)]
    for name in values:
        if name not in known:
            raise SettingError(
                "rank reads no setting of this name", where="headwater rank", got=name, accepted=known,
                fix=did_you_mean(name, known),
            )  # fmt: skip
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < FEWEST_RANKED:
        raise SettingError("rows cannot have this value", where="--rows", got=rows, accepted=f"{FEWEST_RANKED} or more")
    return Request.of(task, data, None, values)


def ranking_command(request: Request, models: Sequence[str], rows: int) -> str:
    """What makes the same ranking again: a command, or a call in Python where the data was in memory.

    Example:
        >>> asked = ranking_request("text-classification", "a.csv", 1000, {"seed": 3})
        >>> ranking_command(asked, ["minilm", "cnn"], 1000)
        'headwater rank a.csv --models minilm --models cnn --rows 1000 --task text-classification --seed 3'
    """
    if request.data is None:
        given = {"models": list(models) or None, "task": request.task, "rows": rows, **request.changed()}
        told = "".join(f", {name}={value!r}" for name, value in given.items())
        return f"headwater.rank(DATA{told})  # DATA: the rows, which were in memory"
    known = {option.name: option for option in options.options_of(Settings)}
    words = ["headwater", "rank", request.data, *(word for name in models for word in ("--models", name))]
    words += ["--rows", str(rows), "--task", request.task]
    return shlex.join(words + [w for n, value in request.changed().items() for w in options.flags(known[n], value)])


def read_config(path: Path) -> dict[str, Any]:
    """The keys of a configuration file, flat: arguments, settings, and the model's own settings beside them.

    Raises:
        NotFoundError, DataError: there is no such file, or it is not YAML with one value a key.
        SettingError: it holds a key or a value that no run takes.
    """
    values = _read_yaml(path)
    own = values.pop(MODEL_SETTINGS, None) or {}
    if not isinstance(own, dict):
        raise SettingError(
            f"{MODEL_SETTINGS} is a mapping of names to values", where=str(path), got=own, accepted="name: value"
        )
    names = [option.name for option in options.options_of(Settings)]
    foreign = _foreign(values.get("task"))
    if misplaced := [name for name in own if name in (*ARGUMENTS, *names, "resume") and name not in foreign]:
        raise SettingError(
            f"These are no settings of the model, and cannot stand under {MODEL_SETTINGS}", where=str(path),
            got=misplaced, fix="Move them to the left margin; resume is a flag only.",
        )  # fmt: skip
    _refuse_unknown(values, [*ARGUMENTS, *names, MODEL_SETTINGS], where=str(path))
    arguments = {name: values[name] for name in ARGUMENTS if values.get(name) is not None}
    for name, value in arguments.items():
        if not isinstance(value, str):
            raise SettingError(f"{name} cannot have this value", where=str(path), got=value, accepted="text")
    settings = {name: values[name] for name in values if name in names}
    options.build(Settings, settings, where=str(path))
    return {**arguments, **settings, **own}


def _foreign(task: Any) -> set[str]:
    """The settings of other kinds of data than a task's, whose names its models are free to take."""
    fields = next((entry.fields for entry in catalog.TASKS if entry.name == task), None)
    return set() if fields is None else {o.name for o in options.options_of(Settings) if not o.fits(fields)}


def _read_yaml(path: Path) -> dict[Any, Any]:
    import yaml

    try:
        values = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError as missing:
        raise NotFoundError(
            "There is no configuration file here",
            where=str(path),
            fix="Check the path, or write a file with: headwater config TASK",
        ) from missing
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as failure:
        raise DataError(
            "The configuration is not readable YAML", where=str(path), got=str(failure), fix="Mend the line it names."
        ) from failure
    if not isinstance(values, dict):
        raise DataError(
            "The configuration is not a list of `name: value` lines",
            where=str(path),
            got=values,
            fix="See one with: headwater config TASK",
        )
    return values


def _refuse_unknown(values: Mapping[Any, Any], known: list[str], *, where: str) -> None:
    for name in values:
        if name not in known:
            near = did_you_mean(str(name), known)
            raise SettingError(
                "There is no setting of this name",
                where=where,
                got=name,
                accepted=None if near else known,
                fix=near or f"Settings of the model itself belong under {MODEL_SETTINGS}.",
            )


def _of_model(own: Mapping[str, Any], shared: set[str], model_settings: type, model: str) -> dict[str, Any]:
    """The model's own settings, checked and in the type of their fields."""
    known = {option.name for option in options.options_of(model_settings)}
    for name in own:
        if name not in known:
            raise SettingError(
                "There is no setting of this name", where=f"model {model}", got=name,
                accepted=f"the names in `headwater config`, and for this model: {', '.join(sorted(known)) or 'none'}",
                fix=did_you_mean(name, known | shared),
            )  # fmt: skip
    built = options.plain(options.build(model_settings, own, where=f"model {model}"))
    return {name: built[name] for name in own}
