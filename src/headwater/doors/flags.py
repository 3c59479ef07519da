"""Settings as flags: each option of a settings class becomes one flag of a command, with its sentence as the help."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import typer
from typer.models import ArgumentInfo

from headwater.errors import SettingError
from headwater.options import Duration, OneOf, Option, options_of

Command = Callable[..., None]

_OF_MODEL = inspect.Parameter(
    "of_model",
    inspect.Parameter.KEYWORD_ONLY,
    default=typer.Option(
        None, "--set", metavar="NAME=VALUE", help="A setting of the model itself; see headwater config."
    ),
    annotation=list[str] | None,
)


def with_flags(settings: type, *, of_model: bool = True) -> Callable[[Command], Command]:
    """Gives a command one flag for every option of `settings`, and `--set NAME=VALUE` for those of the model itself.

    The latter only `of_model`, where a model learns.

    What the user gives, and nothing else, arrives in the `**settings` of the command.
    Values stay texts: `headwater.options.build` converts and checks them, so that a wrong value is told in the same
    words wherever it came from.
    """
    options = options_of(settings)

    def decorate(command: Command) -> Command:
        signature = inspect.signature(command, eval_str=True)
        own = [entry for entry in signature.parameters.values() if entry.kind is not inspect.Parameter.VAR_KEYWORD]
        taken = {entry.name: _spelled(entry) for entry in own} | {option.name: option.flag for option in options}

        @functools.wraps(command)
        def with_settings(**values: Any) -> None:
            given = {option.name: _given(option, values.pop(option.name)) for option in options}
            pairs = assignments(values.pop(_OF_MODEL.name, None) or ())
            _refuse_taken(pairs, taken)
            command(**values, **{name: value for name, value in given.items() if value is not None}, **pairs)

        flags = [_flag(option) for option in options]
        vars(with_settings)["__signature__"] = signature.replace(parameters=[*own, *[_OF_MODEL][:of_model], *flags])
        return with_settings

    return decorate


def assignments(pairs: Iterable[str], *, where: str = "--set", plain: bool = False) -> dict[str, str]:
    """The names and values in texts such as `hidden=128`; `plain` names are kept as they are written.

    Raises:
        SettingError: a text without `=` or without a name.

    Example:
        >>> assignments(["hidden=128", "bidirectional=false"])
        {'hidden': '128', 'bidirectional': 'false'}
    """
    values = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            what = "A column" if plain else "A model setting"
            raise SettingError(f"{what} needs a name and a value", where=where, got=pair, accepted="NAME=VALUE")
        values[name.strip() if plain else name.strip().replace("-", "_")] = value
    return values


def _refuse_taken(of_model: dict[str, str], taken: dict[str, str]) -> None:
    for name, value in of_model.items():
        if name in taken:
            raise SettingError(
                "The model itself has no setting of this name, the command has", where="--set",
                got=f"{name}={value}", fix=f"Give it as {taken[name]}.",
            )  # fmt: skip


def _spelled(parameter: inspect.Parameter) -> str:
    """How an argument or flag of the command is written on the command line."""
    argument = parameter.annotation.__metadata__[0]
    if isinstance(argument, ArgumentInfo):
        return argument.metavar or parameter.name.upper()
    return "--" + parameter.name.replace("_", "-")


def _given(option: Option, value: Any) -> Any:
    """One text may hold several names divided by commas; a flag given several times holds one name each."""
    if option.many and isinstance(value, list):
        return None if not value else value[0] if len(value) == 1 else value
    return value


def _flag(option: Option) -> inspect.Parameter:
    kind: Any = bool if option.kind is bool else list[str] if option.many else str
    names = f"{option.flag}/--no-{option.flag.removeprefix('--')}" if kind is bool else option.flag
    flag = typer.Option(
        None,
        names,
        help=_help(option),
        metavar=None if kind is bool else _metavar(option),
        rich_help_panel=option.section,
        show_default=False,
    )
    return inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=flag, annotation=kind | None)


def _help(option: Option) -> str:
    notes = [option.kinds] if option.of else []
    notes += [option.accepted] if option.limit is not None else []
    if option.default is not None:
        notes.append(f"default {_word(option.default)}")
    return f"{option.sentence} ({'; '.join(notes)})" if notes else option.sentence


def _word(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _metavar(option: Option) -> str:
    if isinstance(option.limit, Duration):
        return "TIME"
    if isinstance(option.limit, OneOf):
        return "NAME"
    return {int: "N", float: "X", str: "TEXT"}[option.kind]
