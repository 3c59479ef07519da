"""Pictures with their known and their found masks laid over them, as small images inside a page."""

from __future__ import annotations

import base64
import heapq
import io
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from headwater.data.masks import class_colours
from headwater.data.pictures import Picture
from headwater.data.raster import UnreadableError, imaging, opened, upright

_SIDE: Final = 176
"""Pixels along the longer edge."""
_WORST, _TYPICAL, _KEPT = 6, 3, 24
_STRENGTH: Final = 0.55
_SHADES: Final = 64
_ADDRESS: Final = "data:image/png;base64,"
_VOID: Final = (127, 127, 127)


class Overlays:
    """Keeps the pictures that were answered worst, and some by chance of which those about the median are typical.

    Memory does not grow with the pictures: of each that is kept, its masks are kept as small as they are shown.

    Example:
        >>> kept = Overlays()
        >>> kept.update(Picture("a.png"), np.array([[0, 1]]), np.array([[0, 0]]), 0.25, "a.png")
        >>> [(one["kind"], one["score"], one["input"]["text"]) for one in kept.rows(2)]
        [('worst', 0.25, 'a.png')]
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._worst: list[tuple[float, int, dict[str, Any]]] = []
        self._any: list[tuple[float, int, dict[str, Any]]] = []
        self._scores: list[float] = []

    def update(self, picture: Picture, known: np.ndarray, found: np.ndarray, score: float, place: str) -> None:
        """Looks at a picture, its class maps of shape (height, width), and how good the answer is."""
        row = len(self._scores)
        self._scores.append(score)
        kept: dict[str, Any] | None = None
        if len(self._worst) < _WORST or -score > self._worst[0][0]:
            kept = _small(picture, known, found, place)
            push = heapq.heappush if len(self._worst) < _WORST else heapq.heapreplace
            push(self._worst, (-score, -row, kept))
        chosen = row if row < _KEPT else int(self._random.integers(0, row + 1))
        if chosen < _KEPT:
            entry = (score, row, kept or _small(picture, known, found, place))
            self._any[chosen : chosen + 1] = [entry]

    def rows(self, n_classes: int) -> list[dict[str, Any]]:
        """The worst pictures, then typical ones, as the report shows them."""
        worst = [
            (-score, -row, kept) for score, row, kept in sorted(self._worst, key=lambda one: one[:2], reverse=True)
        ]
        there = {row for _, row, _ in worst}
        middle = float(np.median(self._scores)) if self._scores else 0.0
        others = sorted(
            (one for one in self._any if one[1] not in there), key=lambda one: (abs(one[0] - middle), one[1])
        )
        groups = (("worst", worst), ("typical", others[:_TYPICAL]))
        return [
            {"kind": kind, "score": score, **_drawn(kept, n_classes)}
            for kind, ones in groups
            for score, _, kept in ones
        ]


def legend(classes: Sequence[Any]) -> list[dict[str, Any]]:
    """The colour of each class, as a page writes it.

    Example:
        >>> legend(["road"])[0]["class"], len(legend(["road"])[0]["colour"])
        ('road', 7)
    """
    colours = class_colours(len(classes))
    return [{"class": name, "colour": f"#{bytes(colour).hex()}"} for name, colour in zip(classes, colours, strict=True)]


def over(base: np.ndarray, mask: np.ndarray, n_classes: int) -> np.ndarray:
    """A picture with the colours of its mask laid over it, float32 of the shape of the picture.

    Args:
        base: from 0 to 255, shape (height, width, 1 or 3).
        mask: class positions, shape (height, width); -1 is void, and grey.
        n_classes: how many classes there are.
    """
    colours = np.vstack([class_colours(n_classes), _VOID]).astype(np.float32)
    return (1 - _STRENGTH) * base.astype(np.float32) + _STRENGTH * colours[mask]


def _small(picture: Picture, known: np.ndarray, found: np.ndarray, place: str) -> dict[str, Any]:
    high, wide = known.shape
    scale = min(1.0, _SIDE / max(high, wide))
    size = (max(1, round(scale * high)), max(1, round(scale * wide)))
    down, across = (
        ((np.arange(new) + 0.5) * old / new).astype(int) for new, old in zip(size, (high, wide), strict=True)
    )
    masks = [np.asarray(one)[down[:, None], across] for one in (known, found)]
    return {"picture": picture, "masks": masks, "place": place}


def _drawn(kept: dict[str, Any], n_classes: int) -> dict[str, Any]:
    high, wide = kept["masks"][0].shape
    try:
        with opened(kept["picture"].read()) as image:
            image.draft("RGB", (wide, high))
            base = np.asarray(upright(image, kept["picture"].white).convert("RGB").resize((wide, high)), np.float32)
    except UnreadableError:
        base = np.full((high, wide, 3), 255, np.float32)
    plain, known, found = _address(base), *(_address(over(base, mask, n_classes)) for mask in kept["masks"])
    return {
        "input": {"image": plain, "text": str(kept["picture"])}, "known": known, "found": found, "place": kept["place"],
    }  # fmt: skip


def _address(pixels: np.ndarray) -> str:
    """The address of a small PNG, which holds its bytes."""
    stream = io.BytesIO()
    imaging().fromarray(pixels.clip(0, 255).astype(np.uint8)).quantize(_SHADES).save(stream, "PNG", optimize=True)
    return _ADDRESS + base64.b64encode(stream.getvalue()).decode("ascii")
