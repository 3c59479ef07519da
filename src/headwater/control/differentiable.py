"""A network of torch as agents use networks: all that it learns in one vector, its gradient in another."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Final, Self

import numpy as np
import torch
from torch import nn

_AT_ONCE: Final = 1 << 23
"""Numbers in the rows of one pass where no gradient is wanted: more would fill the memory."""


class Differentiable:
    """A module of torch behind the interface of `perceptron.Perceptron`.

    The parameters of the module are parts of one numpy vector: what changes the vector changes the module.
    The module stays in evaluation mode, so that dropout and batch norms do the same every time.

    Attributes:
        module: rows of numbers, shape (rows, width), to outputs, shape (rows, outputs).
        parameters: float32 of shape (parameters,); change it in place.
        gradient: what `backward` found last, of the same shape.

    Args:
        module: on the CPU, in float32; the last of its linear layers gives the outputs.

    Example:
        >>> net = Differentiable(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)))
        >>> net(np.zeros((3, 4), np.float32)).shape, net.parameters.shape
        ((3, 2), (58,))
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module.eval()
        self._learnt = [one for one in module.parameters() if one.requires_grad]
        count = sum(one.numel() for one in self._learnt)
        self.parameters, self.gradient = np.empty(count, np.float32), np.zeros(count, np.float32)
        self._slopes, start = list[np.ndarray](), 0
        for one in self._learnt:
            place, shape = slice(start, start + one.numel()), tuple(one.shape)
            part = self.parameters[place].reshape(shape)
            part[...] = one.detach().numpy()
            one.data = torch.from_numpy(part)
            self._slopes.append(self.gradient[place].reshape(shape))
            start = place.stop

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """The outputs of inputs of shape (rows, width): shape (rows, outputs)."""
        rows = max(1, _AT_ONCE // max(1, inputs.shape[1]))
        with torch.inference_mode():
            parts = [self.module(torch.from_numpy(inputs[first : first + rows])).numpy()
                     for first in range(0, max(1, len(inputs)), rows)]  # fmt: skip
        return np.concatenate(parts)

    def forward(self, inputs: np.ndarray) -> list[Any]:
        """The inputs and outputs as torch has them, then the outputs."""
        given = torch.from_numpy(inputs).requires_grad_()
        outputs = self.module(given)
        return [given, outputs, outputs.detach().numpy()]

    def backward(self, trace: Sequence[Any], slope: np.ndarray, *, to_inputs: bool = False) -> np.ndarray | None:
        """Puts the gradient of a loss into `gradient`.

        Args:
            trace: what `forward` gave; it can be used once.
            slope: the gradient of the loss by the outputs, shape (rows, outputs).
            to_inputs: whether the gradient by the inputs is wanted, which is then returned.
        """
        given, outputs, _ = trace
        wanted = [*self._learnt, given] if to_inputs else self._learnt
        found = torch.autograd.grad(outputs, wanted, torch.from_numpy(slope), allow_unused=True)
        for part, one in zip(self._slopes, found, strict=False):
            part[...] = 0 if one is None else one.numpy()
        return found[-1].numpy() if to_inputs else None

    def copy(self) -> Self:
        """Another of the same parameters, which changes by itself."""
        return type(self)(copy.deepcopy(self.module))

    @property
    def last(self) -> np.ndarray:
        """The weights of the last layer, to be changed in place."""
        return [one for one in self.module.modules() if isinstance(one, nn.Linear)][-1].weight.detach().numpy()
