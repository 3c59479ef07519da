"""Regions of like colour (Felzenszwalb and Huttenlocher, Efficient graph-based image segmentation, 2004)."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.ndimage import gaussian_filter

_BLUR: Final = 0.8
_NEXT: Final = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Lines down and columns to the right of the neighbours of a pixel that do not come before it."""


def segments(channels: np.ndarray, scale: float, least: int) -> np.ndarray:
    """Which region each pixel is of.

    Pixels are joined along the edges between neighbours, those of least difference first: two regions become one when
    they differ no more than either does within itself, of which a small region is granted more.

    Args:
        channels: colours from 0 to 255, shape (height, width, channels).
        scale: what each region is granted, divided by its pixels; the larger, the larger the regions.
        least: a region of fewer pixels joins the neighbour that it differs from least.

    Returns:
        Numbers from 0 on, int64 of shape (height, width).

    Example:
        >>> halves = np.zeros((8, 8, 1))
        >>> halves[:, 4:] = 200
        >>> segments(halves, 10, 20)[0].tolist()
        [0, 0, 0, 0, 1, 1, 1, 1]
    """
    first, second, weights = _edges(gaussian_filter(channels.astype(np.float32), (_BLUR, _BLUR, 0)))
    forest = _Forest(np.ones(channels.shape[0] * channels.shape[1], int))
    forest.join_alike(first, second, weights, scale)
    region = forest.numbers()
    apart = region[first] != region[second]
    forest = _Forest(np.bincount(region))
    forest.join_small(region[first[apart]], region[second[apart]], least)
    return forest.numbers()[region].reshape(channels.shape[:2])


def _edges(smooth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both ends and the weight of every edge between neighbouring pixels, the lightest first."""
    height, width = smooth.shape[:2]
    pixel = np.arange(height * width).reshape(height, width)
    ends, weights = [], []
    for down, right in _NEXT:
        here = slice(0, height - down), slice(max(0, -right), width - max(0, right))
        there = slice(down, height), slice(max(0, right), width + min(0, right))
        ends.append(np.stack([pixel[here].ravel(), pixel[there].ravel()]))
        weights.append(np.sqrt(np.square(smooth[here] - smooth[there]).sum(axis=2)).ravel())
    (first, second), weight = np.concatenate(ends, axis=1), np.concatenate(weights)
    order = np.argsort(weight, kind="stable")
    return first[order], second[order], weight[order]


class _Forest:
    """Sets that grow together, each a tree. Lists, since single numbers are read faster from them than from arrays.

    Args:
        sizes: pixels of each part, shape (parts,).
    """

    def __init__(self, sizes: np.ndarray) -> None:
        self._size: list[int] = sizes.tolist()
        self._parent = list(range(len(self._size)))

    def join_alike(self, first: np.ndarray, second: np.ndarray, weights: np.ndarray, scale: float) -> None:
        """Joins along edges, the lightest first, whose weight neither side finds too large."""
        parent, size = self._parent, self._size
        granted = [scale / own for own in size]
        for one, other, weight in zip(first.tolist(), second.tolist(), weights.tolist(), strict=True):
            left, right = one, other
            # Written out, for it runs a million times: the way up to the root, halved as it is gone.
            while parent[left] != left:
                parent[left] = left = parent[parent[left]]
            while parent[right] != right:
                parent[right] = right = parent[parent[right]]
            if left != right and weight <= granted[left] and weight <= granted[right]:
                left = self._join(left, right)
                granted[left] = weight + scale / size[left]

    def join_small(self, first: np.ndarray, second: np.ndarray, least: int) -> None:
        """Joins along edges where one side is too small."""
        for one, other in zip(first.tolist(), second.tolist(), strict=True):
            left, right = self._root(one), self._root(other)
            if left != right and min(self._size[left], self._size[right]) < least:
                self._join(left, right)

    def numbers(self) -> np.ndarray:
        """The number of the set of each part, from 0 on in the order of their first parts, shape (parts,)."""
        roots = np.array([self._root(part) for part in range(len(self._parent))])
        _, firsts, number = np.unique(roots, return_index=True, return_inverse=True)
        return np.argsort(np.argsort(firsts))[number]

    def _root(self, part: int) -> int:
        parent = self._parent
        while parent[part] != part:
            parent[part] = part = parent[parent[part]]
        return part

    def _join(self, left: int, right: int) -> int:
        if self._size[left] < self._size[right]:
            left, right = right, left
        self._parent[right] = left
        self._size[left] += self._size[right]
        return left
