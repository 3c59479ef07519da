"""Contrastive tuning: rows of one class are drawn together, those of others apart, before a head is solved on them.

The idea and the squared error of cosines are SetFit's (Tunstall et al., Efficient Few-Shot Learning Without Prompts,
2022), but a step encodes some rows once, and every two of them are a pair. So many pairs come of so few passes that a
handful of steps does what takes hundreds with pairs that are encoded one by one; and since the rows of a step are drawn
by their positions, no list of pairs is ever made.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from headwater.training.device import token_budget_of
from headwater.training.history import History
from headwater.training.trainer import Learner, Trainer
from headwater.transfer.finetune import compact_embeddings

if TYPE_CHECKING:
    from headwater.foundation.encoder import Encoder
    from headwater.run import Run
    from headwater.settings import Settings
    from headwater.transfer.classifier import Examples

STEPS = 8
LEARNING_RATE = 1e-4
_BUDGETS = 4
"""A step is one pass, whose gradient takes more memory than cutting rows into passes would: so many token budgets."""


class ContrastiveLearner(Learner):
    """An encoder whose every step is one pass over a few rows of several classes.

    The trainer's rows are the steps here, of which it takes one at a time: a loss between rows cannot be summed over
    passes, and a step is drawn from the seed and its number alone, so that a stopped training goes on where it was.

    Args:
        encoder: the foundation; all of its parameters learn.
        train: the rows to learn from, one label each.
        settings: the seed, the rows of a step (`batch_size`), the token budget.
        steps: how many steps there are.
    """

    large_products = True

    def __init__(self, encoder: Encoder, train: Examples, settings: Settings, steps: int) -> None:
        self.encoder, self.seed, self.network = encoder, settings.seed, encoder.network
        self.targets = train.targets
        self.weights = np.ones(len(train)) if train.weights is None else train.weights
        self.prepared = encoder.prepare(train.inputs)
        fitting = _BUDGETS * token_budget_of(settings.token_budget, encoder.network) // self.prepared.lengths.max()
        self.rows = max(4, min(settings.batch_size, int(fitting)))
        self.lengths = np.full(steps, min(self.rows, len(train)) * round(self.prepared.lengths.mean()))

    def loss(self, rows: np.ndarray) -> torch.Tensor:
        with self._attention():
            return torch.stack([self._step(step) for step in rows.tolist()]).sum()

    def train_mode(self) -> None:
        """Without dropout: it measured no better, and it costs."""
        self.network.eval()

    def score(self) -> float:
        """Nothing: no row is held out, and there is one epoch, whose end is kept."""
        return 0.0

    def _attention(self) -> AbstractContextManager[object]:
        """On a processor, attention written out: its fused form saves memory there, but is slow to go back through."""
        on_processor = next(self.network.parameters()).device.type == "cpu"
        return sdpa_kernel(SDPBackend.MATH) if on_processor else nullcontext()

    def _step(self, step: int) -> torch.Tensor:
        drawn = draw(self.targets, self.rows, np.random.default_rng([self.seed, step]))
        features = self.encoder.features(self.prepared.batch(drawn))
        told = [torch.from_numpy(array[drawn]).to(features.device) for array in (self.targets, self.weights)]
        return cosine_loss(features, *told)


def tune(encoder: Encoder, train: Examples, run: Run) -> History:
    """Tunes an encoder on rows of which at least one class has two; goes on from a checkpoint in the run's folder.

    Args:
        encoder: the foundation; its weights change.
        train: the rows to learn from.
        run: `learning_rate` and `epochs`, in passes over the rows, overrule the strategy's own rate and steps.
    """
    settings = run.settings
    rate = LEARNING_RATE if settings.learning_rate is None else settings.learning_rate
    steps = settings.epochs * math.ceil(len(train) / settings.batch_size) if settings.epochs else STEPS
    learner = ContrastiveLearner(encoder, train, settings, steps)
    with compact_embeddings(encoder, [learner.prepared]):
        one_by_one = replace(settings, learning_rate=rate, epochs=1, batch_size=1)
        return Trainer(replace(run, settings=one_by_one), "contrastive").fit(learner)


def draw(targets: np.ndarray, rows: int, random: np.random.Generator) -> np.ndarray:
    """Positions of the rows of one step, at most so many: an equal number of each class, or all rows where they fit.

    A class brings two rows at least where it has them, so that there is something to draw together: of more classes
    than that leaves room for, some are drawn.

    Args:
        targets: class positions of all rows, shape (all rows,).
        rows: the most rows of a step, four or more.
        random: where the draw comes from.

    Example:
        >>> targets = np.repeat(np.arange(5), 10)
        >>> np.bincount(targets[draw(targets, 8, np.random.default_rng(0))]).tolist()
        [2, 0, 2, 2, 2]
    """
    if len(targets) <= rows:
        return np.arange(len(targets))
    classes = random.permutation(np.unique(targets))[: rows // 2]
    each = rows // len(classes)
    return np.sort(np.concatenate([random.permutation(np.flatnonzero(targets == kind))[:each] for kind in classes]))


def cosine_loss(features: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """How far the cosines of all pairs of rows are from what they should be: 1 within a class, 0 between classes.

    The squared error, as a weighted mean over the pairs of one class and another over those of two; the mean of both,
    so that neither kind is drowned by the other, however many classes there are. A pair weighs the product of the
    weights of its rows, as if each row stood there that many times.

    Args:
        features: shape (rows, width), of any length: only their directions count.
        targets: class positions of shape (rows,).
        weights: the weight of each row, shape (rows,).

    Returns:
        A scalar in single precision; of the one kind where the other has no pair, and 0 where there is no pair at all.

    Example:
        >>> cosine_loss(torch.eye(3), torch.tensor([0, 0, 1]), torch.ones(3))
        tensor(0.5000)
    """
    first, second = torch.triu_indices(len(targets), len(targets), offset=1, device=features.device)
    directions = functional.normalize(features.float(), dim=1)
    cosines = (directions @ directions.T)[first, second]
    together = targets[first] == targets[second]
    errors, weights = (cosines - together.float()).square(), weights.float()[first] * weights.float()[second]
    kinds = [kind for kind in (together, ~together) if kind.any()]
    means = [(weights[kind] * errors[kind]).sum() / weights[kind].sum() for kind in kinds]
    return torch.stack(means).mean() if means else errors.sum()
