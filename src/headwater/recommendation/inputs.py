"""What networks read of items and users: numbers of words, pixels, and facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from headwater.data.pictures import Picture, pixels
from headwater.data.records import Records
from headwater.recommendation import described
from headwater.recommendation.encoding import main_directions, tokens, word_vectors
from headwater.recommendation.ids import Ids
from headwater.settings import Settings

_THREADS = 8
_MOST_WORDS, _PLACES = 50_000, 32
_FACTS = 32


def facts_of(users: Records | None, ids: Ids, seed: int) -> np.ndarray:
    """What the table of users says, in numbers of shape (users, facts); one zero each where it says nothing."""
    columns = () if users is None else described.described(users, Settings(), ids.names).words
    if users is None or not columns:
        return np.zeros((len(ids), 1), dtype=np.float32)
    return main_directions(word_vectors(described.words_of(users, columns)), _FACTS, seed)


def numbered(texts: Sequence[str]) -> np.ndarray:
    """The words of texts by their numbers, int32 of shape (texts, places), filled up with 0; the rare ones are 1."""
    cut = [tokens(text)[:_PLACES] for text in texts]
    counts = Counter(word for words in cut for word in words)
    known = [word for word, count in counts.most_common(_MOST_WORDS) if count > 1]
    numbers = {word: number for number, word in enumerate(known, start=2)}
    found = np.zeros((len(texts), max(map(len, cut), default=0) or 1), dtype=np.int32)
    for row, words in enumerate(cut):
        found[row, : len(words)] = [numbers.get(word, 1) for word in words]
    return found


def pixels_of(pictures: Sequence[Picture | None], side: int) -> np.ndarray:
    """Pixels, uint8 of shape (items, side, side, 3); grey where there is no picture."""
    found = np.full((len(pictures), side, side, 3), 127, dtype=np.uint8)
    there = [row for row, picture in enumerate(pictures) if picture is not None]
    with ThreadPoolExecutor(_THREADS) as pool:
        for row, seen in zip(there, pool.map(lambda row: pixels(pictures[row], side), there), strict=True):
            found[row] = seen
    return found
