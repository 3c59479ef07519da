"""Recurrent networks: simple (Elman 1990), LSTM (Hochreiter and Schmidhuber 1997), GRU (Cho et al. 2014)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import torch
from torch import nn

from headwater.language.classification.neural import NeuralClassifier, NeuralSettings, WordVectors, inside
from headwater.options import Between
from headwater.ranges import Search


@dataclass(frozen=True, kw_only=True)
class RecurrentSettings(NeuralSettings):
    """The recurrent layers."""

    hidden: Annotated[int, Between(1, 4096), Search(32, 256, log=True), "Numbers in the state of one direction."] = 128
    layers: Annotated[int, Between(1, 32), Search(1, 2), "Recurrent layers, one over the other."] = 1
    bidirectional: Annotated[bool, Search(), "Read the text from both ends."] = True


class _RecurrentClassifier(NeuralClassifier):
    Settings = RecurrentSettings
    cell: ClassVar[Callable[..., nn.RNNBase]]

    def network(self, words: WordVectors, n_classes: int) -> nn.Module:
        return RecurrentNetwork(words, n_classes, self.cell, self.settings)


class RnnClassifier(_RecurrentClassifier):
    """A simple recurrent network."""

    cell = nn.RNN


class LstmClassifier(_RecurrentClassifier):
    """Long short-term memory."""

    cell = nn.LSTM


class GruClassifier(_RecurrentClassifier):
    """Gated recurrent units."""

    cell = nn.GRU


class RecurrentNetwork(nn.Module):
    """Word vectors, recurrent layers, the largest and the mean state over time, dropout, one linear layer.

    The mean tells how much of a long text is of a kind, where the largest value tells only that some of it is (Howard
    and Ruder 2018). Means over many words differ little from text to text: only normalised does the linear layer learn
    from them.
    """

    def __init__(
        self, words: WordVectors, n_classes: int, cell: Callable[..., nn.RNNBase], settings: RecurrentSettings
    ) -> None:
        super().__init__()
        self.words = words
        self.dropout = nn.Dropout(settings.dropout)
        self.recurrent = Recurrence(cell, words.width, settings)
        width = settings.hidden * (1 + settings.bidirectional)
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(2 * width, n_classes)
        self.register_load_state_dict_pre_hook(_without_mean)

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        states = self.recurrent(self.dropout(self.words(ids)), lengths)
        outside = ~inside(lengths, states.shape[1], ids.device)[:, :, None]
        largest = states.masked_fill(outside, -torch.inf).amax(dim=1)
        mean = states.masked_fill(outside, 0).sum(dim=1) / lengths.to(states.device)[:, None]
        return self.out(self.dropout(torch.cat([largest, self.norm(mean)], dim=1)))


class Recurrence(nn.Module):
    """Recurrent layers over padded rows, each read within its own length, from one end or from both.

    It equals torch's own layers over packed rows. On a processor those take up to five times as long to learn from long
    texts, since each step of a packed row is an operation of its own; here a direction is one call.

    Args:
        cell: torch's recurrent layer.
        width: the numbers in a vector.
        settings: how many layers, states and directions.

    Example:
        >>> recurrence = Recurrence(nn.GRU, 8, RecurrentSettings(hidden=6, layers=2))
        >>> recurrence(torch.zeros(3, 5, 8), torch.tensor([5, 1, 4])).shape
        torch.Size([3, 5, 12])
    """

    def __init__(self, cell: Callable[..., nn.RNNBase], width: int, settings: RecurrentSettings) -> None:
        super().__init__()
        hidden, directions = settings.hidden, 1 + settings.bidirectional
        widths = [width] + [hidden * directions] * (settings.layers - 1)
        self.layers = nn.ModuleList(
            nn.ModuleList(cell(inputs, hidden, batch_first=True) for _ in range(directions)) for inputs in widths
        )
        self.dropout = nn.Dropout(settings.dropout)
        for direction in self.modules():
            if isinstance(direction, nn.RNNBase):
                _initialise(direction)
        self.register_load_state_dict_pre_hook(_renamed)

    def forward(self, vectors: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """States of shape (rows, places, directions x hidden); what stands behind a row's length means nothing.

        Args:
            vectors: shape (rows, places, width).
            lengths: how many places of each row hold something, shape (rows,).
        """
        turned = _turned(lengths.to(vectors.device), vectors.shape[1])[:, :, None]
        for number, layer in enumerate(self.layers):
            vectors = self.dropout(vectors) if number else vectors
            onward, *backward = layer.children()
            states = [onward(vectors)[0]]
            states += [one(vectors.take_along_dim(turned, 1))[0].take_along_dim(turned, 1) for one in backward]
            vectors = torch.cat(states, dim=2)
        return vectors


def _turned(lengths: torch.Tensor, places: int) -> torch.Tensor:
    """For each place of each row the one that stands there when it is read from its end, shape (rows, places)."""
    here = torch.arange(places, device=lengths.device)
    ends = lengths[:, None] - 1
    return torch.where(here <= ends, ends - here, here)


def _without_mean(module: nn.Module, state: dict[str, torch.Tensor], prefix: str, *_more: Any) -> None:
    """Weights of earlier run folders, whose linear layer saw the largest states alone: the mean counts nothing."""
    if f"{prefix}norm.weight" not in state:
        state |= {
            f"{prefix}norm.{name}": weight.detach() for name, weight in module.get_submodule("norm").named_parameters()
        }
        seen = state[f"{prefix}out.weight"]
        state[f"{prefix}out.weight"] = torch.cat([seen, torch.zeros_like(seen)], dim=1)


def _renamed(module: nn.Module, state: dict[str, torch.Tensor], prefix: str, *_more: Any) -> None:
    """Weights as torch names those of several layers in one, which earlier run folders hold, under the names here."""
    for name in [name for name in state if re.fullmatch(rf"{re.escape(prefix)}[a-z_]+_l\d+(_reverse)?", name)]:
        kind, _, place = name.removeprefix(prefix).rpartition("_l")
        number, _, reverse = place.partition("_")
        state[f"{prefix}layers.{number}.{int(bool(reverse))}.{kind}_l0"] = state.pop(name)


def _initialise(recurrent: nn.RNNBase) -> None:
    """Orthogonal recurrences (Saxe et al. 2014), and LSTMs that remember at first (Jozefowicz et al. 2015)."""
    hidden = recurrent.hidden_size
    for name, parameter in recurrent.named_parameters():
        if name.startswith("weight"):
            make = nn.init.orthogonal_ if "_hh" in name else nn.init.xavier_uniform_
            for gate in parameter.detach().split(hidden):
                make(gate)
        else:
            nn.init.zeros_(parameter)
            if isinstance(recurrent, nn.LSTM) and "_ih" in name:
                parameter.detach()[hidden : 2 * hidden].fill_(1.0)
