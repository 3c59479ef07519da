"""Whether two sets have each class in the same share, and which rows to keep so that they do.

Label shift is a difference of its own: two sets of the same kind of texts look different to any test on their texts
when one has more complaints. The distance is therefore measured once more on rows with equal class shares.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import random_table

from headwater.data.fields import text_of
from headwater.evaluation.intervals import Estimate, normal

_TABLES = 999


@dataclass(frozen=True)
class Share:
    """One class: its rows on each side, and its share of the labelled rows there."""

    name: str
    rows: tuple[int, int]
    source: Estimate
    target: Estimate


@dataclass(frozen=True)
class LabelShift:
    """The classes of two sets side by side.

    Attributes:
        shares: every class of either side, the most frequent first.
        moved: the share of rows whose class would have to change to make the sides equal (total variation distance).
        p: the share of random tables with the same sums (this one among them) that are at least as uneven.
    """

    shares: list[Share]
    moved: float
    p: float

    @property
    def common(self) -> list[str]:
        """The classes that both sides have."""
        return [share.name for share in self.shares if min(share.rows)]


def class_of(label: Any) -> str | None:
    """A label as the name of a class; several labels together are one class.

    Example:
        >>> class_of(1), class_of(["b", "a"]), class_of([]), class_of(None)
        ('1', 'a, b', 'no label', None)
    """
    if isinstance(label, list | tuple):
        return ", ".join(sorted(map(text_of, label))) or "no label"
    return None if label is None else text_of(label)


def label_shift(source: Sequence[str | None], target: Sequence[str | None], seed: int = 0) -> LabelShift:
    """The shares of the classes of two sets, and whether chance explains their difference.

    The p-value is that of a Monte Carlo test with the chi-square statistic and both margins fixed, which holds for rare
    classes too. Rows without a label are left out.

    Example:
        >>> found = label_shift(["a"] * 50 + ["b"] * 50, ["a"] * 90 + ["b"] * 10)
        >>> found.p, round(found.moved, 3), found.common
        (0.001, 0.4, ['a', 'b'])
    """
    counts = [Counter(name for name in side if name is not None) for side in (source, target)]
    total = counts[0] + counts[1]
    names = [name for name, _ in sorted(total.items(), key=lambda item: (-item[1], item[0]))]
    table = np.array([[count[name] for name in names] for count in counts], dtype=np.int64).reshape(2, -1)
    sums = table.sum(axis=1)
    shares = table / np.maximum(sums[:, None], 1)
    return LabelShift(
        [Share(name, (int(a), int(b)), _share(a, sums[0]), _share(b, sums[1]))
         for name, (a, b) in zip(names, table.T.tolist(), strict=True)],
        moved=float(np.abs(shares[0] - shares[1]).sum() / 2) if sums.all() else math.nan,
        p=_unevenness(table, seed) if sums.all() else math.nan,
    )  # fmt: skip


def evenly(source: Sequence[str | None], target: Sequence[str | None], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Positions of rows on each side, ascending, such that the classes that both have take the same shares.

    A class takes the smaller of its two shares, scaled to sum to one; each side keeps as many rows as that allows.

    Example:
        >>> kept, others = evenly(["a"] * 60 + ["b"] * 40, ["a"] * 10 + ["b"] * 40 + ["c"] * 9)
        >>> len(kept), len(others)
        (60, 30)
    """
    counts = [Counter(name for name in side if name is not None) for side in (source, target)]
    common = sorted(counts[0].keys() & counts[1].keys())
    if not common:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    table = np.array([[count[name] for name in common] for count in counts])
    wanted = (table / table.sum(axis=1, keepdims=True)).min(axis=0)
    wanted /= wanted.sum()
    random = np.random.default_rng(seed)
    picked = []
    for side, own in zip((source, target), table, strict=True):
        quotas = np.maximum(np.floor((own / wanted).min() * wanted + 1e-9), 1).astype(np.int64)
        names = np.array([name if name is not None else "" for name in side], dtype=object)
        absent = np.array([name is None for name in side], dtype=bool)
        rows = [
            random.permutation(np.flatnonzero((names == name) & ~absent))[:quota]
            for name, quota in zip(common, quotas, strict=True)
        ]
        picked.append(np.sort(np.concatenate(rows)))
    return picked[0], picked[1]


def _share(rows: int, of: int) -> Estimate:
    share = rows / max(int(of), 1)
    return normal(share, math.sqrt(share * (1 - share) / max(int(of), 1)), rows=int(of), bounds=(0, 1))


def _unevenness(table: np.ndarray, seed: int) -> float:
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    expected = np.outer(rows, columns) / table.sum()
    drawn = random_table(rows, columns).rvs(size=_TABLES, random_state=np.random.default_rng(seed))
    found, others = (((part - expected) ** 2 / expected).sum(axis=(-2, -1)) for part in (table, drawn))
    return float((1 + np.sum(others >= found - 1e-9)) / (1 + _TABLES))
