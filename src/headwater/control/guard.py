"""What an environment does wrong, told in one sentence: it is the user's code, and may do anything."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Final

import numpy as np

from headwater.control.spaces import Space
from headwater.errors import DataError, HeadwaterError

_LARGEST: Final = float(np.finfo(np.float32).max)
_FIX: Final = "Mend the environment; gymnasium.utils.env_checker.check_env finds such mistakes."


class Guard:
    """Within it, whatever an environment raises becomes a sentence that names the environment and what it was doing.

    Args:
        name: the environment.
        doing: what is asked of it, such as `step`.
    """

    def __init__(self, name: str, doing: str) -> None:
        self.name, self.doing = name, doing

    def __enter__(self) -> None:
        """Nothing is opened."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # An environment that ends the process with sys.exit, such as a game whose window was closed, is broken as well.
        if isinstance(error, Exception | SystemExit) and not isinstance(error, HeadwaterError):
            raise DataError(
                f"The environment broke down in {self.doing}", where=self.name,
                got=f"{type(error).__name__}: {error}", fix=_FIX,
            ) from error  # fmt: skip


def observed(value: Any, space: Space, name: str) -> np.ndarray:
    """The raw numbers of an observation.

    Raises:
        DataError: it is not of the space that the environment declares.
    """
    try:
        return space.raw(value)
    except (ValueError, TypeError, KeyError, OverflowError) as wrong:
        raise DataError(
            "The environment gave an observation that is none of its own space", where=name, got=str(wrong),
            accepted=str(space), fix=_FIX,
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
            fix=_FIX,
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
            accepted="observation, reward, terminated, truncated, info", fix=_FIX,
        )  # fmt: skip
    return answer


def stepped(answer: Any, name: str) -> tuple[Any, Any, bool, bool]:
    """Observation, reward, terminated and truncated of what `step` gave.

    Raises:
        DataError: it gave something else.
    """
    value, reward, terminated, truncated, _ = five(answer, name)
    try:
        return value, reward, bool(terminated), bool(truncated)
    except (TypeError, ValueError) as wrong:
        raise DataError(
            "The environment does not tell whether its episode has ended", where=name,
            got=f"{terminated}, {truncated}", accepted="true or false, for terminated and for truncated", fix=_FIX,
        ) from wrong  # fmt: skip
