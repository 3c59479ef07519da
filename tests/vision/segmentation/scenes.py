"""Tiny pictures with masks: a bright square on a dark ground, and a darker bar below it."""

from __future__ import annotations

import numpy as np

from headwater.data.pictures import Picture
from headwater.data.raster import encode
from headwater.vision.locator import Scenes


def drawn(
    rows: int, height: int = 32, width: int = 32, *, channels: int = 3, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels, uint8 of shape (rows, height, width, channels), and class maps: 0 ground, 1 square, 2 bar, -1 void."""
    random = np.random.default_rng(seed)
    maps = np.zeros((rows, height, width), np.int16)
    for one in maps:
        top, left = random.integers(0, height // 2), random.integers(0, width // 2)
        one[-height // 5 :] = 2
        one[top : top + height // 3, left : left + width // 3] = 1
        one[0, 0] = -1
    shades = np.array([60, 220, 130, 0])[maps][..., None] * np.linspace(1, 0.6, channels)
    return (shades + random.normal(0, 12, (*maps.shape, channels))).clip(0, 255).astype(np.uint8), maps


def scenes(rows: int, height: int = 32, width: int = 32, *, channels: int = 3, seed: int = 0) -> Scenes:
    pixels, maps = drawn(rows, height, width, channels=channels, seed=seed)
    return Scenes([Picture(content=encode(one)) for one in pixels], list(maps), 3)


def table(rows: int, seed: int = 0) -> dict[str, list[bytes]]:
    """The same as columns of PNGs, void written as 255."""
    pixels, maps = drawn(rows, seed=seed)
    return {"image": [encode(one) for one in pixels], "mask": [encode(one.astype(np.uint8)) for one in maps]}
