"""How long and how fast a strategy trains when the settings leave it open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headwater.foundation.encoder import Encoder

_WIDTH = 384


@dataclass(frozen=True)
class Recipe:
    """What a strategy takes when the settings leave it open.

    Attributes:
        epochs: passes over the training rows.
        learning_rate: the highest learning rate of the foundation's parameters, up to the width of MiniLM; what serves
            a network falls as its width grows (Yang et al., Tensor Programs V, 2021).
        head_factor: how many times that is the head's.
        fewest_steps: what few rows are passed over more often for.
    """

    epochs: int
    learning_rate: float
    head_factor: float
    fewest_steps: int = 60

    def of_width(self, width: int) -> Recipe:
        """The same for a foundation with features of this width.

        Example:
            >>> [RECIPES["full"].of_width(width).learning_rate for width in (256, 384, 768)]
            [5e-05, 5e-05, 2.5e-05]
        """
        return replace(self, learning_rate=self.learning_rate * _WIDTH / max(_WIDTH, width))


RECIPES = {
    "full": Recipe(epochs=3, learning_rate=5e-5, head_factor=10.0),
    "probe-then-full": Recipe(epochs=3, learning_rate=1e-4, head_factor=1.0, fewest_steps=150),
    "last-layers": Recipe(epochs=4, learning_rate=1e-4, head_factor=10.0),
    "lora": Recipe(epochs=5, learning_rate=5e-4, head_factor=2.0),
}
"""Of foundations of attention, and of those that nobody has looked at yet."""
_CONVOLUTIONAL = {
    "full": Recipe(epochs=30, learning_rate=5e-4, head_factor=10.0, fewest_steps=300),
    "probe-then-full": Recipe(epochs=30, learning_rate=5e-4, head_factor=1.0, fewest_steps=300),
    "last-layers": Recipe(epochs=30, learning_rate=1e-3, head_factor=10.0, fewest_steps=300),
}
"""Of networks with batch norms: they learn in larger steps, and take more of them."""


def recipe_of(strategy: str, encoder: Encoder) -> Recipe:
    """What a strategy takes of a foundation when the settings leave it open."""
    from torch.nn.modules.batchnorm import _BatchNorm

    convolutional = any(isinstance(module, _BatchNorm) for module in encoder.network.modules())
    recipes = {**RECIPES, **_CONVOLUTIONAL} if convolutional else RECIPES
    return recipes[strategy].of_width(encoder.width)
