"""The spaces that an environment declares in Gymnasium's words, in ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from headwater.control.box import Box
from headwater.control.space import Space
from headwater.control.spaces import Choices, Discrete, Parts, Text
from headwater.errors import DataError

MOST_NUMBERS: Final = 16_777_216
"""Numbers in one observation; more is taken for a mistake."""


def of_gymnasium(space: Any, *, where: str) -> Space:
    """The space of an environment of Gymnasium.

    Raises:
        DataError: it is of a kind that no agent here reads, far too large, or empty.
    """
    found = _read(space, where)
    if found.size < 1:
        raise DataError(
            "An observation or action of this environment has no numbers", where=where, got=space,
            accepted="one number or more", fix="Give it a shape without 0.",
        )  # fmt: skip
    return found


def _read(space: Any, where: str) -> Space:
    from gymnasium import spaces

    if isinstance(space, spaces.Discrete):
        _refuse_large(float(space.n), space, where)
        return Discrete(int(space.n), int(space.start))
    if isinstance(space, spaces.MultiDiscrete):
        _refuse_large(float(space.nvec.sum(dtype=np.float64)), space, where)
        counts, start = (tuple(map(int, part.reshape(-1))) for part in (space.nvec, space.start))
        return Choices(counts, start if any(start) else (), _shape(space), str(space.dtype))
    if isinstance(space, spaces.MultiBinary):
        size = int(np.prod(space.shape, dtype=np.float64))
        _refuse_large(2.0 * size, space, where)
        return Choices((2,) * size, (), _shape(space), str(space.dtype))
    if isinstance(space, spaces.Box):
        return _box(space, where)
    if isinstance(space, spaces.Text):
        _refuse_large(float(space.max_length), space, where)
        return Text(int(space.max_length))
    if isinstance(space, spaces.Dict | spaces.Tuple):
        named = sorted(space.items()) if isinstance(space, spaces.Dict) else enumerate(space)
        parts = {str(name): _read(one, where) for name, one in named}
        return Parts(tuple(parts), tuple(parts.values()))
    raise DataError(
        "The environment has a space that no agent reads", where=where, got=type(space).__name__,
        accepted="Box, Discrete, MultiDiscrete, MultiBinary, Text, and Dict and Tuple of these",
        fix="Change it with a wrapper of gymnasium.wrappers.",
    )  # fmt: skip


def _box(space: Any, where: str) -> Box:
    _refuse_large(float(np.prod(space.shape, dtype=np.float64)), space.shape, where)
    sides = tuple(map(int, space.shape))
    return Box(sides, _ends(space.low), _ends(space.high), space.dtype == np.uint8, str(space.dtype))


def _shape(space: Any) -> tuple[int, ...]:
    """The sides of an array of choices; none of a plain row of them."""
    return tuple(map(int, space.shape)) if len(space.shape) != 1 else ()


def _refuse_large(numbers: float, got: Any, where: str) -> None:
    if numbers > MOST_NUMBERS:
        raise DataError(
            "An observation or action of this environment is far too large", where=where, got=got,
            accepted=f"at most {MOST_NUMBERS:,} numbers, or choices of a number",
            fix="Make it smaller with a wrapper of gymnasium.wrappers.",
        )  # fmt: skip


def _ends(numbers: np.ndarray) -> tuple[float, ...]:
    """One number where all are the same: an image has thousands."""
    flat: Sequence[float] = np.asarray(numbers, dtype=np.float64).reshape(-1).tolist()
    return (flat[0],) if len(set(flat)) == 1 else tuple(flat)
