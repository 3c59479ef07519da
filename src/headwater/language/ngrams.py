"""Counts of word and character n-grams, as whole-array operations over many texts at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
from scipy import sparse

from headwater.language.tokens import normalise, tokens


class Ngrams:
    """Counts how often each n-gram of words or of characters occurs in each text.

    N-grams are learnt by length. Each is a shorter known one and the unit that follows it, so its key is one whole
    number and the vocabulary one sorted array a length. What is in few rows cannot begin what is in many, so only
    frequent ones are extended (Apriori; Agrawal and Srikant 1994).

    Args:
        low: units in the shortest n-gram.
        high: units in the longest.
        words: count words, else characters.
        bounded: character n-grams may touch the edge of a word but not cross it.
        min_rows: rows of the training text in which an n-gram must occur to be kept.

    Example:
        >>> grams = Ngrams(1, 2, words=True, min_rows=2).learn(["so good", "so so good"])
        >>> grams.counts(["so so good"]).toarray().tolist(), grams.names()
        ([[2.0, 1.0, 1.0]], ['so', 'good', 'so good'])
    """

    def __init__(self, low: int, high: int, *, words: bool, bounded: bool = False, min_rows: int = 1) -> None:
        self.low, self.high, self.words, self.bounded, self.min_rows = low, high, words, bounded, min_rows
        self.units: dict[str, int] = {}
        self.tables: list[np.ndarray] = []

    def __len__(self) -> int:
        return sum(len(table) for table in self.tables[self.low - 1 :])

    def learn(self, texts: Sequence[str]) -> Self:
        """Makes the vocabulary."""
        if self.words:
            seen = dict.fromkeys(token for text in texts for token in tokens(text))
            self.units = {token: code for code, token in enumerate(seen)}
        self.tables = []
        for _ in self._found(*self._codes(texts), learning=True):
            pass
        if self.words:
            self._forget_rare_words()
        return self

    def counts(self, texts: Sequence[str]) -> sparse.csr_array:
        """How often each n-gram occurs in each text, float32 of shape (texts, n-grams)."""
        codes, rows = self._codes(texts)
        blocks = [
            _tally(ids, rows[: len(ids)], (len(texts), len(self.tables[length - 1])))
            for length, ids in self._found(codes, rows)
            if length >= self.low
        ]
        return sparse.csr_array(sparse.hstack(blocks, format="csr"))

    def names(self) -> list[str]:
        """Each n-gram as text, in the order of the columns."""
        units = list(self.units) if self.words else [chr(code) for code in self.tables[0].tolist()]
        glue = " " if self.words else ""
        by_length = [units]
        for table in self.tables[1:]:
            shorter, last = (part.tolist() for part in np.divmod(table, max(len(units), 1)))
            by_length.append(
                [f"{by_length[-1][start]}{glue}{units[end]}" for start, end in zip(shorter, last, strict=True)]
            )
        return [name for names in by_length[self.low - 1 :] for name in names]

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What `from_state` needs: a JSON-able part and the arrays."""
        values = {name: getattr(self, name) for name in ("low", "high", "words", "bounded", "min_rows")}
        return {**values, "units": list(self.units)}, {str(length): table for length, table in enumerate(self.tables)}

    @classmethod
    def from_state(cls, values: dict[str, Any], tables: dict[str, np.ndarray]) -> Self:
        """The n-grams whose `state` this was."""
        units = values.pop("units")
        made = cls(**values)
        made.units = {token: code for code, token in enumerate(units)}
        made.tables = [tables[str(length)] for length in range(made.high)]
        return made

    def _codes(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """The units of all texts in one flat array (-1: unknown), and the row of each."""
        if self.words:
            split = [tokens(text) for text in texts]
            known = [self.units.get(token, -1) for row in split for token in row]
            codes, lengths = np.array(known, dtype=np.int64), [len(row) for row in split]
        else:
            padded = [f" {' '.join(normalise(text).split())} " for text in texts]
            raw = "".join(padded).encode("utf-32-le", "surrogatepass")
            codes, lengths = np.frombuffer(raw, dtype="<u4").astype(np.int64), [len(text) for text in padded]
        return codes, np.repeat(np.arange(len(texts), dtype=np.int64), lengths)

    def _found(
        self, codes: np.ndarray, rows: np.ndarray, *, learning: bool = False
    ) -> Iterator[tuple[int, np.ndarray]]:
        """For each length, the number of the n-gram at each place in the table of that length (-1: unknown)."""
        keys, units = codes, np.empty(0, dtype=np.int64)
        for length in range(1, self.high + 1):
            if learning:
                self.tables.append(_frequent(keys, rows[: len(keys)], self.min_rows))
            ids = _positions(self.tables[length - 1], keys)
            units = ids if length == 1 else units
            yield length, ids
            keys = self._longer(ids, units, codes, rows)

    def _longer(self, ids: np.ndarray, units: np.ndarray, codes: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """The key at each place of the n-gram one unit longer than the known one there; -1 where there is none."""
        length = len(units) - len(ids) + 1
        last = units[length:]
        starts = len(last)
        whole = (ids[:starts] >= 0) & (last >= 0) & (rows[:starts] == rows[length:])
        if self.bounded and length > 1:
            whole &= codes[length - 1 : -1] != ord(" ")
        return np.where(whole, ids[:starts] * len(self.tables[0]) + last, -1)

    def _forget_rare_words(self) -> None:
        known = list(self.units)
        self.units = {known[code]: position for position, code in enumerate(self.tables[0].tolist())}
        self.tables[0] = np.arange(len(self.units), dtype=np.int64)


def _frequent(keys: np.ndarray, rows: np.ndarray, min_rows: int) -> np.ndarray:
    """The sorted keys that occur in at least this many rows."""
    n_rows = int(rows.max(initial=0)) + 1
    places = np.unique((keys * n_rows + rows)[keys >= 0])
    table, in_rows = np.unique(places // n_rows, return_counts=True)
    return table[in_rows >= min_rows]


def _positions(table: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """The position of each key in a sorted table, -1 where it is not there."""
    if not len(table):
        return np.full(len(keys), -1)
    found = np.minimum(np.searchsorted(table, keys), len(table) - 1)
    return np.where(table[found] == keys, found, -1)


def _tally(ids: np.ndarray, rows: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    """How often each id occurs in each row; negative ids are left out."""
    known = ids >= 0
    ones = np.ones(int(known.sum()), dtype=np.float32)
    # 32-bit indices: liblinear takes no others.
    places = (rows[known].astype(np.int32), ids[known].astype(np.int32))
    return sparse.csr_array(sparse.coo_array((ones, places), shape=shape))
