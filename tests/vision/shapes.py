"""Tiny pictures of two classes that no single pixel tells: stripes that lie or stand, with noise and any phase."""

from __future__ import annotations

import numpy as np

from headwater.data.pictures import Picture, encode


def stripes(rows: int, side: int = 16, *, channels: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pixels, uint8 of shape (rows, side, side, channels), and classes: 0 where stripes lie, 1 where they stand."""
    random = np.random.default_rng(seed)
    targets = np.arange(rows) % 2
    phase, tint = random.uniform(0, 2 * np.pi, (rows, 1, 1, 1)), random.uniform(0.5, 1, (rows, 1, 1, channels))
    down, across = np.mgrid[:side, :side][:, None, :, :, None]
    waves = np.sin(np.where(targets[:, None, None, None] == 0, down, across) * (2 * np.pi / 6) + phase)
    noisy = 128 + tint * (80 * waves + random.normal(0, 20, (rows, side, side, channels)))
    return noisy.clip(0, 255).astype(np.uint8), targets


def pictures(rows: int, side: int = 16, *, channels: int = 3, seed: int = 0) -> tuple[list[Picture], np.ndarray]:
    """The same as pictures, each the bytes of a PNG."""
    pixels, targets = stripes(rows, side, channels=channels, seed=seed)
    return [Picture(content=encode(one)) for one in pixels], targets
