"""AlexNet (Krizhevsky et al., ImageNet classification with deep convolutional neural networks, 2012)."""

from __future__ import annotations

from torch import nn

from headwater.vision.classification.neural import NeuralClassifier, he
from headwater.vision.convolution import Convolution

MAPS = (64, 192, 384, 256, 256)
"""The maps of each convolution."""
DENSE = (4096, 1024)
"""The width of the dense layers, for large pictures and for small ones."""
_LARGE = 128
_STRIDED = 64


class AlexnetClassifier(NeuralClassifier):
    """Five convolutions and three wide dense layers."""

    learning_rate = 3e-4

    def network(self, channels: int, n_classes: int) -> nn.Module:
        return alexnet(channels, n_classes, self.side, self.settings.dropout)


def alexnet(channels: int, n_classes: int, side: int, dropout: float) -> nn.Sequential:
    """The network in one tower (Krizhevsky 2014), as torchvision has it: neighbouring maps are not normalised together.

    Below 128 pixels its first convolution, of 11 x 11 pixels in steps of 4, would leave nothing to see: it is 5 x 5
    there, in steps of 2 from 64 pixels on, else of 1; the dense layers then see 3 x 3 places and are 1,024 wide, not
    6 x 6 and 4,096.

    Args:
        channels: 1 for grey, 3 for colour.
        n_classes: the logits of a picture.
        side: pixels along each edge, 16 or more.
        dropout: the share of features that are dropped before each of the first two dense layers.

    Example:
        >>> sum(weight.numel() for weight in alexnet(3, 1000, 224, 0.5).parameters())
        61100840
    """
    one, two, three, four, five = MAPS
    stride = 1 if side < _STRIDED else 2
    large = side >= _LARGE
    first = (
        nn.Conv2d(channels, one, 11, stride=4, padding=2) if large else nn.Conv2d(channels, one, 5, stride, padding=2)
    )
    places, width = (6, DENSE[0]) if large else (3, DENSE[1])
    made = nn.Sequential(
        first, nn.ReLU(), nn.MaxPool2d(3, stride=2),
        Convolution(one, two, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, stride=2),
        Convolution(two, three, 3, padding=1), nn.ReLU(),
        Convolution(three, four, 3, padding=1), nn.ReLU(),
        Convolution(four, five, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, stride=2),
        nn.AdaptiveAvgPool2d(places), nn.Flatten(),
        nn.Dropout(dropout), nn.Linear(five * places**2, width), nn.ReLU(),
        nn.Dropout(dropout), nn.Linear(width, width), nn.ReLU(),
        nn.Linear(width, n_classes),
    )  # fmt: skip
    he(made)
    return made
