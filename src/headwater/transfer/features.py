"""What a frozen foundation makes of inputs: in batches of like length, and kept on disk where wanted."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from headwater import progress
from headwater.foundation.cache import FeatureCache, cache_folder, keys_of
from headwater.training.passes import in_passes

if TYPE_CHECKING:
    from headwater.foundation.encoder import Encoder, Prepared
    from headwater.settings import Settings

_SECONDS_BETWEEN_BLOCKS = 20.0


def passes(encoder: Encoder, prepared: Prepared, token_budget: int | None) -> Iterator[tuple[np.ndarray, torch.Tensor]]:
    """Sends prepared rows through the network, longest first; after a pass that does not fit, in smaller ones.

    Raises:
        ResourceError: one row alone does not fit into the memory.
    """

    def forward(rows: np.ndarray) -> torch.Tensor:
        return encoder.features(prepared.batch(rows))

    return in_passes(encoder.network, prepared.lengths, token_budget, forward, prepared.ahead)


def in_batches(
    encoder: Encoder, inputs: Sequence[Any], token_budget: int | None
) -> Iterator[tuple[np.ndarray, torch.Tensor]]:
    """Rows and their features, longest rows first: positions of shape (batch,), features of shape (batch, width)."""
    prepared = encoder.prepare(inputs)
    encoder.network.eval()
    with torch.inference_mode():
        for rows, features in passes(encoder, prepared, token_budget):
            yield rows, features.float()


def extract(encoder: Encoder, inputs: Sequence[Any], settings: Settings) -> np.ndarray:
    """The features of every input, shape (rows, width); equal inputs, and those already on disk, are computed once.

    What is computed is stored every few seconds, so that a killed run does not start from nothing.
    """
    keys = keys_of(inputs)
    cached = settings.feature_cache
    cache = FeatureCache(cache_folder() if cached else None, encoder.fingerprint() if cached else "")
    known = cache.read(keys)
    missing = {key: row for row, key in enumerate(keys) if key not in known}
    known.update(_compute(encoder, [(key, inputs[row]) for key, row in missing.items()], cache, settings.token_budget))
    return np.stack([known[key] for key in keys]) if keys else np.zeros((0, encoder.width), np.float32)


def _compute(
    encoder: Encoder, rows: Sequence[tuple[bytes, Any]], cache: FeatureCache, token_budget: int | None
) -> dict[bytes, np.ndarray]:
    found: dict[bytes, np.ndarray] = {}
    unsaved: list[bytes] = []
    saved = time.monotonic()
    with progress.bar("features", len(rows)) as shown:
        for batch, features in in_batches(encoder, [row for _, row in rows], token_budget):
            keys = [rows[row][0] for row in batch.tolist()]
            found.update(zip(keys, features.cpu().numpy(), strict=True))
            unsaved += keys
            shown.advance(len(keys))
            if time.monotonic() - saved >= _SECONDS_BETWEEN_BLOCKS:
                _store(cache, unsaved, found)
                unsaved, saved = [], time.monotonic()
    _store(cache, unsaved, found)
    return found


def _store(cache: FeatureCache, keys: Sequence[bytes], found: dict[bytes, np.ndarray]) -> None:
    if keys:
        cache.write(keys, np.stack([found[key] for key in keys]))
