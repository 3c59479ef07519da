"""Copies among inputs: texts the same after folding, or near by the overlap of their shingles; pictures by likeness."""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, Final

import numpy as np
from scipy.sparse import csr_array

from headwater.data import likeness
from headwater.data.fields import TextInput, Value, text_of
from headwater.data.groups import first_of, join, pairs_of
from headwater.data.pictures import Picture
from headwater.data.records import Records

NEAR: Final = 0.8
"""The least Jaccard overlap of two near duplicates.

At 0.8 one changed word is forgiven in about 30, or a line added to 50 words: an edited or re-posted copy. Texts that
only follow one template, or quote one another, stay below it.
"""
_SHORTEST: Final = 5
_WORDS: Final = 3
_CHARACTERS: Final = 5
_BANDS: Final = 16
_BAND_ROWS: Final = 4
_PAIRS_AT_ONCE: Final = 65_536

# Thai, Lao, Burmese, Khmer, kana and Han put no space between words, so each character is a token.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_PUNCTUATION: Final = re.escape(
    "".join(mark for mark in map(chr, range(0x10000)) if unicodedata.category(mark) in
            {"Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Zs", "Zl", "Zp", "Cc", "Cf", "Sk"})
)  # fmt: skip
_TOKEN: Final = re.compile(f"[{_UNSPACED}]|[^{_PUNCTUATION}{_UNSPACED}]+")


def fold(text: str) -> str:
    """A text without what a careless copy changes: case, spacing, punctuation, and the form of its characters (NFKC).

    A text that is all punctuation stays as it is.

    Example:
        >>> fold("  Ｗhat a FILM!!"), fold("很好。")
        ('what a film', '很 好')
    """
    return " ".join(_TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())) or text.strip()


def exact(inputs: Sequence[Any]) -> np.ndarray:
    """For each row, the first row whose folded text is the same, or whose picture has the same bytes, shape (rows,).

    Example:
        >>> exact(["A fine film.", "dull", "a fine film"]).tolist()
        [0, 1, 0]
    """
    if _are_pictures(inputs):
        return likeness.exact(inputs)
    first: dict[str, int] = {}
    return np.array([first.setdefault(_key(text), row) for row, text in enumerate(inputs)], dtype=np.int64)


def clusters(inputs: Sequence[Any]) -> np.ndarray:
    """For each row, the first row of its cluster of exact and near duplicates, shape (rows,).

    Among texts candidates come from MinHash signatures (Broder 1997) in bands (Indyk and Motwani 1998); each is then
    measured exactly, on shingles of 3 words, or of 5 characters where the script has no spaces. Texts of fewer than 5
    tokens are only ever exact duplicates. In pairs of texts both sides must be duplicates. Time and memory grow with
    the tokens, whatever the texts are: a row is compared with at most two others in each band. Among pictures,
    `likeness.clusters` looks for them.

    Example:
        >>> text = " ".join(f"word{i}" for i in range(60))
        >>> clusters([text, "other", text + " and goodbye"]).tolist()
        [0, 1, 0]
    """
    if _are_pictures(inputs):
        return likeness.clusters(inputs)
    if len(inputs) and not isinstance(inputs[0], str):
        sides = np.stack([clusters(side) for side in zip(*inputs, strict=True)], axis=1)
        return first_of(np.unique(sides, axis=0, return_inverse=True)[1].ravel())
    first: dict[str, int] = {}
    rows = [first.setdefault(_key(text), row) for row, text in enumerate(inputs)]
    joined = join(len(first), _near(list(first)))
    distinct = np.fromiter(first.values(), np.int64, len(first))
    return distinct[joined][np.searchsorted(distinct, rows)]


def summary(copies: np.ndarray, records: Records, inputs: Sequence[Any], cells: Sequence[Any]) -> dict[str, Any]:
    """What clusters of copies mean for a reader: how many, how large, and where labels contradict one another.

    Args:
        copies: what `clusters` or `exact` gave for the inputs.
        records: the rows, for their lines.
        inputs: the text or picture of each row.
        cells: the label of each row, or its list of labels.
    """
    labels = [_label_text(cell) for cell in cells]
    members = _members(copies)
    conflicts = [rows for rows in members if len({labels[row] for row in rows}) > 1]
    return {
        "clusters": len(members),
        "rows": sum(map(len, members)),
        "largest": max(map(len, members), default=0),
        "conflicts": len(conflicts),
        "conflict_rows": sum(map(len, conflicts)),
        "conflict_examples": [
            [{"place": place(records, row), "label": labels[row], "text": excerpt(inputs[row])} for row in rows[:5]]
            for rows in conflicts[:3]
        ],
    }


def place(records: Records, row: int) -> str:
    """Where a row stands: its file and line as far as they are known, else its number counted from 1."""
    problem = records.problem(row, "")
    if problem.line is not None:
        return problem.place
    return ", ".join([*filter(None, [problem.place]), f"row {row + 1}"])


