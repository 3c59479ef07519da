"""Choosing among heads that folds of few rows have measured: a favourite stays unless another is clearly better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from headwater.transfer import scores

_ERRORS = 2.0


@dataclass(frozen=True)
class MeasuredHead:
    """A head on a body, with what it answered for rows that it had not seen.

    Attributes:
        body: whether the features were `frozen` or `contrastive`.
        head: the head's name.
        logits: those of the first deal into folds, shape (rows, classes); not-a-number for a row that no fold held out.
        right: the share of deals in which each row was right, shape (rows,).
        deals: the accuracy of each deal.
        seconds: what the measuring took.
    """

    body: str
    head: str
    logits: np.ndarray
    right: np.ndarray
    deals: tuple[float, ...]
    seconds: float

    @classmethod
    def of(cls, body: str, head: str, logits: Sequence[np.ndarray], targets: np.ndarray, seconds: float) -> Self:
        """A measured head from the logits of every deal, each of shape (rows, classes)."""
        found = np.stack([np.where(np.isnan(deal[:, 0]), np.nan, scores.correct(deal, targets)) for deal in logits])
        dealt = ~np.isnan(found[0])
        deals = tuple(float(one[dealt].mean()) for one in found) if dealt.any() else ()
        return cls(body, head, logits[0], found.mean(axis=0), deals, seconds)

    @property
    def name(self) -> str:
        return f"{self.body} {self.head}"

    @property
    def dealt(self) -> np.ndarray:
        """Which rows some fold held out, shape (rows,)."""
        return ~np.isnan(self.right)


def choose(heads: Sequence[MeasuredHead], favourite: tuple[str, str]) -> tuple[MeasuredHead, str]:
    """The head to keep, and why.

    It is the favourite, unless the best of the others had more rows right by more than two standard errors of the
    difference. Among few rows the best of many is best by luck: a plain maximum would follow noise.

    Args:
        heads: all that were measured, on the same rows.
        favourite: the body and the head of one of them.
    """
    preferred = next(one for one in heads if (one.body, one.head) == favourite)
    dealt = preferred.dealt
    if not dealt.any():
        return preferred, "the choice where no row can be spared for folds"
    best = max(heads, key=lambda one: one.right[dealt].mean())
    difference = best.right[dealt] - preferred.right[dealt]
    error = float(difference.std(ddof=1)) / math.sqrt(len(difference)) if len(difference) > 1 else math.inf
    if float(difference.mean()) <= _ERRORS * error:
        return preferred, "no other is better by more than two standard errors"
    return best, f"{100 * difference.mean():+.1f} points over {preferred.name}, standard error {100 * error:.1f}"


def verdict(head: MeasuredHead, kept: MeasuredHead, why: str) -> str:
    """What became of a head, in words, with the spread of its accuracy over the deals."""
    told, deals = f"kept: {why}" if head is kept else f"left for {kept.name}", head.deals
    return (
        told if len(deals) < 2 else f"{told}; {min(deals):.3f} to {max(deals):.3f} over {len(deals)} deals of the rows"
    )
