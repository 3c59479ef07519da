"""Where something may be: selective search (Uijlings et al., Selective search for object recognition, 2013)."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.ndimage import gaussian_filter

from headwater.vision.detection.segments import segments

VERSION: Final = 1
"""Changes when the same picture gets other proposals."""
_SCALE: Final = 50.0
_LEAST_PIXELS: Final = 25
_COLOURS: Final = 25
_DIRECTIONS: Final = 8
_STEEPNESSES: Final = 10
_WHITE: Final = (0.95047, 1.0, 1.08883)
_TO_XYZ: Final = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))


def selective_search(pixels: np.ndarray, most: int = 1000, seed: int = 0) -> np.ndarray:
    """Boxes around regions that belong together, at all sizes.

    A picture is cut into small regions of like colour. The two neighbours that are most alike become one, again and
    again until all is one region, and the box around every region on the way is a proposal. That is done in two colour
    spaces and by two measures of likeness: of colour, texture, size and fit, and of these without colour.

    Args:
        pixels: uint8 of shape (height, width, 3).
        most: how many boxes at most; the larger regions tend to come first, as drawn by the seed.
        seed: of that draw.

    Returns:
        Left, top, right and bottom, float32 of shape (boxes, 4), no two of them the same.

    Example:
        >>> picture = np.full((32, 32, 3), 40, np.uint8)
        >>> picture[8:24, 4:20] = 200
        >>> [4.0, 8.0, 20.0, 24.0] in selective_search(picture).tolist()
        True
    """
    random = np.random.default_rng(seed)
    boxes, ranks = [], []
    for space in (_hsv, _lab):
        channels = space(pixels.astype(np.float32) / 255)
        start = Regions.of(channels, segments(channels, _SCALE, _LEAST_PIXELS))
        for coloured in (True, False):
            found = grouped(start, coloured=coloured)
            boxes.append(found)
            # From the last, which is the whole picture, to the first: the lower, the sooner it is taken.
            ranks.append(np.arange(len(found), 0, -1) * random.random(len(found)))
    places = np.concatenate(boxes)[np.argsort(np.concatenate(ranks), kind="stable")]
    _, firsts = np.unique(places, axis=0, return_index=True)
    return places[np.sort(firsts)[:most]]


@dataclass(frozen=True)
class Regions:
    """The regions of a picture.

    Attributes:
        boxes: left, top, right and bottom, shape (regions, 4).
        sizes: the share of the picture's pixels, shape (regions,).
        colours: how often each shade of each channel occurs, summing to 1, shape (regions, bins).
        textures: how often each steepness in each direction occurs, summing to 1, shape (regions, bins).
        neighbours: pairs of regions that touch, the lower number first, shape (pairs, 2).
        area: pixels of the picture.
    """

    boxes: np.ndarray
    sizes: np.ndarray
    colours: np.ndarray
    textures: np.ndarray
    neighbours: np.ndarray
    area: int

    @classmethod
    def of(cls, channels: np.ndarray, numbers: np.ndarray) -> Regions:
        """The regions that the pixels of a picture are numbered by.

        Args:
            channels: colours from 0 to 255, shape (height, width, channels).
            numbers: of the region of each pixel, from 0 on, shape (height, width).
        """
        count, area = int(numbers.max()) + 1, numbers.size
        down, across = np.indices(numbers.shape)
        boxes = np.empty((count, 4), np.float32)
        boxes[:, :2], boxes[:, 2:] = max(numbers.shape), 0
        for edge, (places, best) in enumerate(
            ((across, np.minimum), (down, np.minimum), (across + 1, np.maximum), (down + 1, np.maximum))
        ):
            best.at(boxes[:, edge], numbers.ravel(), places.ravel().astype(np.float32))
        pairs = np.concatenate([
            np.stack([numbers[:, :-1].ravel(), numbers[:, 1:].ravel()], axis=1),
            np.stack([numbers[:-1].ravel(), numbers[1:].ravel()], axis=1),
        ])  # fmt: skip
        touching = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
        sizes = np.bincount(numbers.ravel(), minlength=count) / area
        colours = _histograms(channels, numbers, _COLOURS, 256.0)
        return cls(boxes, sizes, colours, _textures(channels, numbers), touching, area)


def grouped(start: Regions, *, coloured: bool) -> np.ndarray:
    """The box of every region on the way from the first regions to the whole picture, in the order of their making.

    Args:
        start: the first regions.
        coloured: whether it counts that regions are of one colour.
    """
    tree = _Tree(start, coloured=coloured)
    while tree.queue:
        _, one, other = heapq.heappop(tree.queue)
        if tree.alive[one] and tree.alive[other]:
            tree.join(one, other)
    return tree.boxes[: tree.count]


class _Tree:
    """Regions that are being grouped: those of the start, and one more for each two that were joined."""

    def __init__(self, start: Regions, *, coloured: bool) -> None:
        self.count, most = len(start.boxes), 2 * len(start.boxes) - 1
        self.coloured, self.area = coloured, start.area
        self.boxes, self.sizes, self.colours, self.textures = (
            np.concatenate([values, np.zeros((most - self.count, *values.shape[1:]), values.dtype)])
            for values in (start.boxes, start.sizes, start.colours, start.textures)
        )
        self.alive = [True] * self.count
        self.beside: list[set[int]] = [set() for _ in range(self.count)]
        for one, other in start.neighbours.tolist():
            self.beside[one].add(other)
            self.beside[other].add(one)
        first, second = start.neighbours[:, 0], start.neighbours[:, 1]
        likeness = self.likeness(first, second).tolist()
        self.queue = [(-value, *pair) for value, pair in zip(likeness, start.neighbours.tolist(), strict=True)]
        heapq.heapify(self.queue)

    def likeness(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """How much regions belong together, shape (pairs,): 0 to 4, or to 3 where colour does not count."""
        both = self.sizes[first] + self.sizes[second]
        low = np.minimum(self.boxes[first, :2], self.boxes[second, :2])
        high = np.maximum(self.boxes[first, 2:], self.boxes[second, 2:])
        frame = (high - low).prod(axis=1) / self.area
        found = np.minimum(self.textures[first], self.textures[second]).sum(axis=1) + (1 - both) + (1 - (frame - both))
        if self.coloured:
            found = found + np.minimum(self.colours[first], self.colours[second]).sum(axis=1)
        return found

    def join(self, one: int, other: int) -> None:
        """Makes one region of two."""
        made, pair = self.count, [one, other]
        self.count += 1
        size = self.sizes[pair]
        self.sizes[made] = size.sum()
        for values in (self.colours, self.textures):
            values[made] = size @ values[pair] / size.sum()
        self.boxes[made, :2], self.boxes[made, 2:] = self.boxes[pair, :2].min(axis=0), self.boxes[pair, 2:].max(axis=0)
        beside = (self.beside[one] | self.beside[other]) - {one, other}
        for neighbour in beside:
            self.beside[neighbour] -= {one, other}
            self.beside[neighbour].add(made)
        self.alive[one] = self.alive[other] = False
        self.alive.append(True)
        self.beside.append(beside)
        others = np.array(sorted(beside), int)
        likeness = self.likeness(others, np.full(len(others), made))
        for value, neighbour in zip(likeness.tolist(), others.tolist(), strict=True):
            heapq.heappush(self.queue, (-value, neighbour, made))


def _histograms(values: np.ndarray, numbers: np.ndarray, bins: int, top: float) -> np.ndarray:
    """How often values of each channel fall into each of some equal bins below a top, (regions, channels * bins)."""
    channels = values.shape[2]
    place = np.minimum(values * (bins / top), bins - 1).astype(int) + bins * np.arange(channels)
    place += (channels * bins) * numbers[:, :, None]
    count = int(numbers.max()) + 1
    found = np.bincount(place.ravel(), minlength=count * channels * bins).reshape(count, channels * bins)
    return found / found.sum(axis=1, keepdims=True)


def _textures(channels: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Histograms of the slopes of the blurred channels in eight directions; a slope that falls counts as none."""
    across, down = (gaussian_filter(channels, (1, 1, 0), order) for order in ((0, 1, 0), (1, 0, 0)))
    angles = np.arange(_DIRECTIONS) * (2 * np.pi / _DIRECTIONS)
    slopes = np.concatenate([np.cos(angle) * across + np.sin(angle) * down for angle in angles], axis=2)
    slopes = slopes.clip(min=0)
    return _histograms(slopes, numbers, _STEEPNESSES, max(float(slopes.max()), 1e-6))


def _hsv(rgb: np.ndarray) -> np.ndarray:
    """Hue, saturation and value, each from 0 to 255, of colours from 0 to 1."""
    largest, least = rgb.max(axis=2), rgb.min(axis=2)
    spread = largest - least
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    safe = np.where(spread > 0, spread, 1)
    hue = np.select(
        [spread == 0, largest == red, largest == green],
        [np.zeros_like(red), (green - blue) / safe % 6, (blue - red) / safe + 2],
        (red - green) / safe + 4,
    )
    return 255 * np.stack([hue / 6, spread / np.where(largest > 0, largest, 1), largest], axis=2)


def _lab(rgb: np.ndarray) -> np.ndarray:
    """Lightness and the two opponent colours of CIE 1976, brought to 0 to 255, of sRGB colours from 0 to 1."""
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    scaled = linear @ np.array(_TO_XYZ, np.float32).T / np.array(_WHITE, np.float32)
    root = np.where(scaled > 0.008856, np.cbrt(scaled), 7.787 * scaled + 16 / 116)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    return np.stack([2.55 * (116 * y - 16), 500 * (x - y) + 128, 200 * (y - z) + 128], axis=2).clip(0, 255)
