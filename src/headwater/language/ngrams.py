"""Counts of word and character n-grams, as whole-array operations over all texts at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from headwater.language.tokens import normalise, tokens


class Ngrams:
    """Counts how often each n-gram of words or of characters occurs in each text.

    N-grams are learnt by length. An n-gram is the n-gram without its last unit, followed by that unit, so its key is one
    whole number and the vocabulary one sorted array a length; and one that is in few rows cannot begin a longer one that
    is in many, so only frequent ones are extended (the rule of Apriori, Agrawal and Srikant 1994).

    Args:
        low: units in the shortest n-gram.
        high: units in the longest.
        words: count words, else characters.
        bounded: character n-grams may touch the edge of a word but not cross it.
        min_rows: rows of the training text in which an n-gram must occur to be kept.

    Example:
        >>> grams = Ngrams(1, 2, words=True, min_rows=2)
        >>> grams.learn(["so good", "so so good"]).toarray().tolist(), grams.names()
        ([[1.0, 1.0, 1.0], [2.0, 1.0, 1.0]], ['so', 'good', 'so good'])
    """

    def __init__(self, low: int, high: int, *, words: bool, bounded: bool = False, min_rows: int = 1) -> None:
        self.low, self.high, self.words, self.bounded, self.min_rows = low, high, words, bounded, min_rows
        self.units: dict[str, int] = {}
        self.tables: list[np.ndarray] = []

    def learn(self, texts: Sequence[str]) -> sparse.csr_array:
        """Makes the vocabulary and returns the counts of shape (texts, n-grams)."""
        if self.words:
            seen = dict.fromkeys(token for text in texts for token in tokens(text))
            self.units = {token: code for code, token in enumerate(seen)}
        self.tables = []
        return self._count(texts, learning=True)

    def counts(self, texts: Sequence[str]) -> sparse.csr_array:
        """The counts of the known n-grams, shape (texts, n-grams)."""
        return self._count(texts, learning=False)

    def _count(self, texts: Sequence[str], *, learning: bool) -> sparse.csr_array:
        codes, rows = self._codes(texts)
        ids = units = codes
        blocks = []
        for length in range(1, self.high + 1):
            keys = codes if length == 1 else self._longer(ids, units, codes, rows, length)
            if learning:
                self.tables.append(_frequent(keys, rows, self.min_rows))
            table = self.tables[length - 1]
            ids = _positions(table, keys)
            units = ids if length == 1 else units
            if length >= self.low:
                blocks.append(_tally(ids, rows, (len(texts), len(table))))
        return sparse.csr_array(sparse.hstack(blocks, format="csr"))

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

    def _longer(
        self, ids: np.ndarray, units: np.ndarray, codes: np.ndarray, rows: np.ndarray, length: int
    ) -> np.ndarray:
        """The key of the n-gram of this length at each place: the known shorter one there and the unit after it."""
        last = units[length - 1 :]
        starts = len(last)
        whole = (ids[:starts] >= 0) & (last >= 0) & (rows[:starts] == rows[length - 1 :])
        if self.bounded and length > 2:
            whole &= codes[length - 2 : -1] != ord(" ")
        return np.where(whole, ids[:starts] * len(self.tables[0]) + last, -1)

    def names(self) -> list[str]:
        """Each n-gram as text, in the order of the columns."""
        known = list(self.units)
        units = known if self.words else [chr(code) for code in self.tables[0].tolist()]
        glue = " " if self.words else ""
        names, shorter = [], units
        for length, table in enumerate(self.tables, start=1):
            if length > 1:
                pairs = zip(*(part.tolist() for part in np.divmod(table, len(units))), strict=True)
                shorter = [f"{shorter[start]}{glue}{units[last]}" for start, last in pairs]
            names += shorter if length >= self.low else []
        return names


def _frequent(keys: np.ndarray, rows: np.ndarray, min_rows: int) -> np.ndarray:
    """The sorted keys that occur in at least this many rows."""
    n_rows = int(rows.max(initial=0)) + 1
    places = np.sort((keys * n_rows + rows[: len(keys)])[keys >= 0])
    new = np.append(True, places[1:] != places[:-1])[: len(places)]
    table, in_rows = np.unique(places[new] // n_rows, return_counts=True)
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
    return sparse.csr_array(sparse.coo_array((ones, (rows[: len(ids)][known], ids[known])), shape=shape))
