"""Masks of the rows to hold out: with equal shares of every class, in whole groups, or the newest."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
from scipy.sparse import csc_array, csr_array

Sparse: TypeAlias = Any
"""A `scipy.sparse.csr_array`; its published types lose the class at the first index."""

_DRAWS: Final = 16


def newest(moments: np.ndarray, share: float) -> np.ndarray:
    """A mask of the rows with the latest moments; among equals the later row counts as newer.

    Example:
        >>> newest(np.array([3.0, 1.0, 2.0, 4.0]), 0.5).tolist()
        [True, False, False, True]
    """
    held = np.zeros(len(moments), dtype=bool)
    held[np.argsort(moments, kind="stable")[len(moments) - round(share * len(moments)) :]] = True
    return held


def grouped(groups: np.ndarray, labels: Sparse, share: float, seed: int) -> np.ndarray:
    """A mask of whole groups at random: of some draws the one nearest to equal shares of every class.

    Args:
        groups: the number of each row's group, shape (rows,).
        labels: zeros and ones of shape (rows, classes).
        share: the share of rows to hold out, met as nearly as whole groups allow.
        seed: what the draws start from.
    """
    draw = np.random.default_rng(seed)
    atoms, counts = _counts(groups, labels)
    sizes, target = np.bincount(atoms), share * counts.sum(axis=0)
    draws = [_filled(draw.permutation(len(sizes)), sizes, share * len(groups)) for _ in range(_DRAWS)]
    draws = [held if len(held) else np.array([sizes.argmin()]) for held in draws]
    best = min(draws, key=lambda held: float(abs(counts[held].sum(axis=0) - target).sum()))
    return np.isin(atoms, best)


def stratified(groups: np.ndarray, labels: Sparse, share: float, seed: int) -> np.ndarray:
    """A mask with the same share of every class, the rarest class first (Sechidis et al. 2011).

    Rows of one group move together; here groups are small, such as copies of one text. At least one group of every
    class stays behind. A class is met to within one group, the whole to within one row where rows have one label.

    Example:
        >>> labels = csr_array(np.eye(2, dtype=int)[[0, 0, 0, 0, 1, 1, 1, 1]])
        >>> stratified(np.arange(8), labels, 0.5, seed=0).reshape(2, 4).sum(axis=1).tolist()
        [2, 2]
    """
    draw = np.random.default_rng(seed)
    atoms, counts = _counts(groups, labels)
    sizes, owed = np.bincount(atoms), 0.0
    held, settled = np.zeros((2, len(sizes)), dtype=bool)
    for stratum in _strata(counts):
        waiting = draw.permutation(stratum[~settled[stratum]])
        lacking = share * sizes[stratum].sum() - sizes[stratum[held[stratum]]].sum()
        # What rounding left over in the classes before is made up here, so that many small classes add up.
        taken = _filled(waiting, sizes, lacking + np.clip(owed, -0.5, 0.5))
        owed += share * sizes[waiting].sum() - sizes[taken].sum()
        held[taken], settled[waiting] = True, True
    return held[atoms]


def _strata(counts: Sparse) -> list[np.ndarray]:
    """The atoms of each class, the class with the fewest rows first; atoms without a label last."""
    columns = csc_array(counts)
    order = np.argsort(counts.sum(axis=0), kind="stable").tolist()
    classes = [columns.indices[columns.indptr[label] : columns.indptr[label + 1]] for label in order]
    return [*classes, np.flatnonzero(np.diff(counts.indptr) == 0)]


def _filled(order: np.ndarray, sizes: np.ndarray, need: float) -> np.ndarray:
    """Atoms in this order, each taken if that brings the sum of sizes nearer to the need; the last stays behind."""
    taken = []
    for atom, size in zip(order[:-1].tolist(), sizes[order[:-1]].tolist(), strict=True):
        if need < 0.5:
            break
        if size < 2 * need:
            taken.append(atom)
            need -= size
    return np.array(taken, dtype=np.int64)


def _counts(groups: np.ndarray, labels: Sparse) -> tuple[np.ndarray, Sparse]:
    """Atoms numbered from 0 for each row, and the rows of each class in each atom, shape (atoms, classes)."""
    names, atoms = np.unique(groups, return_inverse=True)
    entries = (np.ones(len(atoms), dtype=np.int64), (atoms, np.arange(len(atoms))))
    members = csr_array(entries, shape=(len(names), len(atoms)))
    return atoms, members @ labels
