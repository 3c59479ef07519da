"""Mixup: learning from mixtures of two rows' features, with their targets in the same shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from headwater.training.losses import classification_loss
from headwater.transfer.made import Made, shares

if TYPE_CHECKING:
    import torch
    from torch import nn

    from headwater.settings import Settings
    from headwater.transfer.classifier import Examples


def mixtures(features: np.ndarray, rows: Examples, settings: Settings) -> Made:
    """Mixed rows for a head that is solved once: each row with `augment_copies` partners, drawn from all rows.

    Zhang et al. (2018) draw the share of the one from Beta(alpha, alpha), and mix each batch anew; here the draws are
    made once, and the rows themselves stay among them.

    Args:
        features: of the rows, shape (rows, width).
        rows: what they are of.
        settings: copies, their weight, `mixup_alpha` and the seed.
    """
    random, copies = np.random.default_rng([settings.seed, 1]), settings.augment_copies
    first = np.tile(np.arange(len(rows)), copies)
    second = random.integers(0, len(rows), len(first))
    share = random.beta(settings.mixup_alpha, settings.mixup_alpha, (len(first), 1))
    goals = shares(rows.targets, rows.n_classes)
    weights = np.ones(len(rows)) if rows.weights is None else rows.weights
    return Made(
        features=(share * features[first] + (1 - share) * features[second]).astype(features.dtype),
        goals=share * goals[first] + (1 - share) * goals[second],
        weights=weights[first] / copies,
        parents=np.stack([first, second], axis=1),
    )


def mixed_loss(
    head: nn.Module, features: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None, *, alpha: float
) -> torch.Tensor:
    """The loss of a batch whose features are mixed with those of a partner from the same batch, summed over its rows.

    A loss that is linear in the targets, as cross entropy is, of a mixed target is the mixture of two losses.

    Args:
        head: features to logits.
        features: shape (rows, width).
        targets: class positions of shape (rows,), or zeros and ones of shape (rows, classes) where several hold.
        weights: the weight of each row, shape (rows,).
        alpha: the parameter of the Beta distribution of the shares.
    """
    import torch

    partner = torch.randperm(len(features), device=features.device)
    share = torch.distributions.Beta(alpha, alpha).sample((len(features),)).to(features.device)
    by_row = share.to(features.dtype).unsqueeze(1)
    logits = head(by_row * features + (1 - by_row) * features[partner])
    weights = torch.ones_like(share) if weights is None else weights
    several = targets.ndim == 2
    own = classification_loss(logits, targets, share * weights, several=several)
    return own + classification_loss(logits, targets[partner], (1 - share) * weights[partner], several=several)
