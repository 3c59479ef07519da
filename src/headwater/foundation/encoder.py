"""The one contract of pretrained weights: inputs in, a feature vector a row out, for every field."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import nn


class Prepared(Protocol):
    """Inputs turned into what the network reads (token ids, pixels), held for many passes."""

    @property
    def lengths(self) -> np.ndarray:
        """The cost of each row in tokens, shape (rows,)."""
        ...

    def __len__(self) -> int: ...

    def batch(self, rows: np.ndarray) -> dict[str, torch.Tensor]:
        """The network's arguments for these rows, padded to the longest of them."""
        ...

    def ahead(self, rows: np.ndarray) -> None:
        """Is told which rows `batch` will soon be asked for, and may begin with them."""
        ...


class Encoder(Protocol):
    """A foundation that turns inputs into features.

    Attributes:
        name: what the user called it.
        width: how many features a row has.
        network: the pretrained network; its parameters are what a strategy trains or leaves alone.
    """

    name: str
    width: int
    network: nn.Module

    def options(self) -> dict[str, Any]:
        """How it reads inputs, as the arguments with which it is read again from a folder."""
        ...

    def prepare(self, inputs: Sequence[Any]) -> Prepared:
        """Tokenises or decodes inputs once."""
        ...

    def prepare_to_learn(self, inputs: Sequence[Any]) -> Prepared:
        """The same for the steps of a training, which may see an input altered anew each time."""
        ...

    def features(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Features of shape (rows, width), differentiable with respect to the network's parameters."""
        ...

    def blocks(self) -> list[nn.Module]:
        """The network's layers from first to last, for `last-layers`."""
        ...

    def fingerprint(self) -> str:
        """A hash of weights and preparation: equal fingerprints give equal features."""
        ...

    def changed(self) -> None:
        """Says that the network's weights have been trained, and are no longer those of the files it came from."""
        ...

    def save(self, folder: Path) -> None:
        """Writes weights and preparation in the hub's folder format, safetensors only."""
        ...
