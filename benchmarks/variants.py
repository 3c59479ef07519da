"""Foundations of known making: MiniLM as it is, tuned further, damaged, cut short, and not trained at all.

Each is written once to `.work/variants`, in the hub's format, and is the same on every machine but for the last digits.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ours
from harness import WORK

FOLDER = WORK / "variants"
_STEPS, _ROWS, _WORDS, _HIDDEN = 100, 32, 30, 0.15


def _as_it_is(network: Any, _: str) -> None:
    """The embedded MiniLM."""
    network.eval()


def _untrained(network: Any, _: str) -> None:
    """The same architecture with random weights."""
    _begin_anew(network, network.config.initializer_range)


def _restart(layers: int) -> Callable[[Any, str], None]:
    """The last layers begin anew."""

    def change(network: Any, _: str) -> None:
        for layer in network.encoder.layer[-layers:]:
            _begin_anew(layer, network.config.initializer_range)

    return change


def _cut(layers: int) -> Callable[[Any, str], None]:
    """Only the first layers are kept."""

    def change(network: Any, _: str) -> None:
        network.encoder.layer = network.encoder.layer[:layers]
        network.config.num_hidden_layers = layers

    return change


def _half(network: Any, _: str) -> None:
    """Every weight half way to a random one."""
    import copy

    import torch

    other = copy.deepcopy(network)
    _begin_anew(other, network.config.initializer_range)
    with torch.no_grad():
        for weight, noise in zip(network.parameters(), other.parameters(), strict=True):
            weight.lerp_(noise, 0.5)


def _masked(network: Any, corpus: str) -> None:
    """Tuned further as a masked language model, on English of many kinds (Devlin et al. 2019)."""
    import torch
    from transformers import AutoTokenizer, BertForMaskedLM

    model: Any = BertForMaskedLM(network.config)
    model.bert.load_state_dict(network.state_dict(), strict=False)
    model.tie_weights()
    tokenizer: Any = AutoTokenizer.from_pretrained(ours.minilm())
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4)
    rate = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min((step + 1) / 10, (_STEPS - step) / _STEPS))
    model.train()
    for texts in _batches(Path(corpus)):
        batch = tokenizer(texts, padding=True, truncation=True, max_length=48, return_tensors="pt")
        ids = batch["input_ids"]
        hidden = (torch.rand(ids.shape) < _HIDDEN) & (ids > tokenizer.mask_token_id)
        batch["input_ids"] = ids.masked_fill(hidden, tokenizer.mask_token_id)
        with torch.autocast("cpu", torch.bfloat16):
            # Only the hidden words are guessed: the table of all words is the dearest part of the network.
            guesses = model.cls(model.bert(**batch).last_hidden_state[hidden])
        torch.nn.functional.cross_entropy(guesses.float(), ids[hidden]).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        rate.step()
    network.load_state_dict(model.bert.state_dict(), strict=False)


VARIANTS: dict[str, Callable[[Any, str], None]] = {
    "minilm": _as_it_is,
    "minilm-masked": _masked,
    "minilm-first-3": _cut(3),
    "minilm-restart-1": _restart(1),
    "minilm-restart-3": _restart(3),
    "minilm-half": _half,
    "minilm-restart-6": _restart(6),
    "minilm-untrained": _untrained,
}


def make(name: str, folder: str, corpus: str) -> dict[str, Any]:
    """Writes one variant; a side of its own, so that its threads are those of the others."""
    import torch

    from headwater.foundation.text import TextEncoder

    encoder = TextEncoder.load(Path(ours.minilm()), name)
    torch.manual_seed(0)
    VARIANTS[name](encoder.network, corpus)
    encoder.changed()
    encoder.save(Path(folder))
    return {"parameters": sum(weight.numel() for weight in encoder.network.parameters())}


def _begin_anew(module: Any, spread: float) -> None:
    """Weights as BERT has them before it has learnt; transformers' own function leaves loaded weights alone."""
    from torch import nn

    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Embedding):
            nn.init.normal_(part.weight, std=spread)
        if isinstance(part, nn.LayerNorm):
            part.reset_parameters()
        if isinstance(part, nn.Linear):
            nn.init.zeros_(part.bias)


def _batches(corpus: Path) -> Iterator[list[str]]:
    """Passages of some forty words, drawn at random."""
    files = sorted(corpus.glob("*.txt.gz"))
    words = [word for file in files for word in gzip.decompress(file.read_bytes()).decode("utf-8").split()]
    draw = random.Random(0)
    for _ in range(_STEPS):
        starts = [draw.randrange(len(words) - _WORDS) for _ in range(_ROWS)]
        yield [" ".join(words[start : start + _WORDS]) for start in starts]
