"""How settings describe themselves: limits as data, one sentence a field, one error for every wrong value.

A settings class is a frozen dataclass whose fields read
`name: Annotated[type, limit, "The sentence."] = default`. From that one place come the flags and their help, the
commented YAML, the checks and the errors.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

from headwater.errors import SettingError, did_you_mean
from headwater.ranges import Search

S = TypeVar("S")


@dataclass(frozen=True)
class Between:
    """A closed interval of numbers; None leaves that side open."""

    low: float | None = None
    high: float | None = None

    def admits(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def __str__(self) -> str:
        if self.high is None:
            return f"{self.low:.12g} or more"
        return f"{self.high:.12g} or less" if self.low is None else f"{self.low:.12g} to {self.high:.12g}"


@dataclass(frozen=True)
class OneOf:
    """A closed list of names."""

    choices: tuple[str, ...]

    def admits(self, value: object) -> bool:
        return value in self.choices

    def __str__(self) -> str:
        return ", ".join(self.choices)


@dataclass(frozen=True)
class Duration:
    """A length of time such as `90s`, `10m`, `2h`; plain numbers are seconds."""

    def admits(self, value: object) -> bool:
        return isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?\s*[smhd]?", value) is not None

    def __str__(self) -> str:
        return "a time such as 90s, 10m or 2h"


Limit = Between | OneOf | Duration


@dataclass(frozen=True)
class Needs:
    """Another setting without which this one has no part: any value of it, or one of these."""

    name: str
    values: tuple[Any, ...] = ()

    def met(self, settings: Any) -> bool:
        value = getattr(settings, self.name)
        return value in self.values if self.values else value not in (None, False)

    def __str__(self) -> str:
        return " or ".join(f"{self.flag} {word(value)}" for value in self.values) or self.flag

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")


@dataclass(frozen=True)
class Of:
    """The kind of data that a setting is of: the name of a field, as a task has it among its inputs or outputs."""

    field: str


@dataclass(frozen=True)
class Option:
    """One setting as data: everything that help, YAML, checks and a search need to know of it."""

    name: str
    kind: type
    many: bool
    optional: bool
    default: Any
    limit: Limit | None
    sentence: str
    section: str
    search: Search | None = None
    needs: tuple[Needs, ...] = ()
    of: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    def fits(self, fields: Iterable[str]) -> bool:
        """Whether it has a part in a task of these fields; a setting of no kind has one in all."""
        return not self.of or not set(self.of).isdisjoint(fields)

    @property
    def kinds(self) -> str:
        """The data that it is of, in words, such as `texts`; empty where it is of all."""
        return " and ".join(
            f"{field.lower().removesuffix('y')}{'ies' if field[-1] == 'y' else 's'}" for field in self.of
        )

    @property
    def accepted(self) -> str:
        """What may be given, in words: the limit, else the type."""
        if self.limit is not None:
            return str(self.limit)
        word = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}[self.kind]
        return f"a list of {word}" if self.many else word


@cache
def options_of(settings: type) -> tuple[Option, ...]:
    """The options of a settings class, in the order in which they are declared, base classes first."""
    hints = typing.get_type_hints(settings, include_extras=True)
    owner = {name: cls for cls in reversed(settings.__mro__) for name in vars(cls).get("__annotations__", {})}
    return tuple(
        _option(field, hints[field.name], getattr(owner[field.name], "section", owner[field.name].__name__))
        for field in dataclasses.fields(settings)
    )


def build(settings: type[Any], values: Mapping[str, Any], *, where: str = "settings") -> Any:
    """A checked settings object from names and values (texts are converted to the type of their field).

    Raises:
        SettingError: an unknown name, or one or more values outside their limits; all faults in one sentence.

    Example:
        >>> from headwater.settings import Settings
        >>> build(Settings, {"epochs": "5"}).epochs
        5
    """
    known = {option.name: option for option in options_of(settings)}
    for name in values:
        if name not in known:
            raise SettingError(
                "There is no setting of this name",
                where=where,
                got=name,
                accepted=None if did_you_mean(name, known) else list(known),
                fix=did_you_mean(name, known),
            )
    return check(settings(**{name: _convert(known[name], value) for name, value in values.items()}), where=where)


def check(settings: S, *, where: str = "settings") -> S:
    """Returns the settings when every value is within its limit.

    Raises:
        SettingError: names every value that is not, or that has no part beside the others.
    """
    wrong = [
        (option, value)
        for option in options_of(type(settings))
        if not _admits(option, value := getattr(settings, option.name))
    ]
    if not wrong:
        _refuse_idle(settings, where)
        return settings
    if len(wrong) == 1:
        raise _refusal(*wrong[0], where)
    faults = "; ".join(f"{option.name}={value!r} (accepted: {option.accepted})" for option, value in wrong)
    raise SettingError(
        f"{len(wrong)} settings cannot have these values: {faults}", where=where, fix="Correct each, or leave it out."
    )


def refuse_unread(settings: Any, names: Iterable[str], task: str, instead: Mapping[str, str]) -> None:
    """Refuses settings that a task does not read: they would be ignored without a word.

    Args:
        settings: those that a user gave.
        names: what the task does not read.
        task: its name.
        instead: for some of them what to give instead.

    Raises:
        SettingError: one of them is not as it comes; says which.
    """
    unread = set(names)
    for option in options_of(type(settings)):
        if option.name in unread and getattr(settings, option.name) != option.default:
            raise SettingError(
                f"{option.name} has no part in {task}", where="settings", got=getattr(settings, option.name),
                accepted=instead.get(option.name), fix=f"Leave {option.flag} out.",
            )  # fmt: skip


def check_fields(settings: Any, task: str, fields: Iterable[str], *, where: str = "settings") -> None:
    """Whether every setting has a part in a task of these fields, its inputs and outputs.

    Raises:
        SettingError: one of another kind of data is not at its default.

    Example:
        >>> from headwater.settings import Settings
        >>> check_fields(Settings(max_length=64), "text-classification", ("Text", "Category"))
    """
    here = list(fields)
    for option in options_of(type(settings)):
        value = getattr(settings, option.name)
        if value != option.default and not option.fits(here):
            raise SettingError(
                f"{option.name} has a part only with tasks of the field {' or '.join(option.of)}; "
                f"{task} is of {', '.join(here)}",
                where=where, got=word(value), fix=f"Leave {option.flag} out.",
            )  # fmt: skip


def value_of(option: Option, value: Any, *, where: str) -> Any:
    """One value of an option, converted and checked.

    Raises:
        SettingError: it is outside the limit.
    """
    converted = _convert_one(option, value)
    if not _admits_one(option, converted):
        raise _refusal(option, value, where)
    return converted


def _refuse_idle(settings: Any, where: str) -> None:
    for option in options_of(type(settings)):
        value = getattr(settings, option.name)
        lacking = [needs for needs in option.needs if not needs.met(settings)]
        if lacking and value != option.default:
            raise SettingError(
                f"{option.name} has a part only with {lacking[0]}", where=where, got=word(value),
                fix=f"Give {lacking[0]}, or leave {option.flag} out.",
            )  # fmt: skip


def _refusal(option: Option, value: Any, where: str) -> SettingError:
    choices = option.limit.choices if isinstance(option.limit, OneOf) else ()
    return SettingError(
        f"{option.name} cannot have this value", where=where, got=value, accepted=option.accepted,
        fix=did_you_mean(str(_first_wrong(option, value)), choices),
    )  # fmt: skip


def seconds(duration: str) -> float:
    """The seconds in a checked duration.

    Example:
        >>> seconds("10m")
        600.0
    """
    amount = duration.strip()
    unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(amount[-1])
    return float(amount[:-1]) * unit if unit else float(amount)


def counted(number: int, what: str) -> str:
    """How many there are, in words.

    Example:
        >>> counted(1, "epoch"), counted(2, "epoch")
        ('1 epoch', '2 epochs')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def in_words(seconds: float) -> str:
    """Seconds as a person says them.

    Example:
        >>> in_words(0.42), in_words(75), in_words(4000)
        ('0.4 s', '1 min 15 s', '1 h 6 min')
    """
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def to_yaml(settings: Any, *, head: Iterable[str] = (), fields: Sequence[str] | None = None) -> str:
    """The settings as commented YAML, one section a class, which `build` reads back to the same values.

    With `fields`, the inputs and outputs of a task, settings of other kinds of data are left out.
    """
    import yaml

    lines, section = [f"# {line}" if line else "#" for line in head], None
    for option in options_of(type(settings)):
        if fields is not None and not option.fits(fields):
            continue
        if option.section != section:
            section = option.section
            lines += ["", f"# {section}"]
        value = yaml.safe_dump(_plain(getattr(settings, option.name)), default_flow_style=True, width=10_000)
        value = value.removesuffix("...\n").strip()
        lines += [f"# {option.sentence} ({option.accepted})", f"{option.name}: {value}"]
    return "\n".join(lines).lstrip("\n") + "\n"


