"""Pictures, texts and facts in one scorer: a tower of networks for items, one for users (CNN + MLP)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import torch
from torch import nn

from headwater.options import Between
from headwater.ranges import Search
from headwater.recommendation import described
from headwater.recommendation.encoding import text_features
from headwater.recommendation.inputs import facts_of, numbered, pixels_of
from headwater.recommendation.interactions import Histories, Interactions
from headwater.recommendation.neural import NeuralRecommender, RankingLearner
from headwater.recommendation.recommender import Asked, Known
from headwater.recommendation.towers import ItemTower, PictureTower, UserTower, WordTower
from headwater.recommendation.validation import Validation, divided
from headwater.run import Run
from headwater.settings import Settings as RunSettings

_SIDE = 32
_AT_ONCE = 256
_TARGETS = 16
"""The items of a user that one step learns to tell, at most."""


@dataclass(frozen=True, kw_only=True)
class FeatureSettings:
    """What `cnn-features` can be told."""

    section: ClassVar[str] = "Model"

    width: Annotated[int, Between(4, 4096), Search(32, 256, step=32), "Numbers in the vector of an item."] = 64
    dropout: Annotated[float, Between(0, 0.95), Search(0, 0.7), "The share of features dropped while training."] = 0.3
    encoder: Annotated[
        str | None,
        "A frozen text encoder to read texts with: an embedded name, a folder, a run folder or a hub id. Word vectors "
        "and convolutions that learn from nothing if none.",
    ] = "minilm"
    candidates: Annotated[
        int, Between(2, 1_000_000), Search(256, 4096, log=True), "Items that one step compares with one another."
    ] = 2048


class CnnFeatures(NeuralRecommender):
    """Two towers whose vectors' product is the score (after Covington et al. 2016).

    The tower of items reads a text through a frozen encoder or convolutions over word vectors, a picture through
    convolutions, or both. The tower of users reads a history and what the table of users says.

    Attributes:
        items: the vector of each item, float32 of shape (items, width).
        facts_of_users: what is known of each user learnt from, float32 of shape (users, facts).
        inputs: what the item towers read, by name; there only while it is fitted.
    """

    Settings = FeatureSettings
    reads = (*NeuralRecommender.reads, "image_size")
    cold = True
    epochs = 150
    learning_rate = 3e-3
    items: np.ndarray
    facts_of_users: np.ndarray
    inputs: dict[str, torch.Tensor]

    def fit(self, known: Known, held_out: Interactions | None, run: Run) -> Self:
        learnt, unseen = divided(known.interactions, held_out)
        self.n_items = len(learnt.item_ids)
        self.known_items = np.bincount(learnt.items, minlength=self.n_items) > 0
        self.facts_of_users = facts_of(known.users, learnt.user_ids, run.settings.seed)
        self.inputs = self._read(known, run.settings)
        self.begin(run)
        learner = _TowerLearner(self, Histories.of_users(learnt), Validation.of(learnt, unseen))
        self.train(learner, run)
        self.items = self.item_vectors()
        del self.inputs
        return self

    def untrained(self) -> nn.Module:
        width, dropout = self.settings.width, self.settings.dropout
        people = UserTower(self.n_items, self.facts_of_users.shape[1], width, dropout)
        if not hasattr(self, "inputs"):  # one that was loaded has its items' vectors, and no use for their tower
            return nn.ModuleDict({"people": people})
        towers = {name: self._tower(name, given) for name, given in self.inputs.items()}
        return nn.ModuleDict({"people": people, "things": ItemTower(towers, self.n_items, width, dropout)})

    def scores(self, asked: Asked) -> np.ndarray:
        self.network.eval()
        with torch.inference_mode():
            wishes = self.wishes(asked.histories, self.facts_for(asked.users)).float().cpu().numpy()
        return wishes @ self.items.T

    def wishes(self, histories: Histories, facts: np.ndarray) -> torch.Tensor:
        """The vectors of users, shape (rows, width), in the network's present mode."""
        device = next(self.network.parameters()).device
        given = (histories.items.astype(np.int64), histories.starts, facts)
        return self.network["people"](*(torch.from_numpy(part).to(device) for part in given))

    def vectors(self, rows: np.ndarray) -> torch.Tensor:
        """The vectors of items, shape (rows, width), in the network's present mode."""
        device, places = next(self.network.parameters()).device, torch.from_numpy(rows)
        inputs = {name: given[places].to(device) for name, given in self.inputs.items()}
        known = torch.from_numpy(self.known_items[rows].astype(np.float32)).to(device)
        return self.network["things"](places.to(device), inputs, known)

    def item_vectors(self) -> np.ndarray:
        """The vectors of all items, float32 of shape (items, width)."""
        self.network.eval()
        parts = np.array_split(np.arange(self.n_items), max(1, self.n_items // _AT_ONCE))
        with torch.no_grad():
            return np.concatenate([self.vectors(rows).float().cpu().numpy() for rows in parts])

    def arrays(self) -> dict[str, np.ndarray]:
        kept = {name: values for name, values in super().arrays().items() if not name.startswith("network.things.")}
        return {**kept, "items": self.items, "facts_of_users": self.facts_of_users}

    def restore(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        self.items, self.facts_of_users = arrays["items"], arrays["facts_of_users"]
        super().restore(arrays, facts)

    def facts_for(self, users: np.ndarray) -> np.ndarray:
        """What is known of users by their positions, zero of one who is `NEW`, shape (rows, facts)."""
        found = self.facts_of_users[np.maximum(users, 0)] if len(self.facts_of_users) else np.zeros((len(users), 1))
        return np.where(users[:, None] >= 0, found, 0).astype(np.float32)

    def _tower(self, name: str, given: torch.Tensor) -> nn.Module:
        if name == "picture":
            return PictureTower(self.settings.width)
        if name == "words":
            return WordTower(int(given.max()) + 1, self.settings.width)
        return nn.Linear(given.shape[1], self.settings.width)

    def _read(self, known: Known, settings: RunSettings) -> dict[str, torch.Tensor]:
        """What each tower reads of every item: those for which the table has columns.

        Raises:
            DataError: there is no table of items, or it has neither words nor pictures.
        """
        items, found = described.need_any(known, settings, "cnn-features")
        inputs = {}
        if found.words:
            texts = described.texts_of(items, found.words)
            encoder = self.settings.encoder
            inputs["words" if encoder is None else "text"] = torch.from_numpy(
                numbered(texts) if encoder is None else text_features(texts, encoder, settings)
            )
        if found.image is not None:
            pictures = described.pictures_of(items, found.image)
            inputs["picture"] = torch.from_numpy(pixels_of(pictures, settings.image_size or _SIDE))
        return inputs


class _TowerLearner(RankingLearner):
    """Both towers, and the users to learn from, a row each."""

    def __init__(self, model: CnnFeatures, histories: Histories, validation: Validation) -> None:
        users = np.flatnonzero(histories.lengths > 1)
        super().__init__(model, np.ones(len(users), dtype=np.int64), validation)
        self.towers, self.users, self.histories = model, users, histories.take(users)
        counts = np.bincount(self.histories.items, minlength=model.n_items)
        self.share = counts / max(1, counts.sum())
        self.known = np.flatnonzero(model.known_items)

    def loss(self, rows: np.ndarray) -> torch.Tensor:
        """Some items of each user are told from the others; all are compared with the same candidates."""
        draw = np.random.default_rng(int(torch.randint(2**62, ()).item()))
        histories = self.histories.take(rows)
        given, target_rows, targets = _parted(histories, draw)
        candidates, chances = self._candidates(targets, draw)
        facts = self.towers.facts_for(np.where(draw.random(len(rows)) < 0.8, self.users[rows], -1))
        wishes, vectors = self.towers.wishes(given, facts), self.towers.vectors(candidates)
        logits = (wishes @ vectors.T).float() - torch.from_numpy(np.log(chances)).float().to(vectors.device)
        places = np.searchsorted(candidates, targets)
        told = logits.log_softmax(dim=1)[torch.from_numpy(target_rows), torch.from_numpy(places)]
        shares = 1 / np.bincount(target_rows, minlength=len(rows))[target_rows]
        return -(told * torch.from_numpy(shares).float().to(told.device)).sum()

    def refresh(self) -> None:
        self.towers.items = self.towers.item_vectors()

    def _candidates(self, targets: np.ndarray, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """The items of a step, sorted, and how likely each was to be among them (Yi et al. 2019).

        An item is among them when it is drawn or is a target, as each of these is the likelier the more common it is.
        """
        some = min(self.towers.settings.candidates, len(self.known))
        if some == len(self.known):
            return self.known, np.ones(len(self.known))
        drawn = draw.choice(self.known, some, replace=False)
        candidates = np.union1d(targets, drawn)
        missed = (1 - some / len(self.known)) * (1 - self.share[candidates]) ** len(targets)
        return candidates, 1 - missed


def _parted(histories: Histories, draw: np.random.Generator) -> tuple[Histories, np.ndarray, np.ndarray]:
    """Histories without some items, and the rows and items that are to be told: half of a history, 16 at most."""
    lengths = histories.lengths
    rows = np.repeat(np.arange(len(histories)), lengths)
    order = np.lexsort((draw.random(len(rows)), rows))
    place = np.arange(len(rows)) - histories.starts[:-1][rows]
    hidden = np.empty(len(rows), dtype=bool)
    hidden[order] = place < np.minimum(lengths // 2, _TARGETS)[rows]
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows[~hidden], minlength=len(histories)))]).astype(np.int64)
    given = Histories(starts, histories.items[~hidden], histories.values[~hidden], histories.n_items)
    return given, rows[hidden], histories.items[hidden]
