"""The tokens that a network trained from scratch knows, and texts as their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headwater.data.fields import TextInput
from headwater.language.tokens import tokens

PADDING, UNKNOWN, SEPARATOR = 0, 1, 2
_SPECIAL = 3


@dataclass(frozen=True)
class Encoded:
    """Token numbers of many texts in one flat array.

    Attributes:
        ids: the numbers of all texts one after another, int32.
        lengths: the tokens of each text, at least one, shape (rows,).
    """

    ids: np.ndarray
    lengths: np.ndarray

    def __len__(self) -> int:
        return len(self.lengths)

    def padded(self, rows: np.ndarray) -> np.ndarray:
        """The numbers of these rows, filled up with PADDING to the longest: int64 of shape (rows, tokens)."""
        lengths = self.lengths[rows]
        starts = (np.cumsum(self.lengths) - self.lengths)[rows]
        places = np.arange(lengths.max(initial=0))
        inside = places < lengths[:, None]
        return np.where(inside, self.ids[np.where(inside, starts[:, None] + places, 0)], PADDING).astype(np.int64)


class Vocabulary:
    """The most frequent tokens of the training texts; all others are UNKNOWN.

    Example:
        >>> vocabulary = Vocabulary.learn(["good film", "good plot"], size=10, min_count=2)
        >>> vocabulary.encode(["a good film", ("good", "plot")], max_length=9).padded(np.array([0, 1])).tolist()
        [[1, 3, 1], [3, 2, 1]]
    """

    def __init__(self, known: Sequence[str]) -> None:
        self.known = list(known)
        self._numbers = {token: number for number, token in enumerate(self.known, start=_SPECIAL)}

    def __len__(self) -> int:
        return len(self.known) + _SPECIAL

    @classmethod
    def learn(cls, inputs: Sequence[TextInput], *, size: int, min_count: int) -> Vocabulary:
        """The vocabulary of at most `size` tokens that occur at least `min_count` times, most frequent first."""
        counts = Counter(token for text in inputs for part in _parts(text) for token in tokens(part))
        ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
        return cls([token for token, count in ordered[: size - _SPECIAL] if count >= min_count])

    def encode(self, inputs: Sequence[TextInput], *, max_length: int) -> Encoded:
        """The first `max_length` tokens of each text; of a pair, both sides with SEPARATOR between them."""
        rows = [np.array(self._row(text, max_length) or [UNKNOWN], dtype=np.int32) for text in inputs]
        ids = np.concatenate(rows) if rows else np.empty(0, dtype=np.int32)
        return Encoded(ids, np.array([len(row) for row in rows], dtype=np.int64))

    def _row(self, text: TextInput, max_length: int) -> list[int]:
        sides = [[self._numbers.get(token, UNKNOWN) for token in tokens(part)] for part in _parts(text)]
        if len(sides) == 1:
            return sides[0][:max_length]
        room = max_length - 1
        first = sides[0][: max(room - len(sides[1]), room // 2)]
        return [*first, SEPARATOR, *sides[1]][:max_length]


def _parts(text: TextInput) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else text
