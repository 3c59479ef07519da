"""Images for the tests of the data room: smooth, and no two alike."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from headwater.data.pictures import Picture


def clouds(seed: int, width: int = 48, height: int = 32) -> Image.Image:
    """Soft blots of colour at random places."""
    random = np.random.default_rng(seed)
    grid = random.integers(0, 256, (5, 5, 3)).astype(np.uint8)
    return Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)


def saved(image: Image.Image, kind: str = "PNG", **how: Any) -> bytes:
    """The bytes of a file of a kind."""
    stream = io.BytesIO()
    image.save(stream, kind, **how)
    return stream.getvalue()


def picture(image: Image.Image, kind: str = "PNG", **how: Any) -> Picture:
    return Picture(content=saved(image, kind, **how))
