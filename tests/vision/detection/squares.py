"""Tiny pictures with squares of two colours on a dull ground, and where they are."""

from __future__ import annotations

import numpy as np

from headwater.data.boxes import Boxes
from headwater.data.pictures import Picture
from headwater.vision.locator import Scenes

COLOURS = ((220, 40, 40), (40, 80, 230))


def scene(seed: int, height: int = 64, width: int = 64) -> tuple[np.ndarray, Boxes]:
    """Pixels of one to three squares that do not touch, and their boxes."""
    random = np.random.default_rng(seed)
    pixels = random.integers(90, 130, (height, width, 3), np.uint8)
    places: list[list[int]] = []
    while len(places) < 1 + seed % 3:
        edge = int(random.integers(14, 24))
        left, top = int(random.integers(0, width - edge)), int(random.integers(0, height - edge))
        mine = [left, top, left + edge, top + edge]
        if all(mine[0] > p[2] or mine[2] < p[0] or mine[1] > p[3] or mine[3] < p[1] for p in places):
            places.append(mine)
    labels = random.integers(0, 2, len(places))
    for (left, top, right, bottom), label in zip(places, labels, strict=True):
        pixels[top:bottom, left:right] = COLOURS[label]
    return pixels, Boxes(np.array(places, np.float32), labels)


def scenes(count: int = 4, **size: int) -> Scenes:
    """So many of them, as a model learns from them."""
    made = [scene(seed, **size) for seed in range(count)]
    return Scenes([Picture.of(pixels) for pixels, _ in made], [boxes for _, boxes in made], 2)