def plain(settings: Any) -> dict[str, Any]:
    """The settings as names and JSON values, which `build` reads back."""
    return {option.name: _plain(getattr(settings, option.name)) for option in options_of(type(settings))}


def flags(option: Option, value: Any) -> list[str]:
    """The words of a command line that give an option this value.

    Example:
        >>> from headwater.settings import Settings
        >>> known = {option.name: option for option in options_of(Settings)}
        >>> flags(known["text"], ["left", "right"]), flags(known["offline"], True)
        (['--text', 'left', '--text', 'right'], ['--offline'])
    """
    if option.kind is bool:
        return [option.flag if value else option.flag.replace("--", "--no-", 1)]
    words = [word(one) for one in (value if option.many and value is not None else [value])]
    # A value that begins like a flag is one only behind an equals sign.
    return [part for text in words for part in ([f"{option.flag}={text}"] if text[:1] == "-" else [option.flag, text])]


def word(value: Any) -> str:
    """A value as one text, which `build` reads back.

    Example:
        >>> word(True), word([3, 4]), word(0.5)
        ('true', '3,4', '0.5')
    """
    if isinstance(value, list | tuple):
        return ",".join(map(word, value))
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _option(field: dataclasses.Field[Any], hint: Any, section: str) -> Option:
    base, *notes = get_args(hint)
    members = [member for member in get_args(base) if member is not types.NoneType]
    optional = get_origin(base) in (types.UnionType, typing.Union)
    kind = members[0] if optional else base
    many = get_origin(kind) is tuple
    return Option(
        name=field.name,
        kind=get_args(kind)[0] if many else kind,
        many=many,
        optional=optional,
        default=field.default,
        limit=next((note for note in notes if isinstance(note, Limit)), None),
        sentence=next(note for note in notes if isinstance(note, str)),
        section=section,
        search=next((note for note in notes if isinstance(note, Search)), None),
        needs=tuple(note for note in notes if isinstance(note, Needs)),
        of=tuple(note.field for note in notes if isinstance(note, Of)),
    )


