"""Images with found boxes drawn on them, for people."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from headwater.data.box_cells import CORNERS
from headwater.data.masks import class_colours
from headwater.data.pictures import Picture, glance, opened_again
from headwater.data.raster import upright

if TYPE_CHECKING:
    from PIL import ImageDraw

_MOST: Final = 2048
"""Pixels along the longer edge: larger images are reduced."""
_LINE, _LETTERS = 400, 40
"""The longer edge is so many times as long as a line is wide, and as letters are high."""
_LEAST_LETTERS: Final = 10
_DARK: Final = 140
"""Below this brightness of a colour, letters on it are white."""


def drawn(picture: Picture, boxes: Sequence[Mapping[str, Any]], classes: Sequence[Any]) -> bytes:
    """A picture with boxes, as a JPEG; the surest lie on top.

    Args:
        picture: one that can be read.
        boxes: as an answer has them: `label`, `score`, and four edges in pixels of the picture as a person sees it.
        classes: all that there are: each has a colour of its own, the same on every picture.

    Raises:
        DataError: the picture cannot be read any more.

    Example:
        >>> import numpy as np
        >>> box = {"label": "cat", "score": 0.9, "left": 1, "top": 2, "right": 7, "bottom": 9}
        >>> drawn(Picture.of(np.zeros((12, 16), np.uint8)), [box], ["cat"])[:3].hex()
        'ffd8ff'
    """
    from PIL import ImageDraw, ImageFont

    with opened_again(picture) as image:
        image.draft("RGB", (_MOST, _MOST))
        canvas = upright(image, picture.white).convert("RGB")
    canvas.thumbnail((_MOST, _MOST))
    told, longer = glance(picture), max(canvas.size)
    scale = canvas.width / told.width, canvas.height / told.height
    colours = dict(zip(classes, map(tuple, class_colours(len(classes)).tolist()), strict=True))
    pen = ImageDraw.Draw(canvas)
    pen.font = ImageFont.load_default(max(_LEAST_LETTERS, longer // _LETTERS))
    for box in reversed(boxes):
        place = tuple(float(box[corner]) * scale[at % 2] for at, corner in enumerate(CORNERS))
        _draw(pen, place, _told(box), colours.get(box["label"], (255, 255, 255)), max(1, round(longer / _LINE)))
    stream = io.BytesIO()
    canvas.save(stream, "JPEG", quality=90, subsampling=0)
    return stream.getvalue()


def _told(box: Mapping[str, Any]) -> str:
    score = box.get("score")
    return f"{box['label']}" if score is None else f"{box['label']} {score:.2f}"


def _draw(
    pen: ImageDraw.ImageDraw, place: tuple[float, ...], told: str, colour: tuple[int, ...], width: int
) -> None:  # fmt: skip
    """A box, and what it is on a ground of its colour: above it, or within it at the top of the picture."""
    left, top, right, bottom = place
    pen.rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), outline=colour, width=width)
    _, _, wide, high = pen.textbbox((0, 0), told)
    below = top - high - 2 * width
    ground = (left, top if below < 0 else below)
    pen.rectangle((*ground, ground[0] + wide + 2 * width, ground[1] + high + 2 * width), fill=colour)
    bright = (299 * colour[0] + 587 * colour[1] + 114 * colour[2]) / 1000
    pen.text((ground[0] + width, ground[1] + width), told, fill=(255, 255, 255) if bright < _DARK else (0, 0, 0))
