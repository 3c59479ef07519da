"""What an answerer found in all pictures, and what it comes to at one threshold, of one class, in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from headwater.evaluation.intervals import Estimate
from headwater.evaluation.matching import OVERLAPS, SIZES, Matched
from headwater.evaluation.precision import Ranked


@dataclass(frozen=True)
class Known:
    """The known boxes of all pictures, class by class: memory grows with the boxes, not with classes times pictures.

    Attributes:
        rows: how many pictures there are.
        classes: how many classes there are.
        labels, pictures: of each box, shape (boxes,).
        counted: as in `Matched`, shape (boxes, sizes).

    Example:
        >>> counted = np.ones((3, len(SIZES)), bool)
        >>> known = Known.of([(np.array([0, 2, 2]), np.array([1, 1, 0]), counted)], rows=3, classes=2)
        >>> known.of_class(1).tolist(), known.of_all().tolist(), known.totals().tolist()
        ([1, 0, 1], [1, 0, 2], [1, 2])
    """

    rows: int
    classes: int
    labels: np.ndarray
    pictures: np.ndarray
    counted: np.ndarray

    @classmethod
    def of(cls, parts: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], rows: int, classes: int) -> Self:
        """The known boxes of parts of the pictures: of each its picture, its class, and in which sizes it counts."""
        nothing = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, len(SIZES)), dtype=bool))
        pictures, labels, counted = (np.concatenate(column) for column in zip(nothing, *parts, strict=True))
        order = np.argsort(labels, kind="stable")
        return cls(rows, classes, labels[order], pictures[order], counted[order])

    def of_class(self, label: int, size: int = 0) -> np.ndarray:
        """How many boxes of a class have to be found in each picture, int32 of shape (pictures,)."""
        mine = slice(*np.searchsorted(self.labels, [label, label + 1]).tolist())
        return self._in_pictures(self.pictures[mine][self.counted[mine, size]])

    def of_all(self) -> np.ndarray:
        """How many boxes of all classes have to be found in each picture, int32 of shape (pictures,)."""
        return self._in_pictures(self.pictures[self.counted[:, 0]])

    def totals(self, size: int = 0) -> np.ndarray:
        """How many boxes of each class have to be found, shape (classes,)."""
        return np.bincount(self.labels[self.counted[:, size]], minlength=self.classes)

    def _in_pictures(self, pictures: np.ndarray) -> np.ndarray:
        return np.bincount(pictures, minlength=self.rows).astype(np.int32)


@dataclass(frozen=True)
class Found:
    """All found boxes of one answerer, class by class, the surest first.

    Attributes:
        labels, scores, pictures, ranks: of each box, shape (boxes,).
        hits, ignored: as in `Matched`, shape (boxes, sizes).
        known: the boxes that there are to find.
    """

    labels: np.ndarray
    scores: np.ndarray
    pictures: np.ndarray
    ranks: np.ndarray
    hits: np.ndarray
    ignored: np.ndarray
    known: Known

    def ranked(self, label: int, threshold: int, size: int = 0) -> Ranked:
        """The boxes of one class at one of `OVERLAPS` and one of `SIZES`."""
        mine = slice(*np.searchsorted(self.labels, [label, label + 1]).tolist())
        bit = np.uint16(1 << threshold)
        return Ranked(
            (self.hits[mine, size] & bit) > 0, (self.ignored[mine, size] & bit) == 0, self.pictures[mine],
            self.known.of_class(label, size),
        )  # fmt: skip

    def scores_of(self, label: int) -> np.ndarray:
        """The scores of one class."""
        return self.scores[slice(*np.searchsorted(self.labels, [label, label + 1]).tolist())]

    def pooled(self) -> tuple[Ranked, np.ndarray]:
        """The boxes of all classes together at the lowest threshold, the surest first, and their scores."""
        order = np.argsort(-self.scores, kind="stable")
        hits, ignored = ((part[order, 0] & 1) > 0 for part in (self.hits, self.ignored))
        return Ranked(hits, ~ignored, self.pictures[order], self.known.of_all()), self.scores[order]

    def recalled(self, label: int, most: int) -> np.ndarray:
        """How many known boxes of a class are found by the `most` surest of each picture, mean over the thresholds."""
        mine = slice(*np.searchsorted(self.labels, [label, label + 1]).tolist())
        first = self.ranks[mine] < most
        found = np.bitwise_count(self.hits[mine, 0]) * first / len(OVERLAPS)
        return np.bincount(self.pictures[mine], weights=found, minlength=self.known.rows)


def gathered(parts: Sequence[tuple[np.ndarray, ...]], known: Known) -> Found:
    """The boxes of all pictures, each with its label, score, picture, rank, hits and ignored, put in order."""
    if not parts:
        nothing = np.empty(0, np.int32)
        bits = np.empty((0, len(SIZES)), np.uint16)
        return Found(nothing, nothing.astype(np.float32), nothing, nothing, bits, bits, known)
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort((-columns[1], columns[0]))
    labels, scores, pictures, ranks, hits, ignored = (column[order] for column in columns)
    return Found(labels, scores, pictures, ranks, hits, ignored, known)


def best_threshold(ranked: Ranked, scores: np.ndarray) -> dict[str, Any]:
    """The score from which on boxes have the best F1, and the F1, precision and recall there.

    Example:
        >>> ranked = Ranked(np.array([True, False]), np.ones(2, bool), np.array([0, 0]), np.array([1]))
        >>> best_threshold(ranked, np.array([0.75, 0.5]))["threshold"]
        0.75
    """
    recall, precision = ranked.curve()
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    # Of boxes of one score all are shown, or none.
    last = np.append(np.diff(scores) != 0, True)[: len(scores)]
    best = int(np.where(last, f1, -1).argmax()) if len(scores) else -1
    told = {"f1": f1, "precision": precision, "recall": recall}
    found = {name: Estimate(float(values[best]) if best >= 0 else 0.0).to_json() for name, values in told.items()}
    return {**found, "threshold": float(scores[best]) if best >= 0 else 0.0}


def score(matched: Matched) -> float:
    """How right the answer for one picture is, from 0 to 1: the average precision of its boxes of all classes.

    Where there is nothing to find it is the doubt about the surest box.
    """
    order = np.argsort(-matched.scores, kind="stable")
    hits, ignored = ((part[order, 0] & 1) > 0 for part in (matched.hits, matched.ignored))
    total = int(matched.counted[:, 0].sum())
    if not total:
        return float(1 - matched.scores[order][~ignored].max(initial=0.0))
    return Ranked(hits, ~ignored, np.zeros(len(order), np.int64), np.array([total])).average_precision()
