"""VGG (Simonyan and Zisserman, Very deep convolutional networks for large-scale image recognition, 2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from torch import nn

from headwater.vision.classification.neural import NeuralClassifier, NeuralSettings, he
from headwater.vision.convolution import Convolution

_LARGE, _SMALL = 128, 32
WIDTHS = (64, 128, 256, 512, 512)
"""The maps of the convolutions of each stage."""


@dataclass(frozen=True, kw_only=True)
class VggSettings(NeuralSettings):
    """The norms that the paper did not have yet."""

    batch_norm: Annotated[
        bool,
        "Normalise after each convolution (Ioffe and Szegedy 2015); without, few rows hardly train so deep a network.",
    ] = True


class _VggClassifier(NeuralClassifier):
    Settings = VggSettings
    learning_rate = 5e-4
    depths: ClassVar[tuple[int, ...]]
    """The convolutions of each stage."""

    def network(self, channels: int, n_classes: int) -> nn.Module:
        return vgg(self.depths, channels, n_classes, self.side, self.settings)


class Vgg11Classifier(_VggClassifier):
    """Eight convolutions of 3 by 3 pixels and three dense layers."""

    depths = (1, 1, 2, 2, 2)


class Vgg16Classifier(_VggClassifier):
    """Thirteen convolutions of 3 by 3 pixels and three dense layers."""

    depths = (2, 2, 3, 3, 3)


def vgg(depths: tuple[int, ...], channels: int, n_classes: int, side: int, settings: VggSettings) -> nn.Sequential:
    """Stages of 3 x 3 convolutions, each closed by a maximum over 2 x 2 places, and dense layers.

    Below 128 pixels the last stage has few places: the dense layers see their mean and are 512 wide, where the paper's
    see 7 x 7 places and are 4,096 wide.

    Args:
        depths: the convolutions of each stage.
        channels: 1 for grey, 3 for colour.
        n_classes: the logits of a picture.
        side: pixels along each edge, 16 or more.
        settings: dropout, and whether there are norms.

    Example:
        >>> made = vgg(Vgg11Classifier.depths, 3, 1000, 224, VggSettings(batch_norm=False))
        >>> sum(weight.numel() for weight in made.parameters())
        132863336
    """
    layers: list[nn.Module] = []
    for depth, width in zip(depths, WIDTHS, strict=True):
        for _ in range(depth):
            norm = [nn.BatchNorm2d(width)] if settings.batch_norm else []
            layers += [Convolution(channels, width, 3, padding=1), *norm, nn.ReLU(inplace=True)]
            channels = width
        # Pictures of less than 32 pixels have one place left before the last stage: rounded down, it would be none.
        layers.append(nn.MaxPool2d(2, ceil_mode=side < _SMALL))
    places, wide = (7, 4096) if side >= _LARGE else (1, 512)
    made = nn.Sequential(
        *layers,
        nn.AdaptiveAvgPool2d(places), nn.Flatten(),
        nn.Linear(channels * places**2, wide), nn.ReLU(), nn.Dropout(settings.dropout),
        nn.Linear(wide, wide), nn.ReLU(), nn.Dropout(settings.dropout),
        nn.Linear(wide, n_classes),
    )  # fmt: skip
    he(made)
    return made
