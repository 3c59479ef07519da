"""How long and how fast a strategy trains when the settings leave it open."""

from __future__ import annotations

from dataclasses import dataclass

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

    def rate(self, width: int) -> float:
        """The highest learning rate of a foundation with features of this width."""
        return self.learning_rate * _WIDTH / max(_WIDTH, width)


RECIPES = {
    "full": Recipe(epochs=3, learning_rate=5e-5, head_factor=10.0),
    "probe-then-full": Recipe(epochs=3, learning_rate=1e-4, head_factor=1.0, fewest_steps=150),
    "last-layers": Recipe(epochs=4, learning_rate=1e-4, head_factor=10.0),
    "lora": Recipe(epochs=5, learning_rate=5e-4, head_factor=2.0),
}
