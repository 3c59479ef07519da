"""A linear autoencoder: each item as a weighted sum of the others, solved at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Self

import numpy as np
from scipy.linalg import lapack

from headwater.errors import ResourceError, SettingError
from headwater.options import Between
from headwater.ranges import Search
from headwater.recommendation.interactions import Histories, Interactions
from headwater.recommendation.popularity import known_shares, popularity
from headwater.recommendation.recommender import Asked, Known, Recommender
from headwater.run import Run

_COPIES: Final = 3
"""Square matrices that are in memory at once."""
_EXACT: Final = 4096
"""Items up to which the matrix is solved in double precision."""
_LITTLE: Final = 1e-6


@dataclass(frozen=True, kw_only=True)
class EaseSettings:
    """What `ease` may be told."""

    section: ClassVar[str] = "Model"

    regularisation: Annotated[
        float,
        Between(1e-3, 1e7),
        Search(10, 5000, log=True),
        "What is added to the diagonal of the matrix of items: the larger, the less rare items are trusted.",
    ] = 500.0


class Ease(Recommender):
    """Embarrassingly shallow autoencoders (Steck 2019): one matrix of item weights with a zero diagonal.

    With G the matrix of how many users two items share, and P the inverse of G + regularisation I, the weights are
    B = I - P / diag(P); a history's scores are the sum of the rows of B that belong to its items. Ratings have no part.
    A user without a history gets the popular items.

    Attributes:
        weights: float32 of shape (n_items, n_items).
        shares: how popular each item is, float32 of shape (n_items,); -inf for one that nobody has had to do with.

    Example:
        >>> model = Ease()
        >>> model.restore({"weights": np.eye(2, dtype=np.float32)[::-1], "shares": np.ones(2, np.float32)}, {})
        >>> model.scores(Asked.new(Histories.of_lists([[0]], n_items=2))).round(2).tolist()
        [[0.0, 1.0]]
    """

    Settings = EaseSettings

    def fit(self, known: Known, held_out: Interactions | None, run: Run) -> Self:
        counts = popularity(known.interactions)
        self.n_items = len(counts)
        there = np.flatnonzero(counts)
        refuse_large(len(there))
        histories = Histories.of_users(known.interactions).matrix()[:, there]
        self.weights = np.zeros((self.n_items, self.n_items), dtype=np.float32)
        self.weights[np.ix_(there, there)] = solved(histories, self.settings.regularisation)
        self.shares = known_shares(known.interactions)
        return self

    def scores(self, asked: Asked) -> np.ndarray:
        found = asked.histories.matrix() @ self.weights
        # So small a share of popularity decides between equals alone, and for those who have no history.
        return found + np.float32(_LITTLE) * self.shares

    def arrays(self) -> dict[str, np.ndarray]:
        return {"weights": self.weights, "shares": self.shares}

    def restore(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        self.weights, self.shares = arrays["weights"], arrays["shares"]
        self.n_items = len(self.shares)


def solved(histories: Any, regularisation: float) -> np.ndarray:
    """The weights of items that stand in some histories.

    Args:
        histories: sparse zeros and ones of shape (users, items).
        regularisation: what is added to the diagonal.

    Returns:
        Float of shape (items, items), zero on the diagonal.

    Raises:
        SettingError: so little is added that the matrix has no inverse in the precision that it is solved in.
    """
    items = histories.shape[1]
    kind = np.float64 if items <= _EXACT else np.float32
    gram = np.asfortranarray((histories.T @ histories).toarray(), dtype=kind)
    gram[np.diag_indices(items)] += regularisation
    factor, invert = lapack.get_lapack_funcs(("potrf", "potri"), (gram,))
    upper, failed = factor(gram, overwrite_a=True)
    if failed:
        raise SettingError(
            "The matrix of items cannot be inverted with so little regularisation", where="model ease",
            got=regularisation, fix="Give more: 1 is little, and 500 usual.",
        )  # fmt: skip
    inverse, _ = invert(upper, overwrite_c=True)
    inverse = np.triu(inverse) + np.triu(inverse, 1).T
    weights = inverse / -np.diag(inverse)
    weights[np.diag_indices(items)] = 0
    return weights


def refuse_large(items: int) -> None:
    """Refuses a matrix of items that does not fit into the memory of the machine.

    Raises:
        ResourceError: says how much is needed and how much there is.
    """
    needed = _COPIES * 4.0 * items**2
    there = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    if needed > 0.8 * there:
        raise ResourceError(
            f"ease holds a matrix of {items:,} x {items:,} items, {needed / 2**30:.0f} GiB with its copies",
            where="model ease", got=f"{there / 2**30:.0f} GiB of memory",
            fix="Take a model that grows with the interactions, such as als or item-knn.",
        )  # fmt: skip
