"""Batch norms learn from passes of any size, and those of frozen layers not at all."""

import pytest
import torch
from torch import nn

from headwater.vision.norms import norms_of, settled, train_unfrozen


def test_one_value_of_a_channel_leaves_a_norm_as_it_is():
    network = nn.Sequential(nn.BatchNorm2d(2), nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(2)).train()
    pictures = torch.randn(1, 2, 4, 4) + 3
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        network(pictures)
    network[0].reset_running_stats()
    with settled(network):
        network(pictures)
    assert torch.equal(network[2].running_mean, torch.zeros(2))
    torch.testing.assert_close(network[0].running_mean, 0.1 * pictures.mean(dim=(0, 2, 3)))
    assert all(norm.training for norm in norms_of(network))


def test_a_row_may_count_as_one_value():
    norm = nn.BatchNorm2d(2).train()
    with settled(norm, by_row=True):
        norm(torch.randn(1, 2, 4, 4) + 3)
        assert torch.equal(norm.running_mean, torch.zeros(2))
        norm(torch.randn(2, 2, 4, 4) + 3)
    assert (norm.running_mean > 0).all()


def test_norms_that_do_not_learn_stay_so_and_all_learn_again_after_an_error():
    network = nn.Sequential(nn.BatchNorm2d(2).eval(), nn.BatchNorm2d(2), nn.BatchNorm2d(3))
    with pytest.raises(RuntimeError, match="should contain 2 elements not 3"), settled(network):
        network(torch.zeros(1, 2, 1, 1))
    assert [norm.training for norm in network] == [False, True, True]
    network[0](torch.zeros(1, 2, 1, 1))
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        network[1](torch.zeros(1, 2, 1, 1))


def test_frozen_layers_are_not_trained():
    body = nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2), nn.Dropout()).requires_grad_(False)
    network = nn.Sequential(body, nn.BatchNorm2d(2), nn.Dropout())
    train_unfrozen(network)
    assert not any(module.training for module in body.modules())
    assert network.training
    assert network[1].training
    assert network[2].training
