"""Hybrid: how items are had together where that is known, carried over to all others by how they are described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from scipy import sparse

from headwater.options import Between
from headwater.ranges import Search
from headwater.recommendation import described
from headwater.recommendation.autoencoder import solved
from headwater.recommendation.encoding import main_directions, picture_features, text_features, word_vectors
from headwater.recommendation.interactions import Histories, Interactions
from headwater.recommendation.popularity import average_history
from headwater.recommendation.recommender import Asked, Known, Recommender
from headwater.recommendation.ridge import Ridge, best_strength
from headwater.run import Run

_MOST_USERS = 2000
"""The users whose scores choose the strength of the map."""


@dataclass(frozen=True, kw_only=True)
class HybridSettings:
    """What `hybrid` can be told."""

    section: ClassVar[str] = "Model"

    encoder: Annotated[
        str | None, "The text encoder beside TF-IDF: an embedded name, a folder, a run folder, a hub id, or none."
    ] = "minilm"
    image_encoder: Annotated[
        str | None, "An image encoder of the items' pictures beside their words: a folder, a run folder, or a hub id."
    ] = None
    word_factors: Annotated[
        int, Between(0, 4096), Search(0, 1024, step=64), "The main directions of TF-IDF that are kept."
    ] = 512
    shrinkage: Annotated[
        float, Between(0.001, 1e9), Search(50, 2000, log=True), "How strongly what items are had together is shrunk."
    ] = 500.0
    strength: Annotated[
        float | None,
        Between(0, 1e6),
        "How strongly the map from descriptions is shrunk. Chosen by leaving items out if not given.",
    ] = None
    dense_items: Annotated[
        int, Between(1, 50_000), "Up to so many items each has a weight for each other; of more there are factors."
    ] = 8000
    factors: Annotated[int, Between(1, 4096), Search(16, 512, log=True), "Factors where items are many."] = 64


class Hybrid(Recommender):
    """EASE (Steck 2019) among known items, and a ridge regression from descriptions to every other.

    A ridge regression tells of a cold item how to mix it from known ones, its weights over them: its score is that mix
    of their scores, and in a history it counts as that mix of them. One closed form, no epochs.

    Attributes:
        left: what an item of a history adds, float32 of shape (items, factors), or (items, items).
        right: what each score is made of, shape (items, factors); None where `left` holds scores.
        average: the history of the average user, which stands for an empty one, float32 of shape (items,).
    """

    Settings = HybridSettings
    needs = ("item text",)
    cold = True
    left: np.ndarray
    right: np.ndarray | None
    average: np.ndarray

    def fit(self, known: Known, held_out: Interactions | None, run: Run) -> Self:
        matrix: Any = Histories.of_users(known.interactions).matrix()
        self.n_items = matrix.shape[1]
        self.average = average_history(known.interactions)
        features = self._features(known, run)
        there = np.flatnonzero(self.average)
        warm = matrix[:, there]
        left, right = self._among_known(warm, run.settings.seed)
        strength = self.settings.strength
        if strength is None:
            some = warm[:: -(-warm.shape[0] // _MOST_USERS)] @ left
            strength = best_strength(features[there], (some if right is None else some @ right.T).T)
        ridge = Ridge.of(features[there], strength)
        self.left = _carried(ridge, features, left, there)
        of_items = self.left.T if right is None else right
        self.right = _carried(ridge, features, of_items, there)
        if right is None:
            self.left, self.right = np.ascontiguousarray(self.right.T), None
        return self

    def scores(self, asked: Asked) -> np.ndarray:
        matrix = asked.histories.matrix()
        empty = sparse.csr_matrix((asked.histories.lengths == 0).astype(np.float32)[:, None])
        wishes = np.asarray((matrix + empty @ sparse.csr_matrix(self.average)) @ self.left, dtype=np.float32)
        return wishes if self.right is None else wishes @ self.right.T

    def arrays(self) -> dict[str, np.ndarray]:
        factors = {} if self.right is None else {"right": self.right}
        return {"left": self.left, "average": self.average, **factors}

    def restore(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        self.left, self.average, self.right = arrays["left"], arrays["average"], arrays.get("right")

    def _features(self, known: Known, run: Run) -> np.ndarray:
        """What is known of every item, float64 of shape (items, width)."""
        asked, settings = self.settings, run.settings
        items, columns = described.need_words(known, settings, "hybrid")
        words = word_vectors(described.words_of(items, columns))
        parts = [main_directions(words, asked.word_factors, settings.seed)]
        if asked.encoder is not None:
            parts.append(text_features(described.texts_of(items, columns), asked.encoder, settings))
        if asked.image_encoder is not None:
            items, column = described.need_image(known, settings, "hybrid with image_encoder")
            parts.append(picture_features(described.pictures_of(items, column), asked.image_encoder, settings))
        return np.concatenate(parts, axis=1).astype(np.float64)

    def _among_known(self, warm: Any, seed: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Left and right factors of the items that somebody had to do with; scores, and None, where items are few.

        Args:
            warm: who had which of them, sparse ones of shape (users, known items).
            seed: of the decomposition.
        """
        # All items count, and not the known ones alone: what is told of these is carried over to every other.
        if self.n_items <= self.settings.dense_items:
            return solved(warm, self.settings.shrinkage).astype(np.float32), None
        from sklearn.utils.extmath import randomized_svd

        _, sizes, found = randomized_svd(warm, min(self.settings.factors, *warm.shape), random_state=seed)
        kept = sizes**2 / (sizes**2 + self.settings.shrinkage)
        return np.ascontiguousarray(found.T), np.ascontiguousarray((found * kept[:, None]).T)


def _carried(ridge: Ridge, features: np.ndarray, values: np.ndarray, there: np.ndarray) -> np.ndarray:
    """The values of all items, float32 of shape (items, width), from those of the items that are `there`."""
    found = np.empty((len(features), values.shape[1]), dtype=np.float32)
    found[there] = values
    others = np.setdiff1d(np.arange(len(features)), there)
    found[others] = ridge.tell(features[others], values)
    return found
