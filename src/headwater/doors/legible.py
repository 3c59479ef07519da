"""Answers as a person reads them in a line or a few: boxes, masks and features would fill a terminal as they are."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

_SHOWN: Final = 2
"""Numbers of a list of features."""
_CLASSES: Final = 4
"""Classes of a mask, the largest first."""


def legible(answer: Any, names: Mapping[int, Any] | None = None) -> Any:
    """An answer in few words; labels and what else is short already stay as they are.

    Args:
        answer: as `predict` gives it.
        names: of a mask what the numbers of its pixels stand for.

    Example:
        >>> print(legible([{"label": "cat", "score": 0.934, "left": 4.2, "top": 4, "right": 20, "bottom": 19.8}]))
        cat 0.93 (4, 4, 20, 20)
        >>> legible([]), legible([0.123, -0.031, 2.0]), legible("good"), legible(["art", "law"])
        ('nothing found', '[0.12, -0.03, ... 3 numbers]', 'good', ['art', 'law'])
    """
    if isinstance(answer, bytes):
        return _shares(answer, names or {})
    if not isinstance(answer, list):
        return answer
    if answer and all(isinstance(one, Mapping) and "item" in one for one in answer):
        return ", ".join(str(one["item"]) for one in answer)
    if answer and all(isinstance(one, Mapping) for one in answer):
        return "\n".join(map(_box, answer))
    if answer and all(isinstance(one, float) for one in answer):
        numbers = ", ".join(f"{number:.2f}" for number in answer[:_SHOWN])
        return f"[{numbers}, ... {len(answer)} numbers]"
    return answer or "nothing found"


def _box(box: Mapping[str, Any]) -> str:
    edges = ", ".join(f"{box[edge]:.0f}" for edge in ("left", "top", "right", "bottom"))
    return f"{box['label']} {box['score']:.2f} ({edges})"


def _shares(png: bytes, names: Mapping[int, Any]) -> str:
    """Which share of a mask each class has, the largest first."""
    from headwater.data.raster import imaging

    with imaging().open(io.BytesIO(png)) as image:
        counts = np.bincount(np.asarray(image).ravel())
    order = [int(number) for number in np.argsort(-counts, kind="stable") if counts[number]]
    told = [f"{names.get(number, number)} {100 * counts[number] / counts.sum():.0f} %" for number in order[:_CLASSES]]
    rest = len(order) - len(told)
    return ", ".join([*told, *([f"{rest} more"] if rest else [])])
