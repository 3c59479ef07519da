"""Self-attention over a history: each item looks at those before it."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class CausalBlock(nn.Module):
    """Attention and two dense layers, each behind a norm and beside a way around (Kang and McAuley 2018).

    Args:
        width: of a state.
        heads: of the attention; they divide the width.
        dropout: of attention and layers while training.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.asked, self.mixed = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.dense = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
        )

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """States of shape (rows, places, width); none sees a later place."""
        rows, places, width = states.shape
        asked = self.asked(self.first(states)).view(rows, places, 3, self.heads, width // self.heads)
        query, key, value = asked.permute(2, 0, 3, 1, 4)
        dropped = self.dropout if self.training else 0.0
        found = functional.scaled_dot_product_attention(query, key, value, dropout_p=dropped, is_causal=True)
        found = self.mixed(found.transpose(1, 2).reshape(rows, places, width))
        states = states + functional.dropout(found, self.dropout, self.training)
        return states + functional.dropout(self.dense(self.second(states)), self.dropout, self.training)


class CausalAttention(nn.Module):
    """Blocks of self-attention over vectors that know their places.

    Args:
        width: of a vector and of a state.
        places: the longest history.
        layers: how many blocks.
        heads: of each.
        dropout: while training.

    Example:
        >>> network = CausalAttention(width=8, places=5, layers=1, heads=2, dropout=0.0).eval()
        >>> vectors = torch.randn(1, 4, 8)
        >>> bool(torch.allclose(network(vectors)[:, :2], network(vectors[:, :2]), atol=1e-6))
        True
    """

    def __init__(self, width: int, places: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.places = nn.Embedding(places, width)
        nn.init.normal_(self.places.weight, std=0.02)
        self.blocks = nn.ModuleList(CausalBlock(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """A state for each vector, shape (rows, places, width): of the vectors so far."""
        states = vectors + self.places(torch.arange(vectors.shape[1], device=vectors.device))
        for block in self.blocks:
            states = block(states)
        return self.norm(states)
