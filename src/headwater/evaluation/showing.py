"""An input as a page shows it: a text by its words, a picture by a small version of itself and its name."""

from __future__ import annotations

import base64
from typing import Any, Final

from headwater.data.duplicates import excerpt
from headwater.data.pictures import Picture, thumbnail

SIDE: Final = 96
"""Pixels along the longer edge of a picture on a page."""
_ADDRESS: Final = "data:image/jpeg;base64,"


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
