import numpy as np
import pytest
import torch
from torch import nn

from headwater.settings import Settings
from headwater.training.embeddings import compact
from headwater.training.optimiser import AdamW, parameter_groups

IDS = torch.tensor([[5, 9, 5, 0], [70, 9, 0, 0]])


def trained(*, compacted):
    torch.manual_seed(0)
    table, head = nn.Embedding(100, 4, padding_idx=0), nn.Linear(4, 2)
    network = nn.Sequential(table, head)

    def steps():
        optimiser = AdamW(parameter_groups(network, Settings()), 0.1)
        for _ in range(5):
            optimiser.zero_grad()
            network(IDS).square().sum().backward()
            optimiser.step()

    if compacted:
        with compact(table, np.array([70, 5, 9, 9, 33])):
            steps()
    else:
        steps()
    return table, head


def test_a_compact_table_learns_what_the_whole_one_does():
    (whole, head), (small, small_head) = trained(compacted=False), trained(compacted=True)
    torch.testing.assert_close(whole.weight, small.weight, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(head.weight, small_head.weight, rtol=1e-6, atol=1e-6)
    unread = np.delete(np.arange(100), [0, 5, 9, 70])
    assert torch.equal(whole.weight[unread], small.weight[unread])


def test_the_table_is_what_it_was_afterwards():
    table = nn.Embedding(100, 4, padding_idx=3)
    weight, names = table.weight, set(table.state_dict())
    with compact(table, np.array([1, 2])):
        assert table.weight.shape == (3, 4)
        assert table.padding_idx == 2
        assert set(table.state_dict()) == names
    assert table.weight is weight
    assert table.padding_idx == 3
    assert not list(table.buffers())
    assert table(torch.tensor([99])).shape == (1, 4)


def test_what_was_learned_before_an_error_is_kept():
    table = nn.Embedding(10, 2)

    def interrupted():
        with compact(table, np.array([4])):
            nn.init.constant_(table.weight, 7)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert table.weight[4].tolist() == [7, 7]


def test_an_id_not_in_use_is_an_error():
    table = nn.Embedding(10, 2)
    with pytest.raises(IndexError, match="out of range"), compact(table, np.array([4])):
        table(torch.tensor([5]))


def test_a_frozen_table_stays_whole():
    table = nn.Embedding(10, 2)
    table.weight.requires_grad_(requires_grad=False)
    with compact(table, np.array([4])):
        assert table.weight.shape == (10, 2)
