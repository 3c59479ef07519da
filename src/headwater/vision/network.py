"""What a network over pixels is, whatever it answers: pixels in its units, where it computes, and its files."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import nn

from headwater.foundation.text import quiet
from headwater.options import build
from headwater.run import write_whole
from headwater.settings import Settings as RunSettings
from headwater.training.device import device_of, nearest
from headwater.vision.augmentation import unit

_PATCH: Final = 16


class PixelNetwork(ABC):
    """A model of pictures whose network is `model`.

    A subclass gives `untrained`, and extends `state` and `stated` by what is its own.

    Attributes:
        model: the network.
        n_classes: how many classes there are.
        mean, deviation: of each channel over the training pixels, which are standardised by them.
        reversed: whether it wants blue first.
        token_budget: the most tokens of a pass that answers; None takes what suits the device.
        device: where it was asked to compute, and will where it is loaded, if there is such a device.
    """

    Settings: ClassVar[type]
    settings: Any
    model: Any
    n_classes: int
    mean: np.ndarray
    deviation: np.ndarray
    reversed: bool = False
    token_budget: int | None
    device: str

    @abstractmethod
    def untrained(self) -> nn.Module:
        """The network without what it learns."""

    def begin(self, settings: RunSettings, make: Callable[[], nn.Module]) -> None:
        """Has the network made under the seed of a run, and moved to where it computes."""
        self.token_budget, self.device = settings.token_budget, settings.device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.model = make()
        self.model.to(device_of(settings))

    def batch(self, pixels: np.ndarray) -> torch.Tensor:
        """Pixels, uint8 of shape (rows, height, width, channels), where the network is: as `tensor_for` has them."""
        return tensor_for(self.model, pixels)

    def standardised(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures of 0 to 1 in units of the training pixels' deviation about their mean."""
        return standardised(pictures.flip(1) if self.reversed else pictures, self.mean, self.deviation)

    def read(self, pixels: np.ndarray) -> torch.Tensor:
        """Pixels as `batch` takes them, as the network reads them where nothing is altered."""
        return self.standardised(unit(self.batch(pixels)))

    def state(self) -> dict[str, Any]:
        """What `load` needs beside the weights."""
        return {
            "settings": asdict(self.settings),
            "classes": self.n_classes,
            "mean": self.mean.tolist(),
            "deviation": self.deviation.tolist(),
            "token_budget": self.token_budget,
            "device": self.device,
        }

    @classmethod
    def stated(cls, values: dict[str, Any], folder: Path) -> Self:
        """A model with what `state` told of it, and no network yet."""
        kind: Any = cls  # The constructor is that of the model which this is the network of.
        # Detectors did not always write their device and the tokens of a pass, nor pretrained ones their settings.
        made = kind(build(cls.Settings, values.get("settings", {}), where=str(folder / "model.json")))
        made.n_classes = values["classes"]
        made.token_budget, made.device = values.get("token_budget"), values.get("device", "auto")
        made.mean, made.deviation = (np.array(values[name], np.float32) for name in ("mean", "deviation"))
        return made

    def save(self, folder: Path) -> None:
        """Writes what it is as JSON, and its weights."""
        write_whole(folder / "model.json", json.dumps(self.state()).encode())
        self.write_weights(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads what `save` wrote."""
        made = cls.stated(json.loads((folder / "model.json").read_text("utf-8")), folder)
        made.model = made.read_weights(folder).to(nearest(made.device))
        return made

    def write_weights(self, folder: Path) -> None:
        """Leaves the weights of the network as safetensors."""
        weights = {name: tensor.cpu().contiguous() for name, tensor in self.model.state_dict().items()}
        write_whole(folder / "model.safetensors", save(weights))

    def read_weights(self, folder: Path) -> nn.Module:
        """The network with the weights that `write_weights` left."""
        network = self.untrained()
        network.load_state_dict(load_file(folder / "model.safetensors"))
        return network


def tensor_for(network: nn.Module, pixels: np.ndarray) -> torch.Tensor:
    """Pixels where a network is: uint8 of shape (rows, channels, height, width), the channels last in memory.

    Args:
        network: has parameters.
        pixels: uint8 of shape (rows, height, width, channels).

    Example:
        >>> tuple(tensor_for(nn.Linear(2, 2), np.zeros((5, 8, 9, 3), np.uint8)).shape)
        (5, 3, 8, 9)
    """
    tensor = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)
    return tensor.to(next(network.parameters()).device)


def standardised(pictures: torch.Tensor, mean: np.ndarray, deviation: np.ndarray) -> torch.Tensor:
    """Pictures of shape (rows, channels, height, width) in units of each channel's deviation about its mean.

    Example:
        >>> standardised(torch.ones(1, 1, 1, 2), np.float32([0.5]), np.float32([0.25])).tolist()
        [[[[2.0, 2.0]]]]
    """
    middle, unit_of = (torch.from_numpy(values)[:, None, None].to(pictures.device) for values in (mean, deviation))
    return (pictures - middle) / unit_of


def write_foundation(network: Any, notes: dict[str, bytes], folder: Path) -> None:
    """Leaves a network of transformers in the hub's format, itself a foundation for the next run.

    Args:
        network: what can be saved so.
        notes: the files that say how it wants its pixels, by name.
        folder: where it goes.
    """
    with quiet():
        network.save_pretrained(folder)
    for name, content in notes.items():
        write_whole(folder / name, content)


def patches(height: int, width: int) -> int:
    """The cost of a picture in tokens: its squares of 16 by 16 pixels.

    Example:
        >>> patches(32, 40)
        6
    """
    return math.ceil(height / _PATCH) * math.ceil(width / _PATCH)
