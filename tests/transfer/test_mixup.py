"""A mixture of two rows is learnt as that mixture, by the head and in a batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from headwater.settings import Settings
from headwater.transfer.classifier import Examples
from headwater.transfer.mixup import mixed_loss, mixtures


def _rows(*, several: bool = False) -> Examples:
    targets = np.arange(30) % 3
    encoded = np.eye(3, dtype=np.float32)[targets] if several else targets
    return Examples([str(row) for row in range(30)], encoded, 3, np.linspace(0.5, 1.5, 30))


@pytest.mark.parametrize("several", [False, True])
def test_every_mixture_lies_between_its_parents_in_features_and_goals(several: bool):
    features = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    rows = _rows(several=several)
    made = mixtures(features, rows, Settings(augment_copies=3, mixup_alpha=1.0))
    first, second = made.parents.T
    goals = np.eye(3)[np.arange(30) % 3]
    across = np.flatnonzero(first % 3 != second % 3)
    share = made.goals[across, first[across] % 3][:, None]
    expected = share * features[first[across]] + (1 - share) * features[second[across]]
    np.testing.assert_allclose(made.features[across], expected, atol=1e-5)
    np.testing.assert_allclose(made.goals[across], share * goals[first[across]] + (1 - share) * goals[second[across]])
    np.testing.assert_allclose(made.goals.sum(axis=1), 1)
    assert len(made) == 90
    assert made.weights.sum() == pytest.approx(rows.weights.sum())


@pytest.mark.parametrize("several", [False, True])
def test_the_mixed_loss_is_the_loss_of_the_mixed_target(several: bool):
    head, features = nn.Linear(4, 3), torch.randn(8, 4)
    targets = torch.arange(8) % 3
    shares = functional.one_hot(targets, 3).float()
    weights = torch.linspace(0.5, 1.5, 8)
    torch.manual_seed(3)
    found = mixed_loss(head, features, shares if several else targets, None, alpha=0.5)
    torch.manual_seed(3)
    partner = torch.randperm(8)
    share = torch.distributions.Beta(0.5, 0.5).sample((8,))[:, None]
    logits = head(share * features + (1 - share) * features[partner])
    mixed = share * shares + (1 - share) * shares[partner]
    if several:
        expected = functional.binary_cross_entropy_with_logits(logits, mixed, reduction="none").mean(1).sum()
    else:
        expected = -(mixed * logits.log_softmax(1)).sum()
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    torch.manual_seed(3)
    doubled = mixed_loss(head, features, targets, weights * 0 + 2, alpha=0.5)
    torch.manual_seed(3)
    assert doubled.item() == pytest.approx(2 * mixed_loss(head, features, targets, None, alpha=0.5).item(), rel=1e-5)
