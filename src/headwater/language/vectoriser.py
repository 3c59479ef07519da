"""Texts as sparse TF-IDF vectors of word and character n-grams, for any language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from scipy import sparse

from headwater.data.fields import TextInput
from headwater.language.ngrams import Ngrams
from headwater.language.tokens import are_pairs, sides, unspaced

_VOCABULARY_CHARACTERS = 10_000_000
_ROWS_FOR_RARE = 1000
"""With fewer texts, an n-gram that occurs in one only is kept."""
_PART = 2048
_LATENT = 128
_EXACT = 1000
"""Up to so many rows, their directions are found from all products of two rows."""
_SPARE, _ITERATIONS = 10, 4


class TfidfVectoriser:
    """TF-IDF with sublinear term frequency and rows of length one (Salton and Buckley 1988).

    Spaced scripts: words (1-2) and characters inside words (2-5). Scripts without spaces: characters (1-4), since a
    word there is a few characters. Each kind of n-gram has half of the length of a row. A pair has the features of both
    texts and their products, which are the n-grams that the two share.

    Attributes:
        pairs: whether the inputs are pairs.
        grams: the kinds of n-grams.
        idf: the weight of each n-gram, one array a kind.

    Example:
        >>> vectoriser = TfidfVectoriser().learn(["good film", "bad film", "good"])
        >>> vectoriser.features(["good film"]).shape
        (1, 42)
    """

    def __init__(self) -> None:
        self.pairs = False
        self.grams: list[Ngrams] = []
        self.idf: list[np.ndarray] = []

    def learn(self, inputs: Sequence[TextInput]) -> Self:
        """Chooses the kinds of n-grams by the script of the texts, and learns vocabulary and weights."""
        self.pairs = are_pairs(inputs)
        texts = _sample([text for side in sides(inputs, pairs=self.pairs) for text in side])
        least = 2 if len(texts) >= _ROWS_FOR_RARE else 1
        if unspaced(texts):
            self.grams = [Ngrams(1, 4, words=False, min_rows=least)]
        else:
            words = Ngrams(1, 2, words=True, min_rows=least)
            self.grams = [words, Ngrams(2, 5, words=False, bounded=True, min_rows=least)]
        self.idf = [_idf(kind.learn(texts).counts(texts), len(kind)) for kind in self.grams]
        return self

    def features(self, inputs: Sequence[TextInput]) -> sparse.csr_array:
        """The vectors of the inputs, float32 of shape (rows, features)."""
        parts = [self._part(inputs[start : start + _PART]) for start in range(0, max(len(inputs), 1), _PART)]
        return sparse.csr_array(sparse.vstack(parts, format="csr"))

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What `from_state` needs: a JSON-able part and the arrays."""
        kinds, arrays = [], {}
        for position, (kind, idf) in enumerate(zip(self.grams, self.idf, strict=True)):
            values, tables = kind.state()
            kinds.append(values)
            arrays |= {f"{position}.idf": idf, **{f"{position}.{name}": table for name, table in tables.items()}}
        return {"pairs": self.pairs, "ngrams": kinds}, arrays

    @classmethod
    def from_state(cls, values: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """The vectoriser whose `state` this was."""
        made = cls()
        made.pairs = values["pairs"]
        for position, kind in enumerate(values["ngrams"]):
            prefix = f"{position}."
            own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
            made.idf.append(own.pop("idf"))
            made.grams.append(Ngrams.from_state(kind, own))
        return made

    def _part(self, inputs: Sequence[TextInput]) -> sparse.csr_array:
        blocks = [self._vectors(side) for side in sides(inputs, pairs=self.pairs)]
        if self.pairs:
            blocks.append(blocks[0] * blocks[1])
        return sparse.csr_array(sparse.hstack(blocks, format="csr"))

    def _vectors(self, texts: Sequence[str]) -> sparse.csr_array:
        blocks = [_weighted(kind.counts(texts), idf) for kind, idf in zip(self.grams, self.idf, strict=True)]
        return sparse.csr_array(sparse.hstack(blocks, format="csr") / np.float32(np.sqrt(len(blocks))))


def latent(inputs: Sequence[TextInput], seed: int = 0) -> np.ndarray:
    """Texts in the main directions of their own TF-IDF vectors (latent semantic analysis, Deerwester et al. 1990).

    Args:
        inputs: the texts or pairs, from which the directions are found as well.
        seed: the seed of the decomposition, which is randomised for many inputs.

    Returns:
        float32 of shape (rows, width), at most 128 wide; rows have length one.

    Example:
        >>> latent(["good film", "bad film", "good plot"]).shape
        (3, 2)
    """
    vectors = TfidfVectoriser().learn(inputs).features(inputs)
    width = min(_LATENT, len(inputs) - 1, int(vectors.indices.max(initial=0)))
    if width < 1:
        return np.ones((len(inputs), 1), dtype=np.float32)
    found = _main_directions(vectors, width, seed)
    sizes = np.linalg.norm(found, axis=1, keepdims=True)
    return (found / np.where(sizes > 0, sizes, 1)).astype(np.float32)


def _main_directions(vectors: sparse.csr_array, width: int, seed: int) -> np.ndarray:
    """Left singular vectors times singular values, shape (rows, width), float64.

    Of few rows from all their products. Of many by subspace iteration on the rows' side (Halko et al. 2011): there are
    far more n-grams than rows, and no product as tall as the n-grams is made orthogonal.
    """
    rows = len(vectors.indptr) - 1
    if rows <= _EXACT:
        squares, found = np.linalg.eigh((vectors @ vectors.T).toarray().astype(np.float64))
    else:
        drawn = np.random.default_rng(seed).normal(size=(rows, width + _SPARE)).astype(np.float32)
        for _ in range(_ITERATIONS):
            drawn = vectors @ (vectors.T @ np.linalg.qr(drawn)[0])
        basis = np.linalg.qr(drawn)[0]
        inside = vectors.T @ basis
        squares, found = np.linalg.eigh((inside.T @ inside).astype(np.float64))
        found = basis @ found
    return (found * np.sqrt(np.maximum(squares, 0)))[:, ::-1][:, :width]


def _weighted(counts: sparse.csr_array, idf: np.ndarray) -> sparse.csr_array:
    """(1 + log count) x idf, with rows of length one; rows without known n-grams stay zero."""
    weights = (1 + np.log(counts.data)) * idf[counts.indices]
    sizes = np.diff(counts.indptr)
    rows = np.repeat(np.arange(len(sizes)), sizes)
    weights /= np.sqrt(np.bincount(rows, weights**2, minlength=len(sizes)))[rows]
    return sparse.csr_array((weights.astype(np.float32), counts.indices, counts.indptr), shape=counts.shape)


def _idf(counts: sparse.csr_array, columns: int) -> np.ndarray:
    """The smoothed inverse document frequency of each column, as if one more row held every n-gram."""
    in_rows = np.bincount(counts.indices, minlength=columns)
    return (np.log(len(counts.indptr) / (1 + in_rows)) + 1).astype(np.float32)


def _sample(texts: list[str]) -> list[str]:
    """Texts at even distances, with no more characters than a vocabulary needs."""
    step = -(-sum(map(len, texts)) // _VOCABULARY_CHARACTERS)
    return texts[:: max(step, 1)]
