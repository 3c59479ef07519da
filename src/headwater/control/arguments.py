"""The arguments that an environment is made with: `--env NAME=VALUE`."""

from __future__ import annotations

import contextlib
import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from headwater.errors import SettingError, did_you_mean


def arguments_of(options: Iterable[str]) -> dict[str, Any]:
    """Texts `NAME=VALUE` as arguments; a value is JSON where it can be, else a text.

    Raises:
        SettingError: one is none, or a name is given twice.

    Example:
        >>> arguments_of(["map_name=8x8", "is_slippery=false"])
        {'map_name': '8x8', 'is_slippery': False}
    """
    found = dict[str, Any]()
    for text in options:
        name, equals, value = str(text).partition("=")
        name = name.strip()
        if not equals or not name:
            raise SettingError("An argument of the environment needs a name and a value", where="--env", got=text,
                               accepted="NAME=VALUE")  # fmt: skip
        if name in found:
            raise SettingError("An argument of the environment is given twice", where="--env", got=name,
                               accepted="each name once")  # fmt: skip
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


@contextlib.contextmanager
def checked(environment: str, given: Mapping[str, Any], maker: Callable[[], Callable[..., Any]]) -> Iterator[None]:
    """Within, an environment is made; where it takes no argument of a name, it is told which it does take.

    Args:
        environment: its name.
        given: the arguments.
        maker: finds what makes it, whose signature has the names.

    Raises:
        SettingError: an argument has another name.
    """
    try:
        yield
    except TypeError as wrong:
        known = _names(maker()) if given else None
        if known is None:
            raise
        for name in given:
            if name not in known:
                near = [one for one in known if one.startswith(name) or name.startswith(one)]
                raise SettingError(
                    f"{environment} takes no argument of this name", where="--env", got=name, accepted=known or "none",
                    fix=did_you_mean(name, known) or (f"Did you mean {' or '.join(near)}?" if near else None),
                ) from wrong  # fmt: skip
        raise


def _names(maker: Callable[..., Any]) -> list[str] | None:
    """What can be given to something by name; None where it takes any, or does not say."""
    try:
        found = inspect.signature(maker).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(one.kind is one.VAR_KEYWORD for one in found):
        return None
    return [one.name for one in found if one.kind is not one.POSITIONAL_ONLY and one.kind is not one.VAR_POSITIONAL]
