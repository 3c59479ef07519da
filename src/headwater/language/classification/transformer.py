"""A small self-attention encoder trained from scratch (Vaswani et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import nn

from headwater.errors import SettingError
from headwater.language.classification.neural import NeuralClassifier, NeuralSettings, WordVectors, inside
from headwater.options import Between
from headwater.ranges import Search


@dataclass(frozen=True, kw_only=True)
class TransformerSettings(NeuralSettings):
    """The encoder's layers."""

    layers: Annotated[int, Between(1, 64), Search(1, 4), "Encoder layers, one over the other."] = 2
    heads: Annotated[int, Between(1, 64), "Attention heads in a layer; they divide the word vector."] = 4
    dropout: Annotated[float, Between(0, 0.95), Search(0, 0.6), "The share of features dropped while training."] = 0.3


class TransformerClassifier(NeuralClassifier):
    """Self-attention layers over word vectors with learnt positions, and the mean of their output."""

    Settings = TransformerSettings
    learning_rate = 1e-3

    def network(self, words: WordVectors, n_classes: int) -> nn.Module:
        if words.width % self.settings.heads:
            raise SettingError(
                "The heads must divide the word vector into equal parts",
                where="model transformer",
                got=self.settings.heads,
                accepted=f"a divisor of {words.width}",
                fix="Change heads or embedding.",
            )
        return TransformerNetwork(words, n_classes, self.settings, self.max_length)


class TransformerNetwork(nn.Module):
    """Word vectors plus positions, pre-norm encoder layers, masked mean, dropout, one linear layer."""

    def __init__(self, words: WordVectors, n_classes: int, settings: TransformerSettings, max_length: int) -> None:
        super().__init__()
        self.words = words
        self.places = nn.Embedding(max_length, words.width)
        self.dropout = nn.Dropout(settings.dropout)
        layer = nn.TransformerEncoderLayer(
            words.width, settings.heads, 4 * words.width, settings.dropout, "gelu", batch_first=True, norm_first=True
        )
        norm = nn.LayerNorm(words.width)
        self.encoder = nn.TransformerEncoder(layer, settings.layers, norm, enable_nested_tensor=False)
        self.out = nn.Linear(words.width, n_classes)
        # Every layer of nn.TransformerEncoder is a copy of the first: each gets weights of its own.
        for parameter in self.encoder.parameters():
            if parameter.ndim > 1:
                nn.init.xavier_uniform_(parameter)
        nn.init.normal_(self.places.weight, std=0.02)

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        present = inside(lengths, ids.shape[1], ids.device)
        vectors = self.words(ids) + self.places.weight[: ids.shape[1]]
        states = self.encoder(self.dropout(vectors), src_key_padding_mask=~present)
        mean = (states * present[:, :, None]).sum(dim=1) / lengths.to(ids.device)[:, None]
        return self.out(self.dropout(mean))
