"""Convolutions over word vectors with max-over-time pooling (Kim 2014)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import nn

from headwater.language.classification.neural import NeuralClassifier, NeuralSettings, WordVectors, inside
from headwater.options import Between
from headwater.ranges import Search


@dataclass(frozen=True, kw_only=True)
class ConvolutionalSettings(NeuralSettings):
    """The filters."""

    widths: Annotated[tuple[int, ...], Between(1, 100), "How many tokens the filters of each kind cover."] = (3, 4, 5)
    filters: Annotated[int, Between(1, 4096), Search(32, 256, log=True), "Filters of each width."] = 100


class ConvolutionalClassifier(NeuralClassifier):
    """Filters of several widths, each reduced to its largest answer anywhere in the text."""

    Settings = ConvolutionalSettings

    def network(self, words: WordVectors, n_classes: int) -> nn.Module:
        return ConvolutionalNetwork(words, n_classes, self.settings)


class ConvolutionalNetwork(nn.Module):
    """Word vectors, convolutions, max over time, dropout, one linear layer."""

    def __init__(self, words: WordVectors, n_classes: int, settings: ConvolutionalSettings) -> None:
        super().__init__()
        self.words = words
        # Zeros on both sides let a filter see a text shorter than itself.
        self.filters = nn.ModuleList(
            nn.Conv1d(words.width, settings.filters, width, padding=width - 1) for width in settings.widths
        )
        self.dropout = nn.Dropout(settings.dropout)
        self.out = nn.Linear(settings.filters * len(settings.widths), n_classes)

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        vectors = self.words(ids).transpose(1, 2)
        pooled = []
        for convolution in self.filters:
            answers = convolution(vectors)
            seen = inside(lengths + answers.shape[2] - ids.shape[1], answers.shape[2], ids.device)
            pooled.append(answers.masked_fill(~seen[:, None], -torch.inf).amax(dim=2).relu())
        return self.out(self.dropout(torch.cat(pooled, dim=1)))
