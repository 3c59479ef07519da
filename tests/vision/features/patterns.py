"""Tiny pictures without labels, each with a smooth pattern of its own, that views of it have in common."""

from __future__ import annotations

import numpy as np

from headwater.data.pictures import Picture, encode


def patterns(rows: int, side: int = 16, *, seed: int = 0) -> np.ndarray:
    """Pixels, uint8 of shape (rows, side, side, 3): a few waves of any direction and length, tinted."""
    random = np.random.default_rng(seed)
    down, across = np.mgrid[:side, :side] / side
    drawn = np.zeros((rows, side, side))
    for _ in range(3):
        up, along = random.normal(0, 5, (2, rows, 1, 1))
        drawn += np.sin(up * down + along * across + random.uniform(0, 2 * np.pi, (rows, 1, 1)))
    tint = random.uniform(0.5, 1, (rows, 1, 1, 3))
    return (128 + 40 * tint * drawn[..., None]).clip(0, 255).astype(np.uint8)


def pictures(rows: int, side: int = 16, *, seed: int = 0) -> list[Picture]:
    """The same as pictures, each the bytes of a PNG."""
    return [Picture(content=encode(one)) for one in patterns(rows, side, seed=seed)]
