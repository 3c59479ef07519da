"""Which parameters of a foundation a strategy trains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

if TYPE_CHECKING:
    from headwater.foundation.encoder import Encoder
    from headwater.settings import Settings


@contextmanager
def trainable(encoder: Encoder, strategy: str, settings: Settings) -> Iterator[None]:
    """Lets, for a while, exactly the parameters of a strategy learn; of `lora`, merges the update at the end.

    Frozen layers below the first trained one cost no backward pass: autograd records nothing for them.
    """
    learned = {name: parameter.requires_grad for name, parameter in encoder.network.named_parameters()}
    try:
        if strategy == "lora":
            with _adapters(encoder.network, settings.lora_rank, settings.seed):
                yield
            return
        if strategy == "last-layers":
            chosen = _last(encoder, settings.last_layers)
            for parameter in encoder.network.parameters():
                parameter.requires_grad_(parameter.requires_grad and id(parameter) in chosen)
        yield
    finally:
        for name, parameter in encoder.network.named_parameters():
            parameter.requires_grad_(learned[name])


def train_mode(encoder: Encoder) -> None:
    """Training mode for what learns: the dropout of frozen layers would only blur what they say.

    Batch norms stay in evaluation mode under every strategy: they use and keep the mean and the variance that they were
    pretrained with, and only their weights learn. The passes of a step are cut by the memory, not by what a mean needs:
    those of one or a few pictures have no distribution to speak of.
    """
    network, blocks = encoder.network, encoder.blocks()
    inside = {id(parameter) for block in blocks for parameter in block.parameters()}
    rest = [p for name, p in network.named_parameters() if id(p) not in inside and "pooler." not in name]
    network.train(any(parameter.requires_grad for parameter in rest) and _learns(blocks[0]))
    for block in blocks:
        block.train(_learns(block))
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.eval()


def _learns(module: nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in module.parameters())


def _last(encoder: Encoder, layers: int) -> set[int]:
    """The parameters of the last blocks, and of what was registered after them: a final norm."""
    blocks = encoder.blocks()
    chosen = {id(parameter) for block in blocks[-layers:] for parameter in block.parameters()}
    inside = {id(parameter) for parameter in blocks[-1].parameters()}
    after = False
    for parameter in encoder.network.parameters():
        if after and id(parameter) not in inside:
            chosen.add(id(parameter))
        after = after or id(parameter) in inside
    return chosen


@contextmanager
def _adapters(network: nn.Module, rank: int, seed: int) -> Iterator[None]:
    """Low-rank updates of every linear layer (Hu et al. 2021) and convolution, added to the weights at the end."""
    import torch
    from peft import LoraConfig
    from peft.tuners.lora import LoraModel
    from transformers.pytorch_utils import Conv1D

    layers = {name: module for name, module in network.named_modules() if isinstance(module, nn.Linear | Conv1D)}
    layers |= {
        name: module for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d) and module.groups == 1
    }  # fmt: skip
    config = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        target_modules=[name for name in layers if "pooler" not in name],
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in layers.values()),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        adapted = LoraModel(network, config, "default")
    give_back = adapted.unload
    try:
        yield
        give_back = adapted.merge_and_unload
    finally:
        give_back()