def excerpt(value: Value, most: int = 160) -> str:
    """The beginning of a text or pair, or the end of the path of a picture, for a person to know it by.

    Example:
        >>> excerpt(("a fine film", "dull"), 16)
        'a fine film | d…'
    """
    if isinstance(value, Picture):
        path = str(value)
        return path if len(path) <= most else f"…{path[1 - most :]}"
    whole = value if isinstance(value, str) else " | ".join(value)
    return whole if len(whole) <= most else f"{whole[: most - 1]}…"


def _are_pictures(inputs: Sequence[Any]) -> bool:
    return len(inputs) > 0 and isinstance(inputs[0], Picture)


def _key(text: TextInput) -> str:
    return fold(text) if isinstance(text, str) else "\n".join(map(fold, text))


def _members(copies: np.ndarray) -> list[list[int]]:
    """The rows of each cluster of two or more."""
    members: dict[int, list[int]] = defaultdict(list)
    shared = np.flatnonzero(np.bincount(copies, minlength=len(copies))[copies] > 1)
    for row in shared.tolist():
        members[int(copies[row])].append(row)
    return list(members.values())


def _label_text(cell: Any) -> str:
    return ", ".join(sorted(map(text_of, cell))) if isinstance(cell, list | tuple) else text_of(cell)


def _near(keys: Sequence[str]) -> np.ndarray:
    """Pairs (n, 2) of near duplicates among distinct folded texts."""
    tokens = np.fromiter((key.count(" ") + 1 for key in keys), np.int64, len(keys))
    characters = np.fromiter(map(len, keys), np.int64, len(keys))
    single = characters < 2.5 * tokens  # with the spaces between them: mostly tokens of one character
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for alike, width in ((~single, _WORDS), (single, _CHARACTERS)):
        rows = np.flatnonzero(alike & (tokens >= _SHORTEST))
        if len(rows):
            shingles, owners = _shingles([keys[row] for row in rows.tolist()], width)
            pairs.append(rows[_verified(shingles, owners, _candidates(shingles, owners))])
    return np.concatenate(pairs)


def _shingles(keys: Sequence[str], width: int) -> tuple[np.ndarray, np.ndarray]:
    """The hash of every run of `width` tokens, and the position of the text that owns it; owners ascend."""
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    ids, lengths = array("Q"), array("q")
    for key in keys:
        tokens = key.split(" ")
        ids.extend(map(numbers.__getitem__, tokens))
        lengths.append(len(tokens))
    mixed = _mix(np.frombuffer(ids, dtype=np.uint64))
    owners = np.repeat(np.arange(len(keys)), np.frombuffer(lengths, dtype=np.int64))
    last = len(mixed) - width + 1
    hashes = mixed[:last]
    for offset in range(1, width):
        hashes = _mix(hashes ^ mixed[offset : offset + last])
    whole = owners[:last] == owners[width - 1 :]
    return hashes[whole], owners[:last][whole]


def _mix(values: np.ndarray) -> np.ndarray:
    """Scatters 64-bit integers (the finaliser of SplitMix64, Steele et al. 2014)."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _candidates(shingles: np.ndarray, owners: np.ndarray) -> np.ndarray:
    """Pairs (n, 2) of owners that agree in all signature rows of at least one band, each pair once."""
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    multipliers = _mix(np.arange(_BANDS * _BAND_ROWS, dtype=np.uint64)) | np.uint64(1)
    found: list[np.ndarray] = []
    for band in multipliers.reshape(_BANDS, _BAND_ROWS):
        key = np.zeros(len(starts), dtype=np.uint64)
        for multiplier in band:
            key = _mix(key ^ np.minimum.reduceat(shingles * multiplier, starts))
        found.extend(_bucket_pairs(key))
    return pairs_of(found, len(starts))


def _bucket_pairs(key: np.ndarray) -> Iterator[np.ndarray]:
    """Each row of a bucket with the one before it and with the bucket's first, as low * rows + high.

    Two pairs a row keep the work linear however full a bucket is; the joins through common neighbours do the rest.
    """
    order = np.argsort(key, kind="stable")
    place_of = np.arange(len(key))
    same = np.concatenate([[False], key[order][1:] == key[order][:-1]])
    bucket = np.maximum.accumulate(np.where(same, 0, place_of))
    later = place_of[same]
    yield order[later - 1] * len(key) + order[later]
    yield order[bucket[later]] * len(key) + order[later]


def _verified(shingles: np.ndarray, owners: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """The pairs whose sets of shingles overlap by `NEAR` or more."""
    rows = int(owners[-1]) + 1
    wanted = np.zeros(rows, dtype=bool)
    wanted[pairs.ravel()] = True
    kept = wanted[owners]
    names, columns = np.unique(shingles[kept], return_inverse=True)
    sets: Any = csr_array((np.ones(len(columns), dtype=np.int32), (owners[kept], columns)), shape=(rows, len(names)))
    sets.data[:] = 1
    sizes = np.diff(sets.indptr)
    near = [np.empty((0, 2), dtype=np.int64)]
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        left, right = (part := pairs[start : start + _PAIRS_AT_ONCE]).T
        shared = sets[left].multiply(sets[right]).sum(axis=1)
        near.append(part[shared >= NEAR * (sizes[left] + sizes[right] - shared)])
    return np.concatenate(near)
