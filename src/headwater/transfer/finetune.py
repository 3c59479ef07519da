"""Fine-tuning: a foundation and its head, learned together by the trainer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from headwater.foundation.text import PreparedTexts
from headwater.training import course
from headwater.training.embeddings import compact
from headwater.training.history import History
from headwater.training.trainer import Trainer
from headwater.transfer.adversarial import AdversarialLearner
from headwater.transfer.classifier import Examples
from headwater.transfer.head import Head
from headwater.transfer.learner import EncoderLearner
from headwater.transfer.recipes import Recipe, recipe_of
from headwater.transfer.strategies import trainable

if TYPE_CHECKING:
    from headwater.foundation.encoder import Encoder
    from headwater.run import Run
    from headwater.settings import Settings


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
    recipe = recipe_of(strategy, encoder)
    run = replace(run, settings=completed(run.settings, recipe, len(train)))
    head = start or Head(
        np.zeros((train.n_classes, encoder.width), np.float32), np.zeros(train.n_classes, np.float32), 0.0
    )
    with trainable(encoder, strategy, run.settings):
        hides = len(train.unlabelled) > 0 and run.settings.unlabelled_method == "dann"
        kind = AdversarialLearner if hides else EncoderLearner
        learner = kind(encoder, head, train, valid, run.settings, recipe.head_factor)
        with compact_embeddings(encoder, learner.parts):
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


def completed(settings: Settings, recipe: Recipe, rows: int) -> Settings:
    """Settings with those of a recipe where they are open, for so many rows.

    Example:
        >>> from headwater.settings import Settings
        >>> from headwater.transfer.recipes import RECIPES
        >>> [completed(Settings(), RECIPES["full"], rows).epochs for rows in (64, 5000)]
        [30, 3]
    """
    return course.completed(
        settings, rows, epochs=recipe.epochs, learning_rate=recipe.learning_rate, fewest_steps=recipe.fewest_steps
    )
