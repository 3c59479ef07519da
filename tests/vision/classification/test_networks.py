"""Each network against that of torchvision with the same weights: both tell their layers in the same order."""

import pytest
import torch
import torchvision
from torch import nn

from headwater.vision.classification.alexnet import AlexnetClassifier, alexnet
from headwater.vision.classification.lenet import LenetClassifier, lenet
from headwater.vision.classification.resnet import Resnet18Classifier, Resnet50Classifier
from headwater.vision.classification.vgg import Vgg11Classifier, Vgg16Classifier, VggSettings, vgg

SIDE = 128


def ours(kind, side, channels=3, classes=10, **settings):
    made = kind(kind.Settings(**settings))
    made.side = side
    return made.network(channels, classes)


PAIRS = {
    "alexnet": (AlexnetClassifier, {}, torchvision.models.alexnet),
    "vgg11": (Vgg11Classifier, {"batch_norm": False}, torchvision.models.vgg11),
    "vgg16 with norms": (Vgg16Classifier, {}, torchvision.models.vgg16_bn),
    "resnet18": (Resnet18Classifier, {}, torchvision.models.resnet18),
    "resnet50": (Resnet50Classifier, {}, torchvision.models.resnet50),
}


def drawn(tensor):
    """Weights that neither fade nor grow, and means, variances, scales and biases that all matter."""
    if tensor.ndim > 1:
        return torch.randn(tensor.shape) * (2 / tensor[0].numel()) ** 0.5
    return torch.rand(tensor.shape) + 0.5 if tensor.is_floating_point() else torch.zeros_like(tensor, device="cpu")


@pytest.mark.parametrize("name", PAIRS)
def test_the_network_equals_that_of_torchvision(name):
    torch.manual_seed(0)
    kind, settings, theirs = PAIRS[name]
    with torch.device("meta"):
        network, reference = ours(kind, SIDE, **settings), theirs(num_classes=10)
    state = {key: drawn(tensor) for key, tensor in reference.state_dict().items()}
    reference.load_state_dict(state, assign=True)
    network.load_state_dict(dict(zip(network.state_dict(), state.values(), strict=True)), assign=True)
    # 128 pixels have the large stem and the wide dense layers, and cost a third of 224.
    pictures = torch.rand(2, 3, SIDE, SIDE)
    with torch.inference_mode():
        found, expected = network.eval()(pictures), reference.eval()(pictures)
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected, atol=1e-4 * expected.abs().max().item(), rtol=1e-4)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [16, 17, 31, 32, 48, 64, 100])
@pytest.mark.parametrize("kind", [LenetClassifier, AlexnetClassifier, Vgg11Classifier, Resnet18Classifier])
def test_pictures_of_any_size_have_logits(kind, side, channels):
    network = ours(kind, side, channels, classes=3)
    assert network(torch.rand(2, channels, side, side)).shape == (2, 3)


def test_small_pictures_have_small_networks():
    with torch.device("meta"):
        counts = {
            side: [
                sum(w.numel() for w in ours(kind, side).parameters()) for kind in (AlexnetClassifier, Vgg16Classifier)
            ]
            for side in (32, 128)
        }
    assert max(counts[32]) < 16e6
    assert min(counts[128]) > 50e6


def test_lenet_has_the_sizes_of_the_paper():
    shapes = [tuple(layer.weight.shape) for layer in lenet(1, 10, 32, 0.1) if isinstance(layer, nn.Conv2d | nn.Linear)]
    assert shapes == [(6, 1, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (10, 84)]


def test_the_first_steps_of_small_pictures_are_smaller():
    with torch.device("meta"):
        assert [alexnet(3, 2, side, 0.5)[0].stride[0] for side in (32, 64, 127, 128)] == [1, 2, 2, 4]
        assert [ours(Resnet18Classifier, side)[0].stem[0].stride[0] for side in (64, 65)] == [1, 2]


def test_a_block_begins_as_its_shortcut():
    pictures = torch.rand(2, 64, 8, 8)
    for block in (ours(Resnet18Classifier, 32)[0].blocks[0], ours(Resnet50Classifier, 32)[0].blocks[1]):
        maps = pictures.repeat(1, block.width // 64, 1, 1)
        torch.testing.assert_close(block.eval()(maps), maps)


def test_convolutions_begin_as_he_says():
    made = vgg((1, 1, 1, 1, 1), 3, 2, 32, VggSettings(batch_norm=False))
    last = [layer for layer in made if isinstance(layer, nn.Conv2d)][-1]
    assert last.weight.std().item() == pytest.approx((2 / (512 * 9)) ** 0.5, rel=0.02)
    assert not last.bias.any()
