"""Pictures that look like photographs to a compressor: soft shapes with some noise."""

from __future__ import annotations

import io

import numpy as np

from headwater.data.pictures import Picture


def photograph(seed: int, width: int = 320, height: int = 240) -> Picture:
    """A picture of soft coloured waves, as the bytes of a PNG."""
    from PIL import Image

    random = np.random.default_rng(seed)
    down, across = np.mgrid[0:height, 0:width] / height
    waves = [np.sin(random.uniform(2, 14) * down + random.uniform(2, 14) * across + seed) for _ in range(3)]
    pixels = 128 + 90 * np.stack(waves, axis=2) + random.normal(0, 6, (height, width, 3))
    stream = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(stream, "PNG")
    return Picture(content=stream.getvalue())
