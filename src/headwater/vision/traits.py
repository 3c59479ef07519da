"""What a person can check of images: their size, their shape, how bright and how colourful they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headwater.data.pictures import THUMB, Picture, glance
from headwater.data.traits import Traits


def picture_traits(pictures: Sequence[Picture]) -> Traits:
    """Width and height in pixels, their ratio, brightness, contrast and colourfulness (0 to 255), and the grey ones.

    Example:
        >>> from headwater.data.raster import encode
        >>> traits = picture_traits([Picture(content=encode(np.full((4, 8), 255, np.uint8)))])
        >>> {name: values.tolist() for name, values in traits.numbers.items() if name in ("width", "brightness")}
        {'width': [8.0], 'brightness': [255.0]}
    """
    seen = [glance(picture) for picture in pictures]
    colours = np.array([one.colour for one in seen], dtype=np.float64).reshape(-1, 3)
    thumbs = np.array([np.frombuffer(one.thumb, np.uint8) for one in seen], dtype=np.float64).reshape(-1, THUMB**2)
    width, height = (np.array([getattr(one, side) for one in seen], dtype=np.float64) for side in ("width", "height"))
    return Traits(
        numbers={
            "width": width,
            "height": height,
            "width to height": width / np.maximum(height, 1),
            "brightness": thumbs.mean(axis=1),
            "contrast": thumbs.std(axis=1),
            "colourfulness": colours.max(axis=1, initial=0) - colours.min(axis=1, initial=255),
        },
        shares={"colours": {"grey": np.array([float(one.grey) for one in seen])}},
    )
