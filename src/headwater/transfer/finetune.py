"""Fine-tuning: a foundation and its head, learned together by the trainer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from headwater.foundation.text import PreparedTexts
from headwater.training import optimiser
from headwater.training.embeddings import compact
from headwater.training.history import History
from headwater.training.losses import classification_loss
from headwater.training.trainer import Learner, Trainer
from headwater.transfer.classifier import Examples
from headwater.transfer.features import passes
from headwater.transfer.head import Head
from headwater.transfer.mixup import mixed_loss
from headwater.transfer.scores import score
from headwater.transfer.strategies import RECIPES, train_mode, trainable

if TYPE_CHECKING:
    from headwater.foundation.encoder import Encoder
    from headwater.run import Run
    from headwater.settings import Settings

_FEATURE_DROPOUT = 0.1
_FEWEST_STEPS = 60


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
        self.prepared, self.held_out = encoder.prepare(train.inputs), encoder.prepare(valid.inputs)
        self.valid_targets = valid.targets
        self.lengths = self.prepared.lengths

    def loss(self, rows: np.ndarray) -> torch.Tensor:
        features = self.encoder.features(self.prepared.batch(rows))
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


def finetune(
    encoder: Encoder, strategy: str, train: Examples, valid: Examples, run: Run, start: Head | None = None
) -> tuple[Head, History]:
    """Trains the parameters of a strategy, and leaves the best epoch's in the encoder.

    Args:
        encoder: the foundation; its weights change.
        strategy: `full`, `probe-then-full`, `last-layers` or `lora`.
        train: the rows to learn from.
        valid: the rows that choose the epoch.
        run: settings and a folder for the checkpoints; epochs and learning rate are the strategy's if not set.
        start: where the head starts; from zero if not given.
    """
    recipe = RECIPES[strategy]
    run = replace(run, settings=completed(run.settings, strategy, len(train)))
    head = start or Head(
        np.zeros((train.n_classes, encoder.width), np.float32), np.zeros(train.n_classes, np.float32), 0.0
    )
    with trainable(encoder, strategy, run.settings):
        learner = EncoderLearner(encoder, head, train, valid, run.settings, recipe.head_factor)
        with compact_embeddings(encoder, [learner.prepared, learner.held_out]):
            history = Trainer(run, strategy).fit(learner)
    encoder.changed()
    return learner.learned_head(), history


@contextmanager
def compact_embeddings(encoder: Encoder, parts: Sequence[Any]) -> Iterator[None]:
    """Lets the optimiser see only the embedding rows in use, where no other module reads the table."""
    texts = [part for part in parts if isinstance(part, PreparedTexts)]
    network: Any = encoder.network
    table = network.get_input_embeddings() if texts else None
    if table is None or sum(getattr(module, "weight", None) is table.weight for module in network.modules()) > 1:
        yield
        return
    with compact(table, np.concatenate([*(part.ids for part in texts), [part.pad for part in texts]])):
        yield


def completed(settings: Settings, strategy: str, rows: int) -> Settings:
    """Settings with the strategy's own where they are open; few rows are passed over more often.

    Example:
        >>> from headwater.settings import Settings
        >>> completed(Settings(), "full", rows=5000).epochs, completed(Settings(), "full", rows=64).epochs
        (3, 30)
    """
    recipe = RECIPES[strategy]
    steps = math.ceil(rows / settings.batch_size)
    epochs = max(recipe.epochs, math.ceil(_FEWEST_STEPS / steps))
    return replace(
        settings,
        epochs=settings.epochs or epochs,
        learning_rate=recipe.learning_rate if settings.learning_rate is None else settings.learning_rate,
    )
