"""Which network an agent learns with: a perceptron over numbers, or where there are pixels one that looks at them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

import numpy as np

from headwater.control.perceptron import Perceptron
from headwater.control.spaces import Box, Space, Text, leaves
from headwater.errors import DataError, ExtraError, ResourceError

if TYPE_CHECKING:
    from headwater.control.eye import Eye

_MOST_WEIGHTS: Final = 1 << 27
"""Each is kept about six times, with its gradient, the moments of its optimiser, and in the target network."""


class Network(Protocol):
    """What all agents ask of a network: its parameters in one vector, its outputs, and its gradient.

    Attributes:
        parameters: float32 of shape (parameters,); changed in place.
        gradient: what `backward` found last, of the same shape.
    """

    parameters: np.ndarray
    gradient: np.ndarray

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """The outputs of inputs of shape (rows, width): shape (rows, outputs)."""
        ...

    def forward(self, inputs: np.ndarray) -> list[Any]:
        """What `backward` needs; the outputs are the last of it."""
        ...

    def backward(self, trace: Sequence[Any], slope: np.ndarray, *, to_inputs: bool = False) -> np.ndarray | None:
        """Puts the gradient of a loss into `gradient`; where it is wanted, tells that by the inputs."""
        ...

    @property
    def last(self) -> np.ndarray:
        """The weights of the last layer, to be changed in place."""
        ...

    def copy(self) -> Self:
        """Another of the same parameters, which changes by itself."""
        ...


def network_of(
    observations: Space, sizes: Sequence[int], random: np.random.Generator, *, beside: int = 0, tanh: bool = False,
    eye: Eye | None = None,
) -> Network:  # fmt: skip
    """An untaught network for encoded observations.

    Args:
        observations: what it reads.
        sizes: of every hidden layer, and of the output.
        random: draws its first parameters.
        beside: how many numbers follow an observation in a row, such as those of an action.
        tanh: put hyperbolic tangents between dense layers, in the place of rectifiers.
        eye: a foundation that looks at the images, or reads the texts, and learns with the rest.

    Raises:
        DataError: texts without a foundation that reads them.
        ResourceError: its weights would not fit into memory, a few times over.
        ExtraError: pixels, and torch is not installed.
    """
    refuse_texts(observations, read=eye is not None)
    if eye is None and not any(is_picture(leaf) for leaf, _ in leaves(observations)):
        widths = observations.width + beside, *sizes
        _refuse_large(sum(before * after for before, after in pairwise(widths)))
        return Perceptron(widths, random, tanh=tanh)
    _refuse_large(sum(before * after for before, after in pairwise(sizes)))
    try:
        from headwater.control.convolutional import sighted
    except ModuleNotFoundError as missing:
        raise ExtraError(
            "Observations that are images need the library torch, which is not installed", got=str(missing),
            fix="Install it with: pip install 'headwater[control,vision]'",
        ) from missing  # fmt: skip
    return sighted(observations, sizes, random, beside=beside, tanh=tanh, eye=eye)


def _refuse_large(weights: int) -> None:
    if weights > _MOST_WEIGHTS:
        raise ResourceError(
            "The network would be too large", got=f"{weights:,} weights", accepted=f"at most {_MOST_WEIGHTS:,}",
            fix="Give the environment fewer numbers to observe or actions to choose from, or fewer units with --set "
                "hidden.",
        )  # fmt: skip


def looked_at(observations: Space) -> list[slice]:
    """Which parts of an encoded observation are pixels or texts, and no numbers of any size.

    Example:
        >>> looked_at(Box((16, 16), (0.0,), (255.0,), pixels=True))
        [slice(0, 256, None)]
    """
    return [place for leaf, place in leaves(observations) if is_picture(leaf) or isinstance(leaf, Text)]


def is_picture(space: Space) -> bool:
    """Whether an observation is an image: uint8, at least 16 pixels along each edge.

    Example:
        >>> is_picture(Box((64, 64, 3), (0.0,), (255.0,), pixels=True)), is_picture(Box((4,), (0.0,), (1.0,)))
        (True, False)
    """
    return isinstance(space, Box) and space.picture is not None


def refuse_texts(observations: Space, *, read: bool) -> None:
    """Refuses texts that nothing makes numbers of.

    Raises:
        DataError: says what does.
    """
    if not read and any(isinstance(leaf, Text) for leaf, _ in leaves(observations)):
        raise DataError(
            "Texts have to be read by a foundation before an agent can learn from them", got=str(observations),
            accepted="an encoder of texts, such as minilm", fix="Give --encoder minilm.",
        )  # fmt: skip
