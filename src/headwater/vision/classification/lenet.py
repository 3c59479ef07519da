"""LeNet-5 (LeCun et al., Gradient-based learning applied to document recognition, 1998)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from torch import nn

from headwater.options import Between
from headwater.ranges import Search
from headwater.vision.classification.neural import NeuralClassifier, NeuralSettings


@dataclass(frozen=True, kw_only=True)
class LenetSettings(NeuralSettings):
    """So small a network needs little to be dropped."""

    section: ClassVar[str] = "Model"

    dropout: Annotated[float, Between(0, 0.95), Search(0, 0.7), "The share of features dropped while training."] = 0.1


class LenetClassifier(NeuralClassifier):
    """Two convolutions and three dense layers, for digits and other small signs; it sees 32 by 32 pixels."""

    Settings = LenetSettings
    epochs = 20
    learning_rate = 2e-3
    most_side = 32
    erased = False
    large_products = False

    def network(self, channels: int, n_classes: int) -> nn.Module:
        return lenet(channels, n_classes, self.side, self.settings.dropout)


def lenet(channels: int, n_classes: int, side: int, dropout: float) -> nn.Sequential:
    """The network as it is built today: rectifiers for hyperbolic tangents, maxima for means, softmax for radial bases.

    The layers have the sizes of the paper; every map of the second convolution sees every map of the first.

    Args:
        channels: 1 for grey, 3 for colour.
        n_classes: the logits of a picture.
        side: pixels along each edge, 16 or more; 32 in the paper.
        dropout: the share of features that are dropped before each of the last two dense layers.

    Example:
        >>> sum(weight.numel() for weight in lenet(1, 10, 32, 0.0).parameters())
        61706
    """
    left = ((side - 4) // 2 - 4) // 2
    return nn.Sequential(
        nn.Conv2d(channels, 6, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * left**2, 120), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(120, 84), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(84, n_classes),
    )  # fmt: skip
