"""The metrics that are functions of how often each class was right, true and predicted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Scores = dict[str, np.ndarray]


@dataclass(frozen=True)
class Counts:
    """What a classification is counted into; any leading axes (replicates) are carried along.

    Attributes:
        hits: rows in which a class was both true and predicted, shape (..., classes).
        support: rows in which it was true, shape (..., classes).
        predicted: rows in which it was predicted, shape (..., classes).
        whole: rows that were right in every respect, shape (...).
        rows: all rows, shape (...).
    """

    hits: np.ndarray
    support: np.ndarray
    predicted: np.ndarray
    whole: np.ndarray
    rows: np.ndarray


def per_class(counts: Counts) -> Scores:
    """Precision, recall and F1 of each class, shape (..., classes); 0 where nothing was predicted or true."""
    return {
        "precision": ratio(counts.hits, counts.predicted),
        "recall": ratio(counts.hits, counts.support),
        "f1": ratio(2 * counts.hits, counts.support + counts.predicted),
    }


def overall(counts: Counts, *, several: bool) -> Scores:
    """One value for each metric, shape (...); classes without a true row are left out of macro means.

    Where one class holds, micro averages equal accuracy and the macro recall is the balanced accuracy.
    """
    own = _several(counts) if several else _single(counts)
    classes = per_class(counts)
    present = counts.support > 0
    for name, values in classes.items():
        own[f"{name}_macro"] = ratio((values * present).sum(axis=-1), present.sum(axis=-1), empty=np.nan)
        own[f"{name}_weighted"] = ratio((values * counts.support).sum(-1), counts.support.sum(-1), empty=np.nan)
    hits, support, predicted = (part.sum(axis=-1) for part in (counts.hits, counts.support, counts.predicted))
    measured = np.where(counts.rows > 0, 1.0, np.nan)
    pooled = per_class(Counts(hits, support, predicted, counts.whole, counts.rows))
    return own | {f"{name}_micro": value * measured for name, value in pooled.items()}


def ratio(above: np.ndarray, below: np.ndarray, *, empty: float = 0.0) -> np.ndarray:
    """The quotient, and `empty` where there is nothing to divide by."""
    return np.divide(above, below, out=np.full(np.shape(below), empty, dtype=np.float64), where=below > 0)


def _single(counts: Counts) -> Scores:
    present = (counts.support > 0).sum(axis=-1)
    recall = ratio(counts.hits, counts.support)
    return {
        "accuracy": ratio(counts.whole, counts.rows, empty=np.nan),
        "balanced_accuracy": ratio(recall.sum(axis=-1), present, empty=np.nan),
        "mcc": _matthews(counts),
    }


def _several(counts: Counts) -> Scores:
    wrong = (counts.support + counts.predicted - 2 * counts.hits).sum(axis=-1)
    return {
        "subset_accuracy": ratio(counts.whole, counts.rows, empty=np.nan),
        "hamming_loss": ratio(wrong, counts.rows * counts.hits.shape[-1], empty=np.nan),
    }


def _matthews(counts: Counts) -> np.ndarray:
    """Matthews' correlation for any number of classes (Gorodkin 2004); 0 where one side is constant."""
    rows = np.asarray(counts.rows, dtype=np.float64)
    covariance = counts.hits.sum(axis=-1) * rows - (counts.predicted * counts.support).sum(axis=-1)
    spread = (rows**2 - (counts.predicted**2).sum(axis=-1)) * (rows**2 - (counts.support**2).sum(axis=-1))
    return ratio(covariance, np.sqrt(spread)) * np.where(rows > 0, 1.0, np.nan)
