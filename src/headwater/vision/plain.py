"""What pictures tell by themselves, before any model has learnt: the main directions of their small pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headwater.data.pictures import Picture
from headwater.vision.pixels import decoded, is_grey

_SIDE = 16
_WIDTH = 64
_NOTHING = 1e-9
"""The share of the largest variance below which there is none."""


def principal(pictures: Sequence[Picture]) -> np.ndarray:
    """Small pictures in their own principal directions (eigenfaces; Turk and Pentland 1991).

    Args:
        pictures: readable ones, from which the directions are found as well.

    Returns:
        float32 of shape (rows, 2 to 64), the directions of most variance first; together they have the variance of the
        small pixels, measured in units of their overall deviation. Directions have the sign that makes the largest of
        their weights positive. Equal pictures tell nothing: one column of ones.

    Example:
        >>> from headwater.data.pictures import encode
        >>> dark, bright = (Picture(content=encode(np.full((8, 8), shade, np.uint8))) for shade in (0, 255))
        >>> principal([dark, bright, bright]).round().tolist()
        [[-23.0, 0.0], [11.0, 0.0], [11.0, 0.0]]
    """
    small = decoded(pictures, _SIDE, grey=is_grey(pictures)).astype(np.float64) / 255
    if not (small != small[:1]).any():
        return np.ones((len(small), 1), np.float32)
    centred = (small - small.mean(axis=0)).reshape(len(small), -1)
    spread = float(np.sqrt(np.mean(centred**2)))
    variances, axes = np.linalg.eigh(centred.T @ centred)
    width = max(2, min(_WIDTH, int((variances > variances[-1] * _NOTHING).sum())))
    variances, axes = variances[::-1][:width], axes[:, ::-1][:, :width]
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(width)]
    found = centred @ (axes * np.sign(largest)) / spread
    # What is left of a direction without variance is rounding, which whoever standardises would take for a feature.
    found[:, variances <= variances[0] * _NOTHING] = 0
    return found.astype(np.float32)
