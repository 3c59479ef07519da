"""The optimiser of every torch model: AdamW, with decay only where it belongs."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.optim.adamw import adamw

from headwater.settings import Settings

_FUSED = ("cpu", "cuda", "mps")


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


class AdamW:
    """AdamW (Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019), fused into one pass over the memory.

    The arithmetic is torch's own. `torch.optim.AdamW` would do the same, but its constructor imports torch's compiler:
    several seconds and 150 MB that no training here has a use for.

    Args:
        groups: parameters with their `weight_decay` and, where it differs from `learning_rate`, their `lr`. Each group
            keeps its highest learning rate as `peak`, which the schedule multiplies.
        learning_rate: the highest learning rate of the schedule.

    Attributes:
        param_groups: the groups; their `lr` is that of the next step.
    """

    def __init__(self, groups: list[dict[str, Any]], learning_rate: float) -> None:
        self.param_groups: list[dict[str, Any]] = [
            {"lr": learning_rate, "weight_decay": 0.0, **group} for group in groups
        ]
        for group in self.param_groups:
            group["peak"] = group["lr"]
        self._moments: dict[nn.Parameter, dict[str, torch.Tensor]] = {}

    @property
    def parameters(self) -> list[nn.Parameter]:
        """Every parameter, group after group."""
        return [p for group in self.param_groups for p in group["params"]]

    def zero_grad(self) -> None:
        """Gives the gradients' memory back."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Moves every parameter that has a gradient."""
        for group in self.param_groups:
            moved = [p for p in group["params"] if p.grad is not None]
            moments = [self._moments_of(p) for p in moved]
            adamw(
                moved, [p.grad for p in moved], [m["mean"] for m in moments], [m["square"] for m in moments], [],
                [m["steps"] for m in moments], fused=all(p.device.type in _FUSED for p in moved), amsgrad=False,
                beta1=0.9, beta2=0.999, lr=group["lr"], weight_decay=group["weight_decay"], eps=1e-8, maximize=False,
            )  # fmt: skip

    def state(self) -> dict[str, torch.Tensor]:
        """The moments of the parameters moved so far, by the parameter's place and the moment's name."""
        return {
            f"{place}.{name}": moment
            for place, parameter in enumerate(self.parameters)
            for name, moment in self._moments.get(parameter, {}).items()
        }

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Takes back what `state` gave."""
        parameters = self.parameters
        for key, moment in state.items():
            place, name = key.split(".")
            parameter = parameters[int(place)]
            kept = moment.to(parameter.device)
            if moment.shape == parameter.shape:
                # In the order of the parameter's memory, as the fused arithmetic reads both.
                kept = torch.empty_like(parameter, memory_format=torch.preserve_format).copy_(kept)
            self._moments.setdefault(parameter, {})[name] = kept

    def _moments_of(self, parameter: nn.Parameter) -> dict[str, torch.Tensor]:
        if parameter not in self._moments:
            self._moments[parameter] = {
                "steps": torch.zeros((), device=parameter.device),
                "mean": torch.zeros_like(parameter, memory_format=torch.preserve_format),
                "square": torch.zeros_like(parameter, memory_format=torch.preserve_format),
            }
        return self._moments[parameter]
