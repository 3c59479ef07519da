"""The networks of masks: their shapes, their reference, and what they see."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision.models.segmentation.deeplabv3 import DeepLabHead

from headwater.vision.segmentation.body import ResidualMaps
from headwater.vision.segmentation.deeplab import AtrousHead, Deeplab
from headwater.vision.segmentation.fcn import Fcn
from headwater.vision.segmentation.unet import Unet

NETWORKS = {"unet": lambda: Unet(3, 5, 4, 3), "fcn": lambda: Fcn(3, 5, 4), "deeplab": lambda: Deeplab(3, 5, 4, 8)}


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("size", [(32, 48), (16, 16), (45, 37)], ids=["usual", "smallest", "odd"])
def test_every_pixel_has_logits(make, size):
    network = make().eval()
    with torch.inference_mode():
        assert network(torch.rand(2, 3, *size)).shape == (2, 5, *size)


def test_the_pyramid_is_torchvisions():
    """The same weights, in the same order, give the same logits."""
    torch.manual_seed(0)
    reference = DeepLabHead(12, 5, (2, 3, 4)).eval()
    ours = AtrousHead(12, 5, 256, (2, 3, 4)).eval()
    theirs = list(reference.state_dict().values())
    own = ours.state_dict()
    assert [tuple(one.shape) for one in theirs] == [tuple(one.shape) for one in own.values()]
    ours.load_state_dict(dict(zip(own, theirs, strict=True)))
    maps = torch.randn(2, 12, 14, 11)
    with torch.inference_mode():
        torch.testing.assert_close(ours(maps), reference(maps))


def _reach(network: nn.Module, size: int) -> int:
    """How far from the middle a pixel still changes the logits of the middle."""
    torch.manual_seed(0)
    network.eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
    picture = torch.rand(1, 3, size, size, requires_grad=True)
    network(picture)[0, :, size // 2, size // 2].sum().backward()
    assert picture.grad is not None
    rows = picture.grad.abs().sum(dim=(0, 1, 3)).nonzero()[:, 0]
    return int((rows - size // 2).abs().max())


def test_atrous_convolutions_see_as_far_as_halving_would():
    halved = ResidualMaps(3, 4, (1, 2, 2, 2))
    spread = ResidualMaps(3, 4, (1, 2, 2, 1))
    assert sum(weights.numel() for weights in halved.parameters()) == sum(
        weights.numel() for weights in spread.parameters()
    )
    with torch.inference_mode():
        assert [one.shape[3] for one in spread(torch.rand(1, 3, 64, 64))] == [32, 16, 8, 8]
    near = [_reach(_Enlarged(body), 256) for body in (halved, spread)]
    assert near[1] >= 0.7 * near[0]


class _Enlarged(nn.Module):
    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return nn.functional.interpolate(self.body(pictures)[-1], size=pictures.shape[2:])


def test_the_unet_is_as_large_as_the_paper_has_it():
    """Counted by hand for one channel, two classes, 64 maps and four halvings, with norms in place of biases."""
    widths = [64, 128, 256, 512, 1024]
    pairs = sum(
        9 * (before * maps + maps * maps) + 4 * maps for before, maps in zip([1, *widths], widths, strict=False)
    )
    up = sum(4 * 2 * maps * maps + maps for maps in widths[:-1])
    merge = sum(9 * (2 * maps * maps + maps * maps) + 4 * maps for maps in widths[:-1])
    head = 64 * 2 + 2
    with torch.device("meta"):
        network = Unet(1, 2, 64, 4)
    assert sum(weights.numel() for weights in network.parameters()) == pairs + up + merge + head
