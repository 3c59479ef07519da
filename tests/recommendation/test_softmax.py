import torch
from torch.nn import functional

from headwater.recommendation.softmax import ItemSoftmax

COUNTS = torch.tensor([9, 1, 0, 4, 6, 2])


def made(sampled):
    torch.manual_seed(0)
    return ItemSoftmax(COUNTS, 4, sampled)


def test_the_full_loss_is_the_cross_entropy_over_all_items():
    items, states, targets = made(None), torch.randn(3, 4), torch.tensor([0, 3, 4])
    logits = states @ items.table.weight[:6].T + items.bias
    torch.testing.assert_close(items.loss(states, targets), functional.cross_entropy(logits, targets, reduction="none"))
    torch.testing.assert_close(items.logits(states), logits)


def test_before_it_learns_common_items_are_likely():
    chances = made(None).logits(torch.zeros(1, 4)).softmax(dim=1)[0]
    torch.testing.assert_close(chances, (COUNTS + 1) / (COUNTS + 1).sum())


def test_the_sampled_loss_is_that_of_all_items_where_the_sample_is_large():
    full, sampled = made(None), made(5)
    states, targets = torch.randn(3, 4), torch.tensor([0, 3, 2])
    sampled.sampled = 200_000
    torch.testing.assert_close(sampled._sampled_loss(states, targets), full.loss(states, targets), atol=0.02, rtol=0)


def test_a_sample_of_all_items_is_no_sample():
    states, targets = torch.randn(3, 4), torch.tensor([0, 3, 2])
    torch.testing.assert_close(made(6).loss(states, targets), made(None).loss(states, targets))


def test_the_gradient_of_a_sample_reaches_targets_and_drawn_items_alone():
    items = ItemSoftmax(torch.ones(1000), 4, 3)
    items.loss(torch.ones(1, 4), torch.tensor([7])).sum().backward()
    moved = items.table.weight.grad.abs().sum(dim=1).nonzero().flatten().tolist()
    assert 7 in moved
    assert len(moved) <= 4
