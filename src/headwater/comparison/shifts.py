"""What differs between two sets in words that a person can check, and nothing that chance explains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import false_discovery_control, mannwhitneyu, norm

LEVEL = 0.01
"""The share of false claims that is borne among all claims of one kind."""
_FEWEST_ROWS = 5
_PRIOR = 0.1
"""The weight of the prior over that of the rows."""


@dataclass(frozen=True)
class Word:
    """A word that is in more rows of one side.

    Attributes:
        source, target: the share of rows that hold it.
        z: its log-odds over their standard error, above zero where the target has more of it.
        p: the probability of a z as large by chance, corrected for the number of words.
    """

    word: str
    source: float
    target: float
    z: float
    p: float


@dataclass(frozen=True)
class Number:
    """A measurement on both sides.

    Attributes:
        source, target: the median over the rows; of a share, the mean.
        more: the chance that a target row has more of it than a source row, ties counted half; 0.5 where alike.
        p: of the Mann-Whitney test, corrected for the number of measurements.
    """

    name: str
    source: float
    target: float
    more: float
    p: float

    @property
    def differs(self) -> bool:
        """Whether a difference is claimed."""
        return self.p < LEVEL


def words(source: Sequence[frozenset[str]], target: Sequence[frozenset[str]]) -> list[Word]:
    """The words whose rows differ beyond chance, the surest first.

    Weighted log-odds with an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008) on the number of rows that
    hold a word: the prior is the share of all rows that hold it, so that rare words need more evidence. Of the words
    that are returned, at most one in a hundred is expected to be there by chance (Benjamini and Hochberg 1995).

    Args:
        source: the distinct words of each source row.
        target: the distinct words of each target row.

    Example:
        >>> rows = [frozenset({"a", "film"})] * 40, [frozenset({"a", "book"})] * 40
        >>> [(found.word, found.source, found.target) for found in words(*rows)]
        [('book', 0.0, 1.0), ('film', 1.0, 0.0)]
    """
    counts = [Counter(word for row in side for word in row) for side in (source, target)]
    known = sorted(word for word, rows in (counts[0] + counts[1]).items() if rows >= _FEWEST_ROWS)
    if not known or not source or not target:
        return []
    rows = np.array([[count[word] for word in known] for count in counts], dtype=np.float64)
    sizes = np.array([[len(source)], [len(target)]], dtype=np.float64)
    z = log_odds(rows, sizes)
    p = false_discovery_control(2 * norm.sf(np.abs(z)))
    shares = rows / sizes
    order = sorted(np.flatnonzero(p < LEVEL).tolist(), key=lambda word: (-abs(z[word]), known[word]))
    return [Word(known[at], float(shares[0, at]), float(shares[1, at]), float(z[at]), float(p[at])) for at in order]


def log_odds(rows: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The z-score of each word, above zero where the target has more of it, shape (words,).

    Args:
        rows: how many rows of source and target hold each word, shape (2, words).
        sizes: how many rows there are, shape (2, 1).
    """
    prior = _PRIOR * sizes.sum()
    share = (rows.sum(axis=0) + 0.5) / (sizes.sum() + 1)
    with_word, without = rows + prior * share, sizes - rows + prior * (1 - share)
    odds = np.log(with_word) - np.log(without)
    variance = (1 / with_word + 1 / without).sum(axis=0)
    return (odds[1] - odds[0]) / np.sqrt(variance)


def numbers(
    source: Mapping[str, np.ndarray], target: Mapping[str, np.ndarray], shares: Iterable[str] = ()
) -> list[Number]:
    """Measurements of shape (rows,) under the same names on both sides, with what differs beyond chance.

    Args:
        source: those of the source.
        target: those of the target.
        shares: the names whose mean is told, and not their median.

    Example:
        >>> found = numbers({"words": np.arange(50)}, {"words": np.arange(50) + 20})[0]
        >>> found.source, found.target, round(found.more, 2), found.differs
        (24.5, 44.5, 0.82, True)
    """
    means, found = set(shares), []
    for name, here in source.items():
        middle = np.mean if name in means else np.median
        more, p = _compared(here, target[name])
        found.append(Number(name, float(middle(here)), float(middle(target[name])), more, p))
    corrected = false_discovery_control([number.p for number in found]) if found else []
    return [replace(number, p=float(p)) for number, p in zip(found, corrected, strict=True)]


def _compared(source: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    """The chance that a target row has more, and the p-value of that; equal values everywhere tell nothing."""
    if np.ptp(np.concatenate([source, target])) == 0:
        return 0.5, 1.0
    test = mannwhitneyu(target, source, method="asymptotic")
    return float(test.statistic) / (len(source) * len(target)), float(test.pvalue)
