"""An input as a page shows it: a text by its words, a picture by a small version of itself and its name."""

from __future__ import annotations

import base64
import io
from typing import Any, Final

import numpy as np

from headwater.data.duplicates import excerpt
from headwater.data.pictures import Picture, thumbnail
from headwater.data.raster import imaging

SIDE: Final = 96
"""Pixels along the longer edge of a picture on a page."""
_ADDRESS: Final = "data:image/jpeg;base64,"
_EXACT: Final = 64
"""Pixels along the longer edge up to which every pixel of a tile is kept: of so few, each can be seen."""
_TILE: Final = 160


def shown(value: Any, most: int = 160, *, between: str = " | ", side: int = SIDE) -> Any:
    """An input as JSON values that a page can show.

    Args:
        value: a text, a pair of texts or a picture.
        most: the characters of a text that are kept.
        between: what stands between the texts of a pair.
        side: the pixels along the longer edge of a picture.

    Returns:
        A text; of a picture its name as `text` and the address of a small JPEG, which holds its bytes, as `image`
        (empty where it cannot be read).

    Example:
        >>> shown(("a fine film", "dull"), 16)
        'a fine film | d…'
        >>> shown(Picture("gone.jpg"))
        {'image': '', 'text': 'gone.jpg'}
    """
    if isinstance(value, Picture):
        small = thumbnail(value, side)
        return {"image": _ADDRESS + base64.b64encode(small).decode("ascii") if small else "", "text": str(value)}
    return excerpt(between.join(map(str, value)) if isinstance(value, list | tuple) else str(value), most)


def tile(pixels: np.ndarray) -> str:
    """The address of a small image that holds these pixels: exactly, or of many pixels a reduced version as JPEG.

    Args:
        pixels: uint8 of shape (height, width, 1 or 3).

    Example:
        >>> tile(np.zeros((8, 8, 1), np.uint8))[:22], tile(np.zeros((200, 90, 3), np.uint8))[:23]
        ('data:image/png;base64,', 'data:image/jpeg;base64,')
    """
    image, stream = imaging().fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels), io.BytesIO()
    small = max(image.size) <= _EXACT
    image.thumbnail((_TILE, _TILE))
    image.save(stream, "PNG" if small else "JPEG", quality=80)
    return f"data:image/{'png' if small else 'jpeg'};base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"
