"""Copies among pictures: exact where the files are the same, and near where small grey versions of them are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np

from headwater.data.groups import join, pairs_of
from headwater.data.pictures import THUMB, Glance, Picture, look

NEAR: Final = 0.07
"""The most by which the grey versions (16 x 16) of two near duplicates differ, as a share of their contrast.

The difference is the root mean square after both were brought to mean 0 and standard deviation 1; `_NOISE` grey levels
are forgiven beside it, but no more than `_MOST_NOISE`, since at little contrast they would be a third of all there is
to see. Faint pictures, of less contrast than `_FAINT`, must be the same but for `_EXACT` grey levels: else one drawing
would be joined with another, and one saved anew as JPEG is often missed. Measured (`benchmarks/picture_copies.py`) on
18,162 distinct images, 7,000 digits of MNIST, 6,500 of CIFAR-10, 397 ants and bees, 400 faces of 40 persons, 3,865
chest X-rays of 28 pixels: of the 53 million pairs within these sets none is as near as this, and at 0.08 one is. Of
their copies are found, in the order of the sets:

- saved as JPEG of quality 60: 100, 99, 100, 100, 95 %;
- made smaller by a quarter: 100, 100, 100, 100, 100 %;
- brightened by 10 %: 100, 98, 97, 100, 100 %;
- all three at once: 53, 68, 97, 100, 55 %, the low shares being those of images of 28 and 32 pixels.
"""
_NOISE: Final = 1.5
_MOST_NOISE: Final = 0.05
_FAINT: Final = 20.0
_EXACT: Final = 1.0
"""Grey levels, of which the rounding of two grey versions makes 0.4."""
_CONTRAST: Final = 1.25
_BRIGHTNESS: Final = 32
_TINT: Final = (3, 0.1)
"""What the mean of red less green, and of blue less green, may differ by: grey levels, and a share of the larger."""
_FLAT: Final = 4.0
"""A picture of less contrast, in grey levels, is blank to this measure: only its shade, colour and shape are left."""
_SAME_SHADE: Final = 0.5
_SAME_SHAPE: Final = 0.02

_WAVES: Final = 5
_BANDS: Final = 16
_BAND_CUTS: Final = 4
_CELL: Final = 1.5
_NEIGHBOURS: Final = 3
_PAIRS_AT_ONCE: Final = 32_768


def exact(pictures: Sequence[Picture]) -> np.ndarray:
    """For each row, the first row whose picture has the same bytes, shape (rows,)."""
    first: dict[object, int] = {}
    seen = zip(pictures, look(pictures), strict=True)
    return np.array([first.setdefault(one.digest or picture, row) for row, (picture, one) in enumerate(seen)], np.int64)


def clusters(pictures: Sequence[Picture]) -> np.ndarray:
    """For each row, the first row of its cluster of exact and near duplicates, shape (rows,).

    Candidates come from random projections of the low frequencies of the grey versions, cut into cells, in bands
    (Datar et al. 2004); each is then measured exactly. Time and memory grow with the rows: within a cell a row is
    compared with the next three along one more projection.

    Example:
        >>> ramp = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
        >>> clusters([Picture.of(ramp), Picture.of(ramp[::-1]), Picture.of(ramp[::2, ::2])]).tolist()
        [0, 1, 0]
    """
    same = exact(pictures)
    distinct = np.unique(same)
    seen = look([pictures[row] for row in distinct.tolist()])
    readable = np.flatnonzero([one.reason is None for one in seen])
    near = readable[_near([seen[row] for row in readable.tolist()])]
    return distinct[join(len(distinct), near)][np.searchsorted(distinct, same)]


def _near(seen: Sequence[Glance]) -> np.ndarray:
    """Pairs (n, 2) of near duplicates among glances at readable pictures."""
    thumbs = np.frombuffer(b"".join(one.thumb for one in seen), np.uint8).reshape(-1, THUMB**2).astype(np.float32)
    colours = np.array([one.colour for one in seen], np.float32).reshape(-1, 3)
    shapes = np.log([one.width / one.height for one in seen])
    contrast = thumbs.std(axis=1)
    blank, drawn = np.flatnonzero(contrast < _FLAT), np.flatnonzero(contrast >= _FLAT)
    return np.concatenate([
        blank[_near_blanks(thumbs[blank], colours[blank], shapes[blank])],
        drawn[_near_drawn(thumbs[drawn], colours[drawn])],
    ])  # fmt: skip


def _near_blanks(thumbs: np.ndarray, colours: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """Pairs of blank pictures of the same shade, colour and shape."""

    def alike(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return (
            (np.abs(colours[left] - colours[right]).max(axis=1) <= 1)
            & (np.abs(shapes[left] - shapes[right]) <= _SAME_SHAPE)
            & (_rms(thumbs[left] - thumbs[right]) <= _SAME_SHADE)
        )

    return _measured(pairs_of(list(_next_to(np.lexsort((shapes, *colours.T)))), len(thumbs)), alike)


def _near_drawn(thumbs: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Pairs of pictures with a drawing: the same but for a little noise, brightness and contrast."""
    brightness, contrast = thumbs.mean(axis=1), thumbs.std(axis=1)
    shades = (thumbs - brightness[:, np.newaxis]) / contrast[:, np.newaxis]
    low = shades @ _low_frequencies()
    tints = colours[:, [0, 2]] - colours[:, [1]]

    def most(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        levels = np.sqrt(contrast[left] * contrast[right])
        limit = NEAR + np.minimum(_NOISE / levels, _MOST_NOISE)
        return np.where(levels < _FAINT, np.minimum(limit, _EXACT / levels), limit)

    def may_be(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        tint = np.maximum(np.abs(tints[left]), np.abs(tints[right]))
        ratio = contrast[left] / contrast[right]
        # The low frequencies are a part of the whole difference, so that where they are too much, the whole is.
        return (
            (np.square(low[left] - low[right]).sum(axis=1) <= np.square(THUMB * most(left, right)))
            & (np.abs(brightness[left] - brightness[right]) <= _BRIGHTNESS)
            & (np.maximum(ratio, 1 / ratio) <= _CONTRAST)
            & (np.abs(tints[left] - tints[right]) <= _TINT[0] + _TINT[1] * tint).all(axis=1)
        )

    def alike(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return _rms(shades[left] - shades[right]) <= most(left, right)

    return _measured(_measured(_candidates(low), may_be), alike)


def _candidates(low: np.ndarray) -> np.ndarray:
    """Pairs (n, 2) of rows that fall into the same cell of at least one band, side by side there."""
    draw = np.random.default_rng(0)
    codes = [np.empty(0, np.int64)]
    for _ in range(_BANDS):
        directions = draw.standard_normal((low.shape[1], _BAND_CUTS + 1)).astype(np.float32)
        along = low @ (directions / np.linalg.norm(directions, axis=0))
        cells = np.floor(along[:, :-1] / _CELL + draw.uniform(size=_BAND_CUTS)).astype(np.int64)
        order = np.lexsort((along[:, -1], *cells.T))
        codes.extend(_next_to(order, cells))
    return pairs_of(codes, len(low))


def _next_to(order: np.ndarray, cells: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """Each row with the few after it in an order, if they are of one cell, as low * rows + high."""
    for step in range(1, _NEIGHBOURS + 1):
        left, right = order[:-step], order[step:]
        if cells is not None:
            together = (cells[left] == cells[right]).all(axis=1)
            left, right = left[together], right[together]
        yield np.minimum(left, right) * len(order) + np.maximum(left, right)


def _measured(pairs: np.ndarray, alike: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    """The pairs that are alike, measured some at a time."""
    parts = [pairs[start : start + _PAIRS_AT_ONCE] for start in range(0, len(pairs), _PAIRS_AT_ONCE)]
    return np.concatenate([pairs[:0], *(part[alike(*part.T)] for part in parts)])


def _rms(differences: np.ndarray) -> np.ndarray:
    return np.sqrt(np.square(differences).mean(axis=1))


def _low_frequencies() -> np.ndarray:
    """The lowest waves of the discrete cosine transform without the constant, orthonormal, shape (THUMB^2, waves)."""
    places = (np.arange(THUMB) + 0.5) / THUMB
    waves = np.cos(np.pi * np.outer(np.arange(_WAVES), places)) * np.sqrt(2 / THUMB)
    waves[0] /= np.sqrt(2)
    both = np.einsum("ux,vy->uvxy", waves, waves).reshape(_WAVES**2, THUMB**2)
    return both[1:].T.astype(np.float32)
