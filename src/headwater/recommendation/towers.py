"""Networks that make one vector of all that is known: of an item its text and picture, of a user history and facts."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

_SPANS = (1, 2, 3)
_WIDENED = (16, 32, 64)


class WordTower(nn.Module):
    """Convolutions over word vectors with the maximum over places (Kim 2014).

    Args:
        words: how many are known; number 0 stands where a text has no word any more.
        width: of a word vector, and of what is told.
    """

    def __init__(self, words: int, width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(words, width, padding_idx=0)
        self.spans = nn.ModuleList(nn.Conv1d(width, width, span, padding=span // 2) for span in _SPANS)
        self.joined = nn.Linear(len(_SPANS) * width, width)

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        """Shape (items, width), for numbers of words of shape (items, places)."""
        vectors = self.table(numbers.long()).transpose(1, 2)
        return self.joined(torch.cat([functional.relu(span(vectors)).amax(dim=2) for span in self.spans], dim=1))


class PictureTower(nn.Module):
    """Three convolutions, each of which halves the edge, and the mean over what is left.

    Args:
        width: of what is told.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for wider in _WIDENED:
            layers += [nn.Conv2d(channels, wider, 3, stride=2, padding=1), nn.GroupNorm(4, wider), nn.ReLU()]
            channels = wider
        self.layers, self.joined = nn.Sequential(*layers), nn.Linear(channels, width)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Shape (items, width), for bytes of shape (items, side, side, 3)."""
        shades = pixels.permute(0, 3, 1, 2).float() / 127.5 - 1
        return self.joined(self.layers(shades).mean(dim=(2, 3)))


class ItemTower(nn.Module):
    """The vector of an item: of all towers, through two dense layers, and one of its own where it is known.

    Its own vector is left out half of the time while training, so that the towers learn to do without, as they must
    for an item that nobody had to do with (DropoutNet; Volkovs et al. 2017).

    Args:
        towers: by the name of what each reads.
        items: how many there are.
        width: of a vector.
        dropout: while training.
    """

    def __init__(self, towers: dict[str, nn.Module], items: int, width: int, dropout: float) -> None:
        super().__init__()
        self.towers, self.own = nn.ModuleDict(towers), nn.Embedding(items, width)
        nn.init.zeros_(self.own.weight)
        self.dense = nn.Sequential(
            nn.ReLU(), nn.Dropout(dropout), nn.Linear(len(towers) * width, width), nn.ReLU(), nn.Linear(width, width)
        )

    def forward(self, rows: torch.Tensor, inputs: dict[str, torch.Tensor], known: torch.Tensor) -> torch.Tensor:
        """Vectors of shape (rows, width).

        Args:
            rows: the items.
            inputs: what each tower reads of them, by its name.
            known: 1 where anybody had to do with the item, else 0, shape (rows,).
        """
        told = self.dense(torch.cat([tower(inputs[name]) for name, tower in self.towers.items()], dim=1))
        if self.training:
            known = known * (torch.rand_like(known) < 0.5)
        return told + known[:, None] * self.own(rows)


class UserTower(nn.Module):
    """The vector of a user: of the items of a history and of what is known beside, through two dense layers.

    Args:
        items: how many there are.
        facts: numbers that tell of a user.
        width: of a vector.
        dropout: while training.
    """

    def __init__(self, items: int, facts: int, width: int, dropout: float) -> None:
        super().__init__()
        self.had = nn.EmbeddingBag(items, width, mode="sum")
        nn.init.normal_(self.had.weight, std=0.1)
        self.facts = nn.Linear(facts, width)
        self.dense = nn.Sequential(
            nn.Tanh(), nn.Dropout(dropout), nn.Linear(width, width), nn.Tanh(), nn.Dropout(dropout),
            nn.Linear(width, width),
        )  # fmt: skip

    def forward(self, items: torch.Tensor, starts: torch.Tensor, facts: torch.Tensor) -> torch.Tensor:
        """Vectors of shape (rows, width).

        Args:
            items: the histories of all rows, one after the other.
            starts: where each begins, and where the last ends, shape (rows + 1,).
            facts: of each row, zero where nothing is known, shape (rows, facts).
        """
        lengths = (starts[1:] - starts[:-1]).clamp(min=1)
        had = self.had(items, starts[:-1]) / lengths.sqrt()[:, None]
        told = had + self.facts(facts)
        return told + self.dense(told)
