"""What can be observed and what can be done, as plain data that outlives the environment it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Final

import numpy as np

from headwater.control.box import Box
from headwater.control.space import Space

_LETTERS: Final = tuple(map(ord, "abcdefghijklmnopqrstuvwxyz "))


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
        try:
            number = np.asarray(value).reshape(-1)
        except ValueError:  # lists of unequal lengths
            raise ValueError(f"not {self}") from None
        if number.size != 1 or isinstance(value, bool) or not (
            np.issubdtype(number.dtype, np.number) and float(number[0]).is_integer()
            and self.start <= number[0] < self.start + self.n
        ):  # fmt: skip
            raise ValueError(f"not {self}")
        return number.astype(np.int64) - self.start

    def encode(self, raw: np.ndarray) -> np.ndarray:
        # Not rows of `np.eye`, which is a table of n times n.
        found = np.zeros((len(raw), self.n), dtype=np.float32)
        found[np.arange(len(raw)), raw[:, 0]] = 1.0
        return found

    def value(self, raw: np.ndarray) -> int:
        return int(raw[0]) + self.start

    def sample(self, random: np.random.Generator, rows: int) -> np.ndarray:
        return random.integers(0, self.n, (rows, 1))

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "n": self.n, "start": self.start}


@dataclass(frozen=True)
class Choices(Space):
    """Several choices at once, of `counts` each (Gymnasium's MultiDiscrete and MultiBinary).

    Attributes:
        counts: how many there are of each.
        start: the number of the first of each; none where all are 0.
        shape: of the array in which the environment has them; none where it is a plain row.
        given: the type of the numbers as the environment takes them.

    Example:
        >>> Choices((2, 3)).encode(np.array([[1, 0]])).tolist(), str(Choices((2, 3)))
        ([[0.0, 1.0, 1.0, 0.0, 0.0]], '2 whole numbers from 0, below 2, 3')
    """

    counts: tuple[int, ...]
    start: tuple[int, ...] = ()
    shape: tuple[int, ...] = ()
    given: str = field(default="int64", compare=False)
    kind: ClassVar[str] = "choices"

    def __str__(self) -> str:
        sides = f", {' x '.join(map(str, self.shape))}" if self.shape else ""
        first = _one_or_all(self.start or (0,))
        return f"{self.size} whole numbers from {first}, below {_one_or_all(self._ends.tolist())}{sides}"

    @property
    def size(self) -> int:
        return len(self.counts)

    @property
    def width(self) -> int:
        return sum(self.counts)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.int64)

    @cached_property
    def _start(self) -> np.ndarray:
        return np.array(self.start or (0,) * self.size, np.int64)

    @cached_property
    def _ends(self) -> np.ndarray:
        return self._start + np.array(self.counts, np.int64)

    def raw(self, value: Any) -> np.ndarray:
        try:
            numbers = np.asarray(value)
        except ValueError:  # lists of unequal lengths
            raise ValueError(f"not {self}") from None
        if numbers.dtype.kind not in "biuf" or numbers.shape not in (self.shape or (self.size,), (self.size,)):
            raise ValueError(f"not {self}")
        flat = numbers.reshape(-1)
        if not ((flat >= self._start) & (flat < self._ends) & (np.rint(flat) == flat)).all():
            raise ValueError(f"not {self}")
        return flat.astype(np.int64) - self._start

    def encode(self, raw: np.ndarray) -> np.ndarray:
        found = np.zeros((len(raw), self.width), dtype=np.float32)
        first = np.cumsum([0, *self.counts[:-1]])
        np.put_along_axis(found, raw + first, 1.0, axis=1)
        return found

    def value(self, raw: np.ndarray) -> np.ndarray:
        return (raw.astype(np.int64) + self._start).astype(self.given).reshape(self.shape or (self.size,))

    def sample(self, random: np.random.Generator, rows: int) -> np.ndarray:
        return random.integers(0, np.array(self.counts), (rows, self.size))

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind, "counts": list(self.counts), "start": list(self.start), "shape": list(self.shape),
            "given": self.given,
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
        found = []
        for name, space, part in zip(self.names, self.spaces, self._parts(value), strict=True):
            try:
                found.append(space.raw(part).astype(np.float32))
            except (ValueError, TypeError, OverflowError) as wrong:
                raise ValueError(f"wrong in {name}: {wrong}") from wrong
        return np.concatenate(found)

    def _parts(self, value: Any) -> Sequence[Any]:
        """What a value has for each space, by name or in their order."""
        if isinstance(value, Mapping):
            lacking = [name for name in self.names if name not in value]
            if lacking:
                raise ValueError(f"an object without {', '.join(lacking)}")
            return [value[name] for name in self.names]
        if not isinstance(value, list | tuple | np.ndarray):
            raise ValueError("no object of parts")
        if len(value) != len(self.names):
            raise ValueError(f"{len(value)} parts, not {len(self.names)}")
        return value  # type: ignore[return-value]

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
        # Older agents were told neither where choices begin nor how they lie.
        return Choices(
            tuple(told["counts"]), tuple(told.get("start", ())), tuple(told.get("shape", ())),
            told.get("given", "int64"),
        )  # fmt: skip
    if told["kind"] == Box.kind:
        low, high = (tuple(map(float, told[end])) for end in ("low", "high"))
        return Box(tuple(told["shape"]), low, high, told["pixels"], told.get("given", "float32"))
    if told["kind"] == Text.kind:
        return Text(told["longest"])
    return Parts(tuple(told["names"]), tuple(map(from_json, told["spaces"])))


def _one_or_all(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers if len(set(numbers)) > 1 else numbers[:1]))


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
