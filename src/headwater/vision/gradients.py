"""Histograms of oriented gradients (Dalal and Triggs, Histograms of oriented gradients for human detection, 2005)."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

CELL: Final = 8
"""Pixels along each edge of a cell."""
DIRECTIONS: Final = 9
_CLIP: Final = 0.2
_LEAST: Final = 1e-2


def histograms(pictures: np.ndarray) -> np.ndarray:
    """In which directions brightness changes, cell by cell, within blocks of two by two cells.

    A pixel votes with the size of its gradient, which is that of the channel where it is largest, for the two nearest
    of nine directions from 0 to 160 degrees; its sign does not count. Each block, a step of one cell from the next, is
    brought to length one, clipped at 0.2 and brought to length one again. Here a pixel votes in its own cell alone.

    Args:
        pictures: pixels from 0 to 1 of shape (rows, side, side, channels); the side is a multiple of `CELL`.

    Returns:
        float32 of shape (rows, blocks * blocks * 4 * DIRECTIONS), where blocks is side / CELL - 1.

    Example:
        >>> edge = np.zeros((1, 16, 16, 1), np.float32)
        >>> edge[:, :, 8:] = 1
        >>> histograms(edge).reshape(4, DIRECTIONS).argmax(axis=1).tolist()
        [0, 0, 0, 0]
    """
    cells = _cells(pictures)
    neighbours = [
        cells[:, down : down - 1 or None, across : across - 1 or None] for down in (0, 1) for across in (0, 1)
    ]
    blocks = np.concatenate(neighbours, axis=3)
    blocks = np.minimum(_of_length_one(blocks), _CLIP)
    return _of_length_one(blocks).reshape(len(pictures), math.prod(blocks.shape[1:])).astype(np.float32)


def _cells(pictures: np.ndarray) -> np.ndarray:
    """The votes of each cell, shape (rows, cells, cells, DIRECTIONS)."""
    rows, side, _, channels = pictures.shape
    padded = np.pad(pictures, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    across = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    down = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    size = across**2 + down**2
    if channels > 1:
        steepest = size.argmax(axis=3)[..., None]
        across, down, size = (np.take_along_axis(part, steepest, axis=3) for part in (across, down, size))
    place = np.arctan2(down, across)[..., 0] % np.pi * (DIRECTIONS / np.pi)
    lower, size = np.floor(place), np.sqrt(size[..., 0])
    share = size * (place - lower)
    cells = side // CELL
    along = np.arange(side) // CELL
    cell = np.arange(rows)[:, None, None] * cells**2 + along[:, None] * cells + along
    lower = lower.astype(np.intp)
    votes = np.zeros(rows * cells**2 * DIRECTIONS)
    for near, vote in ((lower, size - share), (lower + 1, share)):
        votes += np.bincount((cell * DIRECTIONS + near % DIRECTIONS).ravel(), vote.ravel(), len(votes))
    return votes.reshape(rows, cells, cells, DIRECTIONS)


def _of_length_one(blocks: np.ndarray) -> np.ndarray:
    return blocks / np.sqrt((blocks**2).sum(axis=3, keepdims=True) + _LEAST**2)
