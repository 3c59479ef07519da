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


class ContentRecommender(Recommender):
    """Scores items by features alone: those that nobody had to do with as well as all others.

    Attributes:
        features: of every item about the mean, shape (items, width); dense or sparse.
        told: what each item of a history adds to a user's wishes, shape (items, width).
        average: the history of the average user, float32 of shape (items,).
    """

    Settings = ContentSettings
    needs = ("item text",)
    cold = True
    features: Any
    told: Any
    average: np.ndarray

    @abstractmethod
    def describe(self, known: Known, run: Run) -> Any:
        """Features of every item, shape (items, width), dense or sparse."""

    def fit(self, known: Known, held_out: Interactions | None, run: Run) -> Self:
        histories = Histories.of_users(known.interactions)
        self.n_items = histories.n_items
        matrix = histories.matrix()
        self.average = np.asarray(matrix.mean(axis=0), dtype=np.float32).ravel()
        self.features = self.describe(known, run)
        self.told = self.learn(matrix)
        return self

    def learn(self, matrix: Any) -> Any:
        """`told`, from what users had, sparse ones of shape (users, items)."""
        return self.features

    def scores(self, asked: Asked) -> np.ndarray:
        wishes = asked.histories.matrix() @ self.told
        average = sparse.csr_matrix(self.settings.prior * self.average) @ self.told
        if sparse.issparse(wishes):
            # Sparse features are not about their mean; a user's wishes are, which moves no item past another.
            had = np.asarray(asked.histories.lengths + self.settings.prior * self.average.sum(), dtype=np.float32)
            rows = np.ones((len(asked), 1), dtype=np.float32)
            wishes = wishes + sparse.csr_matrix(rows) @ average
            centre = np.asarray(self.features.mean(axis=0), dtype=np.float32) @ self.features.T
            return np.asarray((wishes @ self.features.T).toarray() - had[:, None] * centre, dtype=np.float32)
        return np.asarray((wishes + average) @ self.features.T, dtype=np.float32)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"features": self.features, "told": self.told, "average": self.average}

    def restore(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        self.features, self.told, self.average = (arrays[name] for name in ("features", "told", "average"))


class Tfidf(ContentRecommender):
    """Items as TF-IDF vectors of their words; a user wants what is near the mean of a history (Rocchio 1971).

    Near is the cosine, about the mean of all items: what most items say counts for nothing.
    """

    def describe(self, known: Known, run: Run) -> sparse.csr_matrix:
        items, columns = described.need_words(known, run.settings, "tfidf")
        return word_vectors(described.words_of(items, columns))

    def arrays(self) -> dict[str, np.ndarray]:
        parts = {name: getattr(self.features, name) for name in ("data", "indices", "indptr")}
        return {**parts, "average": self.average}

    def facts(self) -> dict[str, Any]:
        return {"width": self.features.shape[1]}

    def restore(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        parts = tuple(arrays[name] for name in ("data", "indices", "indptr"))
        self.features = self.told = sparse.csr_matrix(parts, shape=(self.n_items, facts["width"]))
        self.average = arrays["average"]


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


class DenseContent(ContentRecommender):
    """Items as dense features; a user is a ridge regression on them, all users solved at once.

    The weights of every user are linear in the history, so that a new user has those of a known one of equal history.
    """

    Settings: ClassVar[type] = DenseSettings

    def learn(self, matrix: Any) -> np.ndarray:
        self.features = self.features - self.features.mean(axis=0)
        if self.settings.profile == "mean":
            return self.features
        there = np.flatnonzero(self.average)
        known = self.features[there]
        step = -(-matrix.shape[0] // _MOST_USERS)
        strength = self.settings.strength
        if strength is None:
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
