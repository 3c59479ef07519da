"""A multi-layer perceptron and Adam in numpy.

For nets this small the calls of a larger library take longer than the sums. The numbers equal those of torch; a test
holds them beside one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Self

import numpy as np

_DECAYS: Final = (0.9, 0.999)
_TINY: Final = 1e-8
_VANISHED: Final = np.float32(1e-30)
"""A moment below this moves nothing beside `_TINY`."""
_SWEPT_EVERY: Final = 100
"""Steps in which a moment that only decays cannot fall from there to where numbers are no longer normal."""


class Perceptron:
    """Dense layers with a rectifier, or a hyperbolic tangent, between them (Rumelhart et al. 1986).

    All parameters lie in one vector, so that an optimiser, a copy or a target network is one operation.

    Attributes:
        sizes: of the input, of every hidden layer, of the output.
        parameters: float32 of shape (parameters,); change it in place.
        gradient: what `backward` found last, of the same shape.

    Example:
        >>> net = Perceptron((4, 8, 2), np.random.default_rng(0))
        >>> net(np.zeros((3, 4), np.float32)).shape, net.parameters.shape
        ((3, 2), (58,))
    """

    def __init__(self, sizes: Sequence[int], random: np.random.Generator, *, tanh: bool = False) -> None:
        self.sizes, self.tanh = tuple(sizes), tanh
        pairs = list(zip(self.sizes[:-1], self.sizes[1:], strict=True))
        count = sum((given + 1) * made for given, made in pairs)
        self.parameters, self.gradient = np.empty(count, np.float32), np.zeros(count, np.float32)
        self._layers, self._slopes = self._views(self.parameters), self._views(self.gradient)
        for (weights, biases), (given, _) in zip(self._layers, pairs, strict=True):
            for part in (weights, biases):
                part[...] = random.uniform(-1, 1, part.shape) / np.sqrt(given)

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """The outputs of inputs of shape (rows, width): shape (rows, outputs)."""
        return self.forward(inputs)[-1]

    def forward(self, inputs: np.ndarray) -> list[np.ndarray]:
        """What every layer gives, the inputs first and the outputs last."""
        trace = [inputs]
        for number, (weights, biases) in enumerate(self._layers, start=1):
            made = trace[-1] @ weights
            made += biases
            if number < len(self._layers):
                np.tanh(made, out=made) if self.tanh else np.maximum(made, 0, out=made)
            trace.append(made)
        return trace

    def backward(self, trace: Sequence[np.ndarray], slope: np.ndarray, *, to_inputs: bool = False) -> np.ndarray | None:
        """Puts the gradient of a loss into `gradient`.

        Args:
            trace: what `forward` gave.
            slope: the gradient of the loss by the outputs, shape (rows, outputs).
            to_inputs: whether the gradient by the inputs is wanted, which is then returned.
        """
        for number in range(len(self._layers) - 1, -1, -1):
            weights, (by_weights, by_biases) = self._layers[number][0], self._slopes[number]
            np.matmul(trace[number].T, slope, out=by_weights)
            np.sum(slope, axis=0, out=by_biases)
            if number or to_inputs:
                slope = slope @ weights.T
            if number:
                made = trace[number]
                slope *= (1 - made * made) if self.tanh else (made > 0)
        return slope if to_inputs else None

    def copy(self) -> Self:
        """Another of the same parameters, which changes by itself."""
        other = type(self)(self.sizes, np.random.default_rng(0), tanh=self.tanh)
        other.parameters[:] = self.parameters
        return other

    @property
    def last(self) -> np.ndarray:
        """The weights of the last layer, to be changed in place."""
        return self._layers[-1][0]

    def _views(self, flat: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """The weights, shape (inputs, outputs), and biases of every layer, as parts of one vector."""
        layers, start = [], 0
        for given, made in zip(self.sizes[:-1], self.sizes[1:], strict=True):
            middle, end = start + given * made, start + (given + 1) * made
            layers.append((flat[start:middle].reshape(given, made), flat[middle:end]))
            start = end
        return layers


class Adam:
    """Adam (Kingma and Ba 2015) on one vector of parameters.

    Attributes:
        moments: of the gradient and of its square, float32 of shape (2, parameters).
        count: how many steps were taken, shape (1,).
    """

    def __init__(self, size: int) -> None:
        self.moments, self.count = np.zeros((2, size), np.float32), np.zeros(1, np.int64)
        self._work = np.empty((2, size), np.float32)

    def step(self, parameters: np.ndarray, gradient: np.ndarray, rate: float, *, clip: float = 0.0) -> None:
        """Moves the parameters against a gradient, which is shortened to the norm `clip` where that is not 0."""
        if clip:
            norm = float(np.sqrt(np.dot(gradient, gradient)))
            if norm > clip:
                gradient *= np.float32(clip / (norm + 1e-6))
        self.count += 1
        count, (first, second), (work, root) = int(self.count[0]), self.moments, self._work
        if count % _SWEPT_EVERY == 0:
            # The moments of units that never fire any more decay for ever, and a processor takes several times as long
            # for numbers too small to be normal ones.
            self.moments[np.abs(self.moments) < _VANISHED] = 0
        first *= np.float32(_DECAYS[0])
        first += np.multiply(gradient, np.float32(1 - _DECAYS[0]), out=work)
        second *= np.float32(_DECAYS[1])
        np.multiply(gradient, gradient, out=work)
        work *= np.float32(1 - _DECAYS[1])
        second += work
        np.sqrt(second, out=root)
        root *= np.float32(1 / np.sqrt(1 - _DECAYS[1] ** count))
        root += np.float32(_TINY)
        np.divide(first, root, out=work)
        work *= np.float32(rate / (1 - _DECAYS[0] ** count))
        parameters -= work

    def arrays(self) -> dict[str, np.ndarray]:
        return {"moments": self.moments, "count": self.count}
