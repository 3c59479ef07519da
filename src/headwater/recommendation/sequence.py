"""What comes next: recurrent networks and self-attention over the items of a history, in their order."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import torch
from torch import nn

from headwater.errors import SettingError
from headwater.options import Between
from headwater.ranges import Search
from headwater.recommendation.attention import CausalAttention
from headwater.recommendation.interactions import Histories, Interactions
from headwater.recommendation.neural import NeuralRecommender, RankingLearner
from headwater.recommendation.recommender import Asked, Known
from headwater.recommendation.softmax import ItemSoftmax
from headwater.recommendation.validation import Validation, divided
from headwater.recommendation.windows import Windows, latest
from headwater.run import Run
from headwater.training.passes import in_passes

_FULL_SOFTMAX = 20_000
"""Up to so many items the loss compares with all of them, where nobody says otherwise."""
_SAMPLED = 4096


@dataclass(frozen=True, kw_only=True)
class SequenceSettings:
    """What every model of sequences can be told."""

    section: ClassVar[str] = "Model"

    history: Annotated[int, Between(1, 10_000), Search(20, 200, log=True), "The latest items that are read."] = 50
    width: Annotated[int, Between(4, 4096), Search(32, 256, step=32), "Numbers in the vector of an item."] = 128
    layers: Annotated[int, Between(1, 32), Search(1, 3), "Layers, one over the other."] = 1
    dropout: Annotated[float, Between(0, 0.95), Search(0, 0.7), "The share of features dropped while training."] = 0.5
    negatives: Annotated[
        int | None,
        Between(1, 10_000_000),
        "Items that a target is compared with in the loss; all up to 20,000 items, else 4,096, if not given.",
    ] = None


class SequenceRecommender(NeuralRecommender):
    """A network that reads a history and tells the next item at every place of it.

    Scores need the history alone: those of a new user are those of a known one.

    A subclass gives `body`: vectors of shape (rows, places, width) to states of the same shape, of which none depends
    on a later place.
    """

    Settings: ClassVar[type] = SequenceSettings
    epochs = 30
    learning_rate = 3e-3
    counts: np.ndarray

    @abstractmethod
    def body(self) -> nn.Module:
        """The untrained network between item vectors and states."""

    def untrained(self) -> nn.Module:
        negatives = self.settings.negatives or (None if self.n_items <= _FULL_SOFTMAX else _SAMPLED)
        items = ItemSoftmax(torch.from_numpy(self.counts), self.settings.width, negatives)
        return NextItem(items, self.body(), self.settings.dropout)

    def fit(self, known: Known, held_out: Interactions | None, run: Run) -> Self:
        learnt, unseen = divided(known.interactions, held_out)
        self.n_items = len(learnt.item_ids)
        self.counts = np.bincount(learnt.items, minlength=self.n_items)
        self.known_items = self.counts > 0
        self.begin(run)
        windows = Windows.of(Histories.of_users(learnt), self.settings.history)
        self.train(_SequenceLearner(self, windows, Validation.of(learnt, unseen)), run)
        return self

    def scores(self, asked: Asked) -> np.ndarray:
        inputs, lengths = latest(asked.histories, self.settings.history)
        found = np.empty((len(asked), self.n_items), dtype=np.float32)
        self.network.eval()

        def told(rows: np.ndarray) -> np.ndarray:
            read = torch.from_numpy(inputs[rows, : lengths[rows].max()])
            return self.network.last(read, torch.from_numpy(lengths[rows])).float().cpu().numpy()

        with torch.inference_mode():
            for rows, logits in in_passes(self.network, lengths, self.token_budget, told):
                found[rows] = logits
        return self.only_known(found)

    def restore(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        self.counts = np.zeros(self.n_items)
        super().restore(arrays, facts)


class NextItem(nn.Module):
    """Item vectors, the network over them, and the item that comes next.

    Args:
        items: the vectors that are read and predicted.
        body: of vectors, shape (rows, places, width), makes states of the same shape.
        dropout: of vectors and states while training.
    """

    def __init__(self, items: ItemSoftmax, body: nn.Module, dropout: float) -> None:
        super().__init__()
        self.items, self.body, self.dropout = items, body, nn.Dropout(dropout)

    def forward(self, read: torch.Tensor) -> torch.Tensor:
        """States of shape (rows, places, width) for items of shape (rows, places)."""
        return self.dropout(self.body(self.dropout(self.items.table(read.to(self.items.bias.device)))))

    def last(self, read: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The logits of all items after the last place of each row, shape (rows, items)."""
        states = self(read)
        return self.items.logits(states[torch.arange(len(states)), lengths.to(states.device) - 1])


class _SequenceLearner(RankingLearner):
    """A network of sequences with its windows, for the trainer."""

    def __init__(self, model: SequenceRecommender, windows: Windows, validation: Validation) -> None:
        super().__init__(model, windows.lengths, validation)
        self.windows = windows
        # Items weigh alike, whatever window they stand in, and the loss of a row is about that of one item.
        self.usual = max(1.0, float(windows.lengths.mean()))

    def loss(self, rows: np.ndarray) -> torch.Tensor:
        before, items = (torch.from_numpy(part) for part in self.windows.padded(rows))
        network = self.model.network
        states = network(before)
        there = items >= 0
        targets = items[there].to(states.device)
        return network.items.loss(states[there.to(states.device)], targets).sum() / self.usual


class _Recurrent(nn.Module):
    """A recurrent network of torch, its states alone."""

    def __init__(self, kind: Callable[..., nn.Module], width: int, layers: int, dropout: float) -> None:
        super().__init__()
        between = dropout if layers > 1 else 0.0
        self.cells = kind(width, width, layers, batch_first=True, dropout=between)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        return self.cells(vectors)[0]


class RecurrentRecommender(SequenceRecommender):
    """A recurrent network over the items of a history (Hidasi et al. 2016)."""

    kind: ClassVar[Callable[..., nn.Module]]

    def body(self) -> nn.Module:
        return _Recurrent(type(self).kind, self.settings.width, self.settings.layers, self.settings.dropout)


class Rnn(RecurrentRecommender):
    """A simple recurrent network (Elman 1990)."""

    kind = nn.RNN


class Lstm(RecurrentRecommender):
    """Long short-term memory (Hochreiter and Schmidhuber 1997)."""

    kind = nn.LSTM


class Gru(RecurrentRecommender):
    """Gated recurrent units (Cho et al. 2014)."""

    kind = nn.GRU


@dataclass(frozen=True, kw_only=True)
class SasrecSettings(SequenceSettings):
    """What `sasrec` can be told."""

    layers: Annotated[int, Between(1, 32), Search(1, 4), "Blocks, one over the other."] = 2
    dropout: Annotated[float, Between(0, 0.95), Search(0, 0.7), "The share of features dropped while training."] = 0.3
    heads: Annotated[int, Between(1, 64), "Heads of the attention; the width is a multiple of them."] = 2


class Sasrec(SequenceRecommender):
    """Self-attention over the items of a history (Kang and McAuley 2018)."""

    Settings = SasrecSettings
    epochs = 30
    learning_rate = 1e-3

    def body(self) -> nn.Module:
        asked = self.settings
        if asked.width % asked.heads:
            raise SettingError(
                f"The width of an item's vector is no multiple of {asked.heads} heads", where="model sasrec",
                got=asked.width, fix="Change width or heads.",
            )  # fmt: skip
        return CausalAttention(asked.width, asked.history, asked.layers, asked.heads, asked.dropout)
