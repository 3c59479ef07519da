"""What can be observed and what can be done, as plain data that outlives the environment it came from.

An observation is known in two forms: `raw`, its numbers in a row as the environment gave them, which is what is stored
and sent; and `encoded`, what a network reads, in which a choice is a one among zeros.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np

from headwater.control.picture import Picture
from headwater.errors import DataError

MOST_NUMBERS: Final = 16_777_216
"""Numbers in one observation; more is taken for a mistake."""
_LETTERS: Final = tuple(map(ord, "abcdefghijklmnopqrstuvwxyz "))


class Space(ABC):
    """One kind of observation or action.

    Attributes:
        size: how many raw numbers it has.
        width: how many it has when encoded.
        dtype: the type of the raw numbers.
    """

    kind: ClassVar[str]

    @property
    @abstractmethod
    def size(self) -> int: ...

    @property
    @abstractmethod
    def width(self) -> int: ...

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]: ...

    @abstractmethod
    def raw(self, value: Any) -> np.ndarray:
        """The numbers of a value that an environment gave, shape (size,).

        Raises:
            ValueError, TypeError: it is none of this space.
        """

    @abstractmethod
    def encode(self, raw: np.ndarray) -> np.ndarray:
        """What a network reads of raw numbers of shape (rows, size): float32 of shape (rows, width)."""

    @abstractmethod
    def value(self, raw: np.ndarray) -> Any:
        """The value of raw numbers of shape (size,), as an environment takes it."""

    @abstractmethod
    def sample(self, random: np.random.Generator, rows: int) -> np.ndarray:
        """Raw numbers drawn at random, shape (rows, size); of an unbounded side from a standard normal."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """The space as plain data, which `from_json` reads back."""

    def read(self, cell: Any) -> np.ndarray:
        """The raw numbers of a cell of a table or a request: a number, a list of numbers, or JSON text of one.

        Raises:
            ValueError: it is no observation; the text of the error says why.
        """
        if isinstance(cell, str):
            try:
                cell = json.loads(cell)
            except ValueError:
                raise ValueError("a text that is no list of numbers") from None
        try:
            return self.raw(cell)
        except (TypeError, KeyError, OverflowError) as wrong:
            raise ValueError(f"not {self}") from wrong

    def plain(self, raw: np.ndarray) -> Any:
        """A value as JSON has it."""
        found = self.value(raw)
        return found.tolist() if isinstance(found, np.ndarray) else found


@dataclass(frozen=True)
class Discrete(Space):
    """One of `n` choices, numbered from `start`.

    Example:
        >>> Discrete(3).encode(np.array([[2]])).tolist(), str(Discrete(3))
        ([[0.0, 0.0, 1.0]], 'a whole number from 0 to 2')
    """

    n: int
    start: int = 0
    kind: ClassVar[str] = "discrete"

    def __str__(self) -> str:
        return f"a whole number from {self.start} to {self.start + self.n - 1}"

    @property
    def size(self) -> int:
        return 1

    @property
    def width(self) -> int:
        return self.n

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.int64)

    def raw(self, value: Any) -> np.ndarray:
        number = np.asarray(value).reshape(-1)
        if number.size != 1 or isinstance(value, bool) or not (
            np.issubdtype(number.dtype, np.number) and float(number[0]).is_integer()
            and self.start <= number[0] < self.start + self.n
        ):  # fmt: skip
            raise ValueError(f"not {self}")
        return number.astype(np.int64) - self.start

    def encode(self, raw: np.ndarray) -> np.ndarray:
        return np.eye(self.n, dtype=np.float32)[raw[:, 0]]

    def value(self, raw: np.ndarray) -> int:
        return int(raw[0]) + self.start

    def sample(self, random: np.random.Generator, rows: int) -> np.ndarray:
        return random.integers(0, self.n, (rows, 1))

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "n": self.n, "start": self.start}


@dataclass(frozen=True)
class Choices(Space):
    """Several choices at once, of `counts` each (Gymnasium's MultiDiscrete and MultiBinary).

    Example:
        >>> Choices((2, 3)).encode(np.array([[1, 0]])).tolist(), str(Choices((2, 3)))
        ([[0.0, 1.0, 1.0, 0.0, 0.0]], '2 whole numbers from 0, below 2, 3')
    """

    counts: tuple[int, ...]
    kind: ClassVar[str] = "choices"

    def __str__(self) -> str:
        return f"{self.size} whole numbers from 0, below {', '.join(map(str, self.counts))}"

    @property
    def size(self) -> int:
        return len(self.counts)

    @property
    def width(self) -> int:
        return sum(self.counts)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.int64)

    def raw(self, value: Any) -> np.ndarray:
        numbers = np.asarray(value).reshape(-1)
        whole = numbers.size == self.size and np.array_equal(numbers, numbers.astype(np.int64))
        if not whole or (numbers < 0).any() or (numbers >= np.array(self.counts)).any():
            raise ValueError(f"not {self}")
        return numbers.astype(np.int64)

    def encode(self, raw: np.ndarray) -> np.ndarray:
        found = np.zeros((len(raw), self.width), dtype=np.float32)
        first = np.cumsum([0, *self.counts[:-1]])
        np.put_along_axis(found, raw + first, 1.0, axis=1)
        return found

    def value(self, raw: np.ndarray) -> np.ndarray:
        return raw.astype(np.int64)

    def sample(self, random: np.random.Generator, rows: int) -> np.ndarray:
        return random.integers(0, np.array(self.counts), (rows, self.size))

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "counts": list(self.counts)}


@dataclass(frozen=True)
class Box(Space):
    """Numbers in an array of a shape, each between a low and a high end, which may be infinite.

    Example:
        >>> box = Box((2,), (0.0, -1.0), (1.0, 1.0))
        >>> str(box), box.read("[0.5, 0]").tolist()
        ('2 numbers', [0.5, 0.0])
    """

    shape: tuple[int, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    pixels: bool = False
    kind: ClassVar[str] = "box"

    def __str__(self) -> str:
        sides = f", {' x '.join(map(str, self.shape))}" if len(self.shape) > 1 else ""
        if self.picture is not None:
            return f"an image of whole numbers from 0 to 255{sides}"
        return f"{self.size} number{'s' * (self.size != 1)}{sides}"

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def width(self) -> int:
        return self.size

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.uint8 if self.pixels else np.float32)

    @property
    def picture(self) -> Picture | None:
        """How its pixels lie; None where it is no image."""
        return Picture.of(self.shape) if self.pixels else None

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """The low and the high end of each number, shape (size,) each."""
        low, high = (np.broadcast_to(np.array(end, np.float32), self.size) for end in (self.low, self.high))
        return low, high

    def raw(self, value: Any) -> np.ndarray:
        numbers = np.asarray(value, dtype=self.dtype)
        if numbers.shape not in (self.shape, (self.size,)) and not numbers.size == self.size == 1:
            raise ValueError(f"{numbers.size} number{'s' * (numbers.size != 1)}, not {self}")
        if not self.pixels and not np.isfinite(numbers).all():
            raise ValueError("a number that is not finite")
        return numbers.reshape(-1)

    def encode(self, raw: np.ndarray) -> np.ndarray:
        return raw.astype(np.float32) / 255 if self.pixels else raw.astype(np.float32, copy=False)

    def value(self, raw: np.ndarray) -> np.ndarray:
        return raw.reshape(self.shape).astype(self.dtype)

    def sample(self, random: np.random.Generator, rows: int) -> np.ndarray:
        low, high = self.ends
        bounded = np.isfinite(low) & np.isfinite(high)
        normal = np.clip(random.standard_normal((rows, self.size)), low, high)
        within = random.uniform(np.where(bounded, low, 0), np.where(bounded, high, 1), (rows, self.size))
        return np.where(bounded, within, normal).astype(self.dtype)

    def to_json(self) -> dict[str, Any]:
        ends = [[str(one) if np.isinf(one) else one for one in end] for end in (self.low, self.high)]
        return {
            "kind": self.kind, "shape": list(self.shape), "low": ends[0], "high": ends[1], "pixels": self.pixels,
        }  # fmt: skip


@dataclass(frozen=True)
class Text(Space):
    """A text of at most so many characters. Its raw numbers are their code points, and zeros behind its end.

    Example:
        >>> Text(4).raw("go").tolist(), Text(4).value(np.array([103, 111, 0, 0])), str(Text(4))
        ([103, 111, 0, 0], 'go', 'a text of at most 4 characters')
    """

    longest: int
    kind: ClassVar[str] = "text"

    def __str__(self) -> str:
        return f"a text of at most {self.longest:,} characters"

    @property
    def size(self) -> int:
        return self.longest

    @property
    def width(self) -> int:
        return self.longest

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.int32)

    def raw(self, value: Any) -> np.ndarray:
        if not isinstance(value, str) or len(value) > self.longest:
            raise ValueError(f"not {self}")
        points = np.zeros(self.longest, np.int32)
        points[: len(value)] = [ord(one) for one in value]
        return points

    def read(self, cell: Any) -> np.ndarray:
        return self.raw(cell)

    def encode(self, raw: np.ndarray) -> np.ndarray:
        # A float32 holds every code point there is.
        return raw.astype(np.float32)

    def value(self, raw: np.ndarray) -> str:
        return "".join(map(chr, raw.astype(np.int64).tolist())).rstrip("\0")

    def sample(self, random: np.random.Generator, rows: int) -> np.ndarray:
        return random.choice(_LETTERS, (rows, self.longest)).astype(np.int32)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "longest": self.longest}


@dataclass(frozen=True)
class Parts(Space):
    """Several spaces side by side under names, which for a tuple are numbers.

    Example:
        >>> both = Parts(("goal", "place"), (Discrete(2), Box((1,), (0.0,), (1.0,))))
        >>> both.raw({"place": [0.5], "goal": 1}).tolist(), both.width
        ([1.0, 0.5], 3)
    """

    names: tuple[str, ...]
    spaces: tuple[Space, ...]
    kind: ClassVar[str] = "parts"

    def __str__(self) -> str:
        return ", ".join(f"{name}: {space}" for name, space in zip(self.names, self.spaces, strict=True))

    @property
    def size(self) -> int:
        return sum(space.size for space in self.spaces)

    @property
    def width(self) -> int:
        return sum(space.width for space in self.spaces)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float32)

    def raw(self, value: Any) -> np.ndarray:
        parts = [value[name] for name in self.names] if isinstance(value, Mapping) else value
        return np.concatenate([
            space.raw(part).astype(np.float32) for space, part in zip(self.spaces, parts, strict=True)
        ])  # fmt: skip

    def encode(self, raw: np.ndarray) -> np.ndarray:
        parts = zip(self.spaces, self._cut(raw), strict=True)
        return np.concatenate([space.encode(part.astype(space.dtype)) for space, part in parts], axis=1)

    def value(self, raw: np.ndarray) -> dict[str, Any]:
        parts = zip(self.names, self.spaces, self._cut(raw), strict=True)
        return {name: space.value(part.astype(space.dtype)) for name, space, part in parts}

    def plain(self, raw: np.ndarray) -> Any:
        parts = zip(self.names, self.spaces, self._cut(raw), strict=True)
        return {name: space.plain(part.astype(space.dtype)) for name, space, part in parts}

    def sample(self, random: np.random.Generator, rows: int) -> np.ndarray:
        return np.concatenate([space.sample(random, rows).astype(np.float32) for space in self.spaces], axis=1)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "names": list(self.names), "spaces": [one.to_json() for one in self.spaces]}

    def _cut(self, raw: np.ndarray) -> list[np.ndarray]:
        return np.split(raw, np.cumsum([space.size for space in self.spaces])[:-1], axis=-1)


def leaves(space: Space) -> list[tuple[Space, slice]]:
    """The spaces that a space is put together from, none of them in parts, and where each lies in an encoded row.

    Example:
        >>> [(str(one), place.start) for one, place in leaves(Parts(("a", "b"), (Discrete(3), Discrete(2))))]
        [('a whole number from 0 to 2', 0), ('a whole number from 0 to 1', 3)]
    """
    found, start = list[tuple[Space, slice]](), 0
    for one in space.spaces if isinstance(space, Parts) else (space,):
        inside = leaves(one) if isinstance(one, Parts) else [(one, slice(0, one.width))]
        found += [(leaf, slice(start + place.start, start + place.stop)) for leaf, place in inside]
        start += one.width
    return found


def from_json(told: Mapping[str, Any]) -> Space:
    """Takes back what `to_json` gave.

    Example:
        >>> from_json(Discrete(4).to_json())
        Discrete(n=4, start=0)
    """
    if told["kind"] == Discrete.kind:
        return Discrete(told["n"], told["start"])
    if told["kind"] == Choices.kind:
        return Choices(tuple(told["counts"]))
    if told["kind"] == Box.kind:
        low, high = (tuple(map(float, told[end])) for end in ("low", "high"))
        return Box(tuple(told["shape"]), low, high, told["pixels"])
    if told["kind"] == Text.kind:
        return Text(told["longest"])
    return Parts(tuple(told["names"]), tuple(map(from_json, told["spaces"])))


def of_gymnasium(space: Any, *, where: str) -> Space:
    """The space of an environment of Gymnasium.

    Raises:
        DataError: it is of a kind that no agent here reads, or far too large.
    """
    from gymnasium import spaces

    if isinstance(space, spaces.Discrete):
        return Discrete(int(space.n), int(space.start))
    if isinstance(space, spaces.MultiDiscrete):
        return Choices(tuple(map(int, space.nvec.reshape(-1))))
    if isinstance(space, spaces.MultiBinary):
        return Choices((2,) * int(np.prod(space.shape)))
    if isinstance(space, spaces.Box):
        return _box(space, where)
    if isinstance(space, spaces.Text):
        _refuse_large(space.max_length, space, where)
        return Text(int(space.max_length))
    if isinstance(space, spaces.Dict | spaces.Tuple):
        named = sorted(space.items()) if isinstance(space, spaces.Dict) else enumerate(space)
        parts = {str(name): of_gymnasium(one, where=where) for name, one in named}
        return Parts(tuple(parts), tuple(parts.values()))
    raise DataError(
        "The environment has a space that no agent reads", where=where, got=type(space).__name__,
        accepted="Box, Discrete, MultiDiscrete, MultiBinary, Text, and Dict and Tuple of these",
        fix="Change it with a wrapper of gymnasium.wrappers.",
    )  # fmt: skip


def _box(space: Any, where: str) -> Box:
    _refuse_large(float(np.prod(space.shape, dtype=np.float64)), space.shape, where)
    return Box(tuple(map(int, space.shape)), _ends(space.low), _ends(space.high), space.dtype == np.uint8)


def _refuse_large(numbers: float, got: Any, where: str) -> None:
    if numbers > MOST_NUMBERS:
        raise DataError(
            "An observation or action of this environment is far too large", where=where, got=got,
            accepted=f"at most {MOST_NUMBERS:,} numbers", fix="Make it smaller with a wrapper of gymnasium.wrappers.",
        )  # fmt: skip


def _ends(numbers: np.ndarray) -> tuple[float, ...]:
    """One number where all are the same: an image has thousands."""
    flat: Sequence[float] = np.asarray(numbers, dtype=np.float64).reshape(-1).tolist()
    return (flat[0],) if len(set(flat)) == 1 else tuple(flat)


def alike(one: Space, other: Space) -> bool:
    """Whether what learnt to read one space can read another: all but the ends of numbers is the same.

    Example:
        >>> alike(Box((1,), (-1.0,), (1.0,)), Box((1,), (-2.0,), (2.0,))), alike(Discrete(16), Discrete(64))
        (True, False)
    """
    if isinstance(one, Parts) and isinstance(other, Parts):
        return one.names == other.names and all(map(alike, one.spaces, other.spaces))
    if isinstance(one, Box) and isinstance(other, Box):
        return (one.shape, one.dtype) == (other.shape, other.dtype)
    return one == other
