"""An encoder and its linear head, as the trainer sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from headwater.training import optimiser
from headwater.training.losses import classification_loss
from headwater.training.trainer import Learner
from headwater.transfer.classifier import Examples
from headwater.transfer.features import passes
from headwater.transfer.head import Head
from headwater.transfer.mixup import mixed_loss
from headwater.transfer.scores import score
from headwater.transfer.strategies import train_mode

if TYPE_CHECKING:
    from headwater.foundation.encoder import Encoder
    from headwater.settings import Settings

_FEATURE_DROPOUT = 0.1


class EncoderLearner(Learner):
    """An encoder and a linear head, as the trainer sees them.

    Args:
        encoder: the foundation; which of its parameters learn is already settled.
        head: where the head starts.
        train: the rows to learn from.
        valid: the rows that choose the epoch.
        settings: token budget and device.
        head_factor: how many times the learning rate of the foundation is the head's.
    """

    large_products = True

    def __init__(
        self,
        encoder: Encoder,
        head: Head,
        train: Examples,
        valid: Examples,
        settings: Settings,
        head_factor: float = 1.0,
    ) -> None:
        self.encoder, self.settings, self.head_factor = encoder, settings, head_factor
        self.head = nn.Linear(encoder.width, train.n_classes)
        self.head.load_state_dict({"weight": torch.from_numpy(head.weight), "bias": torch.from_numpy(head.bias)})
        self.network = nn.ModuleDict({"encoder": encoder.network, "head": self.head})
        self.several, self.targets = train.several, torch.from_numpy(train.targets)
        self.weights = None if train.weights is None else torch.from_numpy(train.weights).float()
        self.prepared, self.held_out = encoder.prepare_to_learn(train.inputs), encoder.prepare(valid.inputs)
        self.valid_targets = valid.targets
        self.lengths = self.prepared.lengths

    @property
    def parts(self) -> list[Any]:
        """Every set of prepared inputs that goes through the encoder."""
        return [self.prepared, self.held_out]

    def ahead(self, rows: np.ndarray) -> None:
        self.prepared.ahead(rows)

    def loss(self, rows: np.ndarray) -> torch.Tensor:
        return self.class_loss(self.encoder.features(self.prepared.batch(rows)), rows)

    def class_loss(self, features: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
        """The loss of the head on the features of training rows, summed over them."""
        features = functional.dropout(features, _FEATURE_DROPOUT)
        targets = self.targets[rows].to(features.device)
        weights = None if self.weights is None else self.weights[rows].to(features.device)
        if "mixup" in (self.settings.augment or ()):
            return mixed_loss(self.head, features, targets, weights, alpha=self.settings.mixup_alpha)
        return classification_loss(self.head(features), targets, weights, several=self.several)

    def score(self) -> float:
        logits = np.zeros((len(self.held_out), self.head.out_features), np.float32)
        for rows, features in passes(self.encoder, self.held_out, self.settings.token_budget):
            logits[rows] = self.head(features).float().cpu().numpy()
        return score(logits, self.valid_targets)

    def train_mode(self) -> None:
        train_mode(self.encoder)

    def parameter_groups(self, settings: Settings) -> list[dict[str, Any]]:
        rate = (settings.learning_rate or 0.0) * self.head_factor
        head = [{**group, "lr": rate} for group in optimiser.parameter_groups(self.head, settings)]
        return optimiser.parameter_groups(self.encoder.network, settings) + head

    def learned_head(self) -> Head:
        """The head as it is now."""
        weight, bias = (tensor.detach().cpu().numpy().copy() for tensor in (self.head.weight, self.head.bias))
        return Head(weight, bias, strength=0.0)
