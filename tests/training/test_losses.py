import pytest
import torch
from torch.nn import functional

from headwater.training.losses import classification_loss

LOGITS = torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]])


def test_cross_entropy_is_summed_and_weighted_by_row():
    each = functional.cross_entropy(LOGITS, torch.tensor([2, 1]), reduction="none")
    loss = classification_loss(LOGITS, torch.tensor([2, 1]), torch.tensor([2.0, 0.5]), several=False)
    assert loss.item() == pytest.approx(2 * each[0].item() + each[1].item() / 2)


def test_several_labels_take_the_binary_cross_entropy_over_classes():
    targets = torch.tensor([[1, 0, 1], [0, 0, 0]])
    each = functional.binary_cross_entropy_with_logits(LOGITS, targets.float(), reduction="none").mean(1)
    assert classification_loss(LOGITS, targets, None, several=True).item() == pytest.approx(each.sum().item())


def test_half_precision_logits_give_a_loss_in_single_precision():
    assert classification_loss(LOGITS.bfloat16(), torch.tensor([0, 1]), None, several=False).dtype == torch.float32
