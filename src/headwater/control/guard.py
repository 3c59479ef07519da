"""What an environment does wrong, told in one sentence: it is the user's code, and may do anything."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final

import numpy as np

from headwater.control.spaces import Space
from headwater.errors import DataError, HeadwaterError

log = logging.getLogger("headwater")
_FLAGS: Final = {True: True, False: False}
"""What tells whether an episode has ended; 1 and 0 are keys of it as well."""
_LARGEST: Final = float(np.finfo(np.float32).max)
MEND: Final = "Mend the environment; gymnasium.utils.env_checker.check_env finds such mistakes."


class Guard:
    """Within it, whatever an environment raises becomes a sentence that names the environment and what it was doing.

    Args:
        name: the environment.
        doing: what is asked of it, such as `step`.
        fix: what the user can do.
    """

    def __init__(self, name: str, doing: str, fix: str = MEND) -> None:
        self.name, self.doing, self.fix = name, doing, fix

    def __enter__(self) -> None:
        """Nothing is opened."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # An environment that ends the process with sys.exit, such as a game whose window was closed, is broken as well.
        if isinstance(error, Exception | SystemExit) and not isinstance(error, HeadwaterError):
            raise DataError(
                f"The environment broke down in {self.doing}", where=self.name,
                got=f"{type(error).__name__}: {error}", fix=self.fix,
            ) from error  # fmt: skip


class Closing:
    """Within it an environment is closed, and whatever it raises is a warning: nothing is asked of it any more.

    Args:
        name: the environment.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        """Nothing is opened."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception | SystemExit):
            return False
        log.warning("%s: The environment broke down in close: %s: %s", self.name, type(error).__name__, error)
        return True


def observed(value: Any, space: Space, name: str) -> np.ndarray:
    """The raw numbers of an observation.

    Raises:
        DataError: it is not of the space that the environment declares.
    """
    try:
        return space.raw(value)
    except (ValueError, TypeError, OverflowError) as wrong:
        raise DataError(
            "The environment gave an observation that is none of its own space", where=name, got=str(wrong),
            accepted=str(space), fix=MEND,
        ) from wrong  # fmt: skip


def rewarded(reward: Any, name: str) -> float:
    """A reward as a number.

    Raises:
        DataError: it is not a finite one, or beyond float32.
    """
    try:
        number = float(reward)
    except (TypeError, ValueError):
        number = np.nan
    # Rewards are kept as float32, in which a larger one would be infinite.
    if not abs(number) <= _LARGEST:
        raise DataError(
            "The environment gave a reward that is no finite number", where=name, got=reward, accepted="a number",
            fix=MEND,
        )  # fmt: skip
    return number


def five(answer: Any, name: str) -> tuple[Any, ...]:
    """What `step` gave: observation, reward, terminated, truncated, info.

    Raises:
        DataError: it gave something else, such as the four values of the old gym.
    """
    if not isinstance(answer, tuple) or len(answer) != 5:
        raise DataError(
            "step of the environment gave something else than its five values", where=name,
            got=f"{len(answer)} values" if isinstance(answer, tuple) else answer,
            accepted="observation, reward, terminated, truncated, info", fix=MEND,
        )  # fmt: skip
    return answer


def stepped(answer: Any, name: str) -> tuple[Any, Any, bool, bool]:
    """Observation, reward, terminated and truncated of what `step` gave.

    Raises:
        DataError: it gave something else.
    """
    value, reward, terminated, truncated, _ = five(answer, name)
    return value, reward, *ended(terminated, truncated, name)


def ended(terminated: Any, truncated: Any, name: str) -> tuple[bool, bool]:
    """Whether an episode has come to its end, and whether it was cut.

    Raises:
        DataError: one of them is neither true nor false, nor 0 or 1.
    """
    found = _FLAGS.get(_scalar(terminated)), _FLAGS.get(_scalar(truncated))
    if found[0] is None or found[1] is None:
        raise DataError(
            "The environment does not tell whether its episode has ended", where=name,
            got=f"{terminated!r}, {truncated!r}", accepted="true or false, for terminated and for truncated", fix=MEND,
        )  # fmt: skip
    return found[0], found[1]


def _scalar(flag: Any) -> Any:
    """What can be looked up: anything but `None` and texts is true or false to Python, and nobody means it."""
    found = flag.item() if isinstance(flag, np.ndarray | np.generic) and flag.ndim == 0 else flag
    return found if isinstance(found, bool | int | float) else None


def begun(answer: Any, name: str) -> Any:
    """The observation of what `reset` gave: observation, info.

    Raises:
        DataError: it gave something else, such as the observation alone, as in the old gym.
    """
    if not isinstance(answer, tuple) or len(answer) != 2 or not isinstance(answer[1], Mapping | None):
        raise DataError(
            "reset of the environment gave something else than its two values", where=name,
            got=f"{len(answer)} values" if isinstance(answer, tuple) else answer, accepted="observation, info",
            fix=MEND,
        )  # fmt: skip
    return answer[0]
