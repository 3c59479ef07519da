"""Ridge regression in closed form, its strength chosen by what it says of items that it did not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

_AT_ONCE = 256
"""Targets that are in memory at once in double precision."""
STRENGTHS = (0.3, 1.0, 3.0, 5.0, 10.0, 20.0, 50.0, 200.0)


@dataclass(frozen=True)
class Ridge:
    """What features of known items tell of any other (Hoerl and Kennard 1970), with a constant that is not shrunk.

    Attributes:
        centre: the mean features of the known items, float64 of shape (width,).
        inverse: of their products about it plus the strength, float64 of shape (width, width).
        known: their features about the centre, float64 of shape (known items, width).

    Example:
        >>> ridge = Ridge.of(np.array([[0.0], [1.0], [2.0]]), strength=0.0)
        >>> ridge.tell(np.array([[3.0]]), np.array([[1.0], [3.0], [5.0]])).round(6).tolist()
        [[7.0]]
    """

    centre: np.ndarray
    inverse: np.ndarray
    known: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray, strength: float) -> Self:
        """The regression on these features of the known items, shape (known items, width)."""
        centre = features.mean(axis=0, dtype=np.float64)
        known = features - centre
        products = known.T @ known
        products.flat[:: len(products) + 1] += strength
        return cls(centre, np.linalg.pinv(products, hermitian=True), known)

    def tell(self, features: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The targets of others, float64 of shape (items, targets), from those of the known items."""
        mean = targets.mean(axis=0, dtype=np.float64)
        return (features - self.centre) @ (self.inverse @ (self.known.T @ (targets - mean))) + mean


def best_strength(features: np.ndarray, targets: np.ndarray, strengths: Sequence[float] = STRENGTHS) -> float:
    """The strength with the least squared error on items that are left out, one at a time (Allen 1974, PRESS).

    No regression is repeated: what an item adds to its own answer is known in closed form.

    Args:
        features: of the known items, shape (known items, width).
        targets: what is to be told of each, shape (known items, targets).
        strengths: those to choose from.
    """
    centred = features - features.mean(axis=0, dtype=np.float64)
    products, directions = np.linalg.eigh(centred.T @ centred)
    kept = products > products[-1] * 1e-10
    basis = centred @ directions[:, kept] / np.sqrt(products[kept])
    errors = np.zeros(len(strengths))
    for start in range(0, targets.shape[1], _AT_ONCE):
        some = targets[:, start : start + _AT_ONCE].astype(np.float64)
        some -= some.mean(axis=0)
        inside = basis.T @ some
        errors += [_left_out_error(basis, some, inside, products[kept] / (products[kept] + one)) for one in strengths]
    return strengths[int(np.argmin(errors))]


def _left_out_error(basis: np.ndarray, targets: np.ndarray, inside: np.ndarray, kept: np.ndarray) -> float:
    """The squared error of all items, each told by the others; `kept` is what stays of each direction."""
    own = (basis * basis) @ kept + 1 / len(basis)
    missed = (targets - basis @ (kept[:, None] * inside)) / np.maximum(1 - own, 1e-6)[:, None]
    return float(np.sum(missed * missed))
