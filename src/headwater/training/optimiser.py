"""The optimiser of every torch model: AdamW, with decay only where it belongs."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from headwater.settings import Settings


def parameter_groups(network: nn.Module, settings: Settings) -> list[dict[str, Any]]:
    """The trainable parameters in two groups: matrices decay; embeddings, norms and biases do not.

    Without decay, an embedding row whose token never occurs has no gradient and stays as it was pretrained.

    Example:
        >>> groups = parameter_groups(nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 2)), Settings(weight_decay=0.1))
        >>> [(group["weight_decay"], [tuple(p.shape) for p in group["params"]]) for group in groups]
        [(0.1, [(2, 4)]), (0.0, [(9, 4), (2,)])]
    """
    tables = {id(p) for module in network.modules() if isinstance(module, nn.Embedding) for p in module.parameters()}
    trained = [p for p in network.parameters() if p.requires_grad]
    matrices = [p for p in trained if p.ndim > 1 and id(p) not in tables]
    chosen = {id(p) for p in matrices}
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": [p for p in trained if id(p) not in chosen], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def adamw(groups: list[dict[str, Any]], learning_rate: float) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019) in one pass over the memory.

    Each group keeps its own highest learning rate as `peak`, which the schedule multiplies.
    """
    for group in groups:
        group["peak"] = group.setdefault("lr", learning_rate)
    fused = all(p.device.type in ("cpu", "cuda", "mps") for group in groups for p in group["params"])
    return torch.optim.AdamW(groups, lr=learning_rate, fused=fused)
