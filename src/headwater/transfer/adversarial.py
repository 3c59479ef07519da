"""DANN: features from which a class can be told, but not where a row is from (Ganin et al. 2016).

A judge learns to tell labelled rows of another place from rows of the place where the model will be used; the encoder
learns to name the classes, and to leave the judge in the dark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from headwater.training import optimiser
from headwater.transfer.learner import EncoderLearner

if TYPE_CHECKING:
    from headwater.foundation.encoder import Encoder
    from headwater.settings import Settings
    from headwater.transfer.classifier import Examples
    from headwater.transfer.head import Head

_HIDDEN = 128
_JUDGE_RATE = 1e-3
"""The judge begins from nothing beside a pretrained encoder, and learns faster than it."""


class AdversarialLearner(EncoderLearner):
    """An encoder, a head and a judge; of every pass, as many unlabelled rows go through the encoder as labelled ones.

    The paper lets the reversed gradient grow with the training. Here the judge's last layer begins at zero, so that it
    sends the encoder nothing until it has learnt something, and its weight stays what `dann_weight` says.

    Args:
        encoder: the foundation; which of its parameters learn is already settled.
        head: where the head starts.
        train: the rows to learn from, with `unlabelled`; those of a source, or without one all, are from elsewhere.
        valid: the rows that choose the epoch.
        settings: token budget, device, seed and `dann_weight`.
        head_factor: how many times the learning rate of the foundation is the head's.
    """

    def __init__(
        self,
        encoder: Encoder,
        head: Head,
        train: Examples,
        valid: Examples,
        settings: Settings,
        head_factor: float = 1.0,
    ) -> None:
        super().__init__(encoder, head, train, valid, settings, head_factor)
        # Altered like the labelled rows: else the alteration would tell the judge where a row is from.
        self.unlabelled = encoder.prepare_to_learn(train.unlabelled)
        self.elsewhere = torch.from_numpy(train.elsewhere).float()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            last = nn.Linear(_HIDDEN, 1)
            self.judge = nn.Sequential(nn.Linear(encoder.width, _HIDDEN), nn.ReLU(), last)
        nn.init.zeros_(last.weight)
        self.network = nn.ModuleDict({"encoder": encoder.network, "head": self.head, "judge": self.judge})

    @property
    def parts(self) -> list[Any]:
        return [*super().parts, self.unlabelled]

    def loss(self, rows: np.ndarray) -> torch.Tensor:
        features, drawn = self.encoder.features(self.prepared.batch(rows)), self._drawn(rows)
        both = torch.cat([features, self.encoder.features(self.unlabelled.batch(drawn))])
        where = torch.cat([self.elsewhere[rows], torch.zeros(len(drawn))]).to(both.device)
        told = self.judge(_Reversed.apply(both, self.settings.dann_weight))[:, 0]
        judged = functional.binary_cross_entropy_with_logits(told, where)
        return self.class_loss(features, rows) + len(rows) * judged

    def parameter_groups(self, settings: Settings) -> list[dict[str, Any]]:
        judge = [{**group, "lr": _JUDGE_RATE} for group in optimiser.parameter_groups(self.judge, settings)]
        return super().parameter_groups(settings) + judge

    def _drawn(self, rows: np.ndarray) -> np.ndarray:
        """Unlabelled rows, drawn by the seed of the step: as many as these, fewer where they are longer."""
        drawn = torch.randint(len(self.unlabelled), (len(rows),)).numpy()
        room = len(rows) * int(self.lengths[rows].max())
        longest = np.maximum.accumulate(self.unlabelled.lengths[drawn])
        fitting = int((longest * np.arange(1, len(drawn) + 1) <= room).sum())
        return drawn[: max(1, fitting)]


class _Reversed(torch.autograd.Function):
    """The identity, whose gradient comes back reversed and weighed."""

    @staticmethod
    def forward(ctx: Any, features: torch.Tensor, weight: float) -> torch.Tensor:
        ctx.weight = weight
        return features.view_as(features)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        return -ctx.weight * gradients[0], None
