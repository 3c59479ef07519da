"""Content-based models: an item is what its words or its picture say, a user is what the items of a history share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from scipy import sparse

from headwater.options import Between, OneOf
from headwater.ranges import Search
from headwater.recommendation import described
from headwater.recommendation.encoding import main_directions, picture_features, text_features, word_vectors
from headwater.recommendation.interactions import Histories, Interactions
from headwater.recommendation.popularity import average_history
from headwater.recommendation.recommender import Asked, Known, Recommender
from headwater.recommendation.ridge import Ridge, best_strength
from headwater.run import Run

_MOST_USERS = 2000
"""The users whose histories choose the strength: more would choose the same."""


@dataclass(frozen=True, kw_only=True)
class ContentSettings:
    """What every model of contents can be told."""

    section: ClassVar[str] = "Model"

    prior: Annotated[
        float,
        Between(0, 1000),
        Search(0.1, 10, log=True),
        "How many histories of the average user are added to that of each.",
    ] = 1.0


class Tfidf(Recommender):
    """Items as TF-IDF vectors of their words; a user wants what is near the mean of a history (Rocchio 1971).

    Near is the cosine, about the mean of all items: what most items say counts for nothing.

    Attributes:
        features: sparse, of length one, float32 of shape (items, words).
        centre: the product of each item with the mean item, float32 of shape (items,).
        usual: the score of each item for the average user, as much of it as `prior` says, float32 of shape (items,).
    """

    Settings = ContentSettings
    needs = ("item text",)
    cold = True
    features: Any
    centre: np.ndarray
    usual: np.ndarray

    def fit(self, known: Known, held_out: Interactions | None, run: Run) -> Self:
        items, columns = described.need_words(known, run.settings, "tfidf")
        self.features = word_vectors(described.words_of(items, columns))
        self.n_items = self.features.shape[0]
        mean = np.asarray(self.features.mean(axis=0), dtype=np.float32).ravel()
        average = self.settings.prior * average_history(known.interactions)
        self.centre = self.features @ mean
        self.usual = self.features @ (self.features.T @ average - average.sum() * mean)
        return self

    def scores(self, asked: Asked) -> np.ndarray:
        near = (asked.histories.matrix() @ self.features @ self.features.T).toarray()
        # The mean item is taken off a user's wishes here: taken off the vectors, they would not be sparse.
        about_mean = near - asked.histories.lengths.astype(np.float32)[:, None] * self.centre
        return np.asarray(about_mean + self.usual, dtype=np.float32)

    def arrays(self) -> dict[str, np.ndarray]:
        parts = {name: getattr(self.features, name) for name in ("data", "indices", "indptr")}
        return {**parts, "centre": self.centre, "usual": self.usual}

    def facts(self) -> dict[str, Any]:
        return {"words": self.features.shape[1]}

    def restore(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        parts = tuple(arrays[name] for name in ("data", "indices", "indptr"))
        self.features = sparse.csr_matrix(parts, shape=(self.n_items, facts["words"]))
        self.centre, self.usual = arrays["centre"], arrays["usual"]


@dataclass(frozen=True, kw_only=True)
class DenseSettings(ContentSettings):
    """What models of dense features can be told beside."""

    profile: Annotated[
        str,
        OneOf(("ridge", "mean")),
        "What a user is: a regression on the items that were had and those that were not, or the mean of those had.",
    ] = "ridge"
    strength: Annotated[
        float | None,
        Between(0, 1e6),
        "How strongly the regression shrinks. Chosen by leaving items out if not given.",
    ] = None


class DenseContent(Recommender):
    """Items as dense features; a user is a ridge regression on them, all users solved at once.

    The weights of every user are linear in the history, so that a new user has those of a known one of equal history.

    Attributes:
        features: of every item about the mean, float32 of shape (items, width).
        told: what each item of a history adds to a user's weights, float32 of shape (items, width).
        usual: the weights of the average user, as much of them as `prior` says, float32 of shape (width,).
    """

    Settings: ClassVar[type] = DenseSettings
    needs = ("item text",)
    cold = True
    features: np.ndarray
    told: np.ndarray
    usual: np.ndarray

    @abstractmethod
    def describe(self, known: Known, run: Run) -> np.ndarray:
        """Features of every item, float32 of shape (items, width)."""

    def fit(self, known: Known, held_out: Interactions | None, run: Run) -> Self:
        found = self.describe(known, run)
        self.n_items, self.features = len(found), found - found.mean(axis=0)
        average = average_history(known.interactions)
        self.told = self.features
        if self.settings.profile == "ridge":
            self.told = self._solved(Histories.of_users(known.interactions).matrix(), np.flatnonzero(average))
        self.usual = self.settings.prior * (average @ self.told)
        return self

    def scores(self, asked: Asked) -> np.ndarray:
        return np.asarray((asked.histories.matrix() @ self.told + self.usual) @ self.features.T, dtype=np.float32)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"features": self.features, "told": self.told, "usual": self.usual}

    def restore(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        self.features, self.told, self.usual = (arrays[name] for name in ("features", "told", "usual"))

    def _solved(self, matrix: Any, there: np.ndarray) -> np.ndarray:
        """`told` of a regression on the items that are `there`, where others are neither had nor not."""
        known, strength = self.features[there], self.settings.strength
        if strength is None:
            step = -(-matrix.shape[0] // _MOST_USERS)
            strength = best_strength(known, matrix[::step][:, there].T.toarray())
        return ((self.features - known.mean(axis=0)) @ Ridge.of(known, strength).inverse).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class LsaSettings(DenseSettings):
    """What `lsa` can be told."""

    factors: Annotated[int, Between(1, 4096), Search(16, 512, log=True), "The directions that are kept."] = 256


class Lsa(DenseContent):
    """Items as the main directions of the TF-IDF of their words: latent semantic analysis (Deerwester et al. 1990)."""

    Settings = LsaSettings

    def describe(self, known: Known, run: Run) -> np.ndarray:
        items, columns = described.need_words(known, run.settings, "lsa")
        return main_directions(
            word_vectors(described.words_of(items, columns)), self.settings.factors, run.settings.seed
        )


@dataclass(frozen=True, kw_only=True)
class TextEmbeddingSettings(DenseSettings):
    """What `text-embedding` can be told."""

    encoder: Annotated[str, "The text encoder: an embedded name, a folder, a run folder, or a hub id."] = "minilm"


class TextEmbedding(DenseContent):
    """Items as a frozen text encoder of any foundation sees their words."""

    Settings = TextEmbeddingSettings

    def describe(self, known: Known, run: Run) -> np.ndarray:
        items, columns = described.need_words(known, run.settings, "text-embedding")
        return text_features(described.texts_of(items, columns), self.settings.encoder, run.settings)


@dataclass(frozen=True, kw_only=True)
class ImageEmbeddingSettings(DenseSettings):
    """What `image-embedding` can be told."""

    encoder: Annotated[str, "The image encoder: a folder, a run folder, or a hub id."] = "facebook/dinov2-small"


class ImageEmbedding(DenseContent):
    """Items as a frozen image encoder of any foundation sees their pictures."""

    Settings = ImageEmbeddingSettings
    needs = ("item image",)

    def describe(self, known: Known, run: Run) -> np.ndarray:
        items, column = described.need_image(known, run.settings, "image-embedding")
        return picture_features(described.pictures_of(items, column), self.settings.encoder, run.settings)