def _admits(option: Option, value: Any) -> bool:
    if value is None:
        return option.optional
    if option.many:
        return isinstance(value, tuple) and all(_admits_one(option, item) for item in value)
    return _admits_one(option, value)


def _first_wrong(option: Option, value: Any) -> Any:
    items = value if option.many and isinstance(value, tuple) else (value,)
    return next((item for item in items if not _admits_one(option, item)), value)


def _admits_one(option: Option, value: Any) -> bool:
    if option.kind is int and (isinstance(value, bool) or not isinstance(value, int)):
        return False
    if option.kind in (bool, str) and not isinstance(value, option.kind):
        return False
    if option.kind is float and not Between().admits(value):
        return False
    return option.limit is None or option.limit.admits(value)


def _convert(option: Option, value: Any) -> Any:
    """Texts become the type of the field; what cannot be converted is left for `check` to refuse."""
    if option.many and isinstance(value, str) and _is_none(option, value):
        return None
    if option.many and value is not None:
        items = value.split(",") if isinstance(value, str) else value
        return tuple(_convert_one(option, item) for item in items) if isinstance(items, Iterable) else value
    return _convert_one(option, value)


def _convert_one(option: Option, value: Any) -> Any:
    if isinstance(option.limit, Duration) and isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:g}"
    if isinstance(value, str):
        return _parse(option, value)
    return float(value) if option.kind is float and type(value) is int else value


def _is_none(option: Option, text: str) -> bool:
    return option.optional and text.strip().lower() in ("none", "null", "")


def _parse(option: Option, text: str) -> Any:
    word = text.strip()
    if _is_none(option, word):
        return None
    if option.kind is str:
        return word if isinstance(option.limit, OneOf) else text
    if option.kind is bool:
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(word.lower(), text)
    try:
        return option.kind(word)
    except ValueError:
        return text
