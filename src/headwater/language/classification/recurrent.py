"""Recurrent networks: simple (Elman 1990), LSTM (Hochreiter and Schmidhuber 1997), GRU (Cho et al. 2014)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

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
    """Word vectors, recurrent layers, the largest value of each state over time, dropout, one linear layer."""

    def __init__(
        self, words: WordVectors, n_classes: int, cell: Callable[..., nn.RNNBase], settings: RecurrentSettings
    ) -> None:
        super().__init__()
        self.words = words
        self.dropout = nn.Dropout(settings.dropout)
        self.recurrent = cell(
            words.width,
            settings.hidden,
            settings.layers,
            batch_first=True,
            bidirectional=settings.bidirectional,
            dropout=settings.dropout if settings.layers > 1 else 0.0,
        )
        self.out = nn.Linear(settings.hidden * (1 + settings.bidirectional), n_classes)
        _initialise(self.recurrent)

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        vectors = self.dropout(self.words(ids))
        packed = pack_padded_sequence(vectors, lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.recurrent(packed)[0], batch_first=True)
        outside = ~inside(lengths, states.shape[1], ids.device)
        return self.out(self.dropout(states.masked_fill(outside[:, :, None], -torch.inf).amax(dim=1)))


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
