"""A network that makes up what a user had, and one that tells it from what users had (CFGAN; Chae et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

import numpy as np
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional

from headwater.options import Between
from headwater.ranges import Search
from headwater.recommendation.interactions import Histories, Interactions
from headwater.recommendation.neural import NeuralRecommender, RankingLearner
from headwater.recommendation.recommender import Asked, Known
from headwater.recommendation.validation import Validation, divided
from headwater.run import Run

_AT_ONCE = 256


@dataclass(frozen=True, kw_only=True)
class GanSettings:
    """What `gan` can be told."""

    section: ClassVar[str] = "Model"

    width: Annotated[int, Between(4, 8192), Search(64, 512, step=64), "Units of each hidden layer."] = 256
    dropout: Annotated[
        float, Between(0, 0.95), Search(0, 0.7), "The share of a history that the maker is not shown in training."
    ] = 0.5
    adversary: Annotated[
        float, Between(0, 1000), Search(0.01, 10, log=True), "What fooling the judge weighs in the maker's loss."
    ] = 0.3
    negatives: Annotated[
        float,
        Between(0, 1),
        Search(0.05, 1),
        "The share of the items that a user had not which the maker is told to leave at zero, and the judge sees.",
    ] = 0.2
    zeros: Annotated[
        float, Between(0, 1000), Search(0.01, 10, log=True), "What leaving them at zero weighs in the maker's loss."
    ] = 0.1


class Gan(NeuralRecommender):
    """The maker reads a history and makes up all of it; the judge sees both, and the history beside.

    Both learn in the same step: the judge to tell them apart, the maker to be taken for what users had.
    """

    Settings = GanSettings
    epochs = 150
    learning_rate = 1e-3

    def untrained(self) -> nn.Module:
        return MakerAndJudge(self.n_items, self.settings)

    def fit(self, known: Known, held_out: Interactions | None, run: Run) -> Self:
        learnt, unseen = divided(known.interactions, held_out)
        self.n_items = len(learnt.item_ids)
        self.known_items = np.bincount(learnt.items, minlength=self.n_items) > 0
        self.begin(run)
        self.train(_GanLearner(self, Histories.of_users(learnt), Validation.of(learnt, unseen)), run)
        return self

    def scores(self, asked: Asked) -> np.ndarray:
        device, found = next(self.network.parameters()).device, []
        self.network.eval()
        with torch.inference_mode():
            for start in range(0, max(1, len(asked)), _AT_ONCE):
                rows = np.arange(start, min(start + _AT_ONCE, len(asked)))
                had = torch.from_numpy(asked.histories.take(rows).matrix().toarray()).to(device)
                found.append(self.network["maker"](had).float().cpu().numpy())
        return self.only_known(np.concatenate(found))


class MakerAndJudge(nn.ModuleDict):
    """The two networks, each with one hidden layer.

    Args:
        items: how many there are.
        settings: of the model.
    """

    def __init__(self, items: int, settings: GanSettings) -> None:
        width = settings.width
        maker = nn.Sequential(nn.Linear(items, width), nn.Tanh(), nn.Linear(width, items))
        judge = nn.Sequential(nn.Linear(2 * items, width), nn.LeakyReLU(0.2), nn.Linear(width, 1))
        super().__init__({"maker": maker, "judge": judge})
        self.settings = settings

    def loss(self, had: torch.Tensor) -> torch.Tensor:
        """The loss of both, summed over rows; `had` is 1 or 0 of shape (rows, items)."""
        asked = self.settings
        shown = functional.dropout(had, asked.dropout)
        made = torch.sigmoid(self["maker"](shown).float())
        none = (torch.rand_like(had) < asked.negatives) * (1 - had)
        seen = made * (had + none)
        judge = _missed(self._judged(had, had), 1.0) + _missed(self._judged(seen.detach(), had), 0.0)
        # The judge's weights are still in this term: it alone would move them to be fooled.
        fooled = _missed(self._judged(seen, had, still=True), 1.0)
        return judge + asked.adversary * fooled + asked.zeros * (none * made.square()).sum()

    def _judged(self, seen: torch.Tensor, had: torch.Tensor, *, still: bool = False) -> torch.Tensor:
        judge, both = self["judge"], torch.cat([seen, had], dim=1)
        if still:
            weights = {name: weight.detach() for name, weight in judge.named_parameters()}
            return functional_call(judge, weights, (both,)).float()
        return judge(both).float()


def _missed(judged: torch.Tensor, truth: float) -> torch.Tensor:
    return functional.binary_cross_entropy_with_logits(judged, torch.full_like(judged, truth), reduction="sum")


class _GanLearner(RankingLearner):
    """Maker and judge with the users to learn from, a row each."""

    logits = False

    def __init__(self, model: Gan, histories: Histories, validation: Validation) -> None:
        users = np.flatnonzero(histories.lengths)
        super().__init__(model, np.ones(len(users), dtype=np.int64), validation)
        self.histories = histories.take(users)

    def loss(self, rows: np.ndarray) -> torch.Tensor:
        had = torch.from_numpy(self.histories.take(rows).matrix().toarray())
        return self.model.network.loss(had.to(next(self.network.parameters()).device))
