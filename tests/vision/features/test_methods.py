import numpy as np
import pytest
import torch
from torch import nn

from headwater.vision.features.simclr import SimclrNetwork, SimclrSettings, contrast
from headwater.vision.features.simsiam import SimsiamNetwork, twin_loss


def _cosine(one, other):
    return float(one @ other / (one.norm() * other.norm()))


def test_the_loss_of_simsiam_is_that_of_its_paper():
    torch.manual_seed(0)
    predicted, projected = (torch.randn(4, 6).chunk(2) for _ in range(2))
    wanted = sum(
        -0.5 * _cosine(predicted[0][row], projected[1][row]) - 0.5 * _cosine(predicted[1][row], projected[0][row])
        for row in range(2)
    )
    assert twin_loss(predicted, projected).item() == pytest.approx(wanted, abs=1e-6)


def test_no_gradient_flows_through_a_projection():
    predicted, projected = (torch.randn(2, 3, requires_grad=True) for _ in range(2))
    twin_loss(predicted.chunk(2), projected.chunk(2)).backward()
    assert projected.grad is None
    assert predicted.grad.abs().sum() > 0


def test_the_predictor_of_simsiam_is_narrow_and_its_projector_ends_in_a_norm_without_weights():
    network = SimsiamNetwork(nn.Identity(), 8, 32)
    assert [tuple(p.shape) for p in network.predictor.parameters()] == [(8, 32), (8,), (8,), (32, 8), (32,)]
    assert not network.projector[-1].affine
    loss = network.loss(torch.randn(5, 8), torch.randn(5, 8))
    assert -5 <= loss.item() <= 5


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_the_loss_of_simclr_is_that_of_its_paper(temperature):
    torch.manual_seed(0)
    views = torch.randn(6, 4)
    wanted = 0.0
    for row in range(6):
        alike = [np.exp(_cosine(views[row], views[other]) / temperature) for other in range(6)]
        partner = (row + 3) % 6
        wanted -= np.log(alike[partner] / sum(value for other, value in enumerate(alike) if other != row))
    assert contrast(views, temperature).item() == pytest.approx(wanted / 2, rel=1e-5)


def test_simclr_compares_all_views_of_a_step():
    network = SimclrNetwork(nn.Identity(), 8, SimclrSettings(projection=16)).eval()
    first, second = torch.randn(4, 8), torch.randn(4, 8)
    together = network.loss(first, second).item()
    apart = sum(network.loss(first[half], second[half]).item() for half in (slice(2), slice(2, 4)))
    assert together > apart
    assert network.projector(first).shape == (4, 16)
