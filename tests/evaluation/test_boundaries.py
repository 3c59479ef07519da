"""The boundary F-measure, beside the same by distance transforms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, distance_transform_edt

from headwater.evaluation.boundaries import boundary_f


def blots(seed: int, size: tuple[int, int] = (40, 50)) -> np.ndarray:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 3, (6, 7))
    down, across = (np.arange(edge) * len(coarse if axis == 0 else coarse.T) // edge for axis, edge in enumerate(size))
    return coarse[down[:, None], across]


def by_distance(known: np.ndarray, found: np.ndarray, position: int, near: float) -> float:
    """The same from a distance transform of the whole picture, for one class; there is no void."""
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)
    edges = [(one == position) & binary_dilation(one != position, cross) for one in (known, found)]
    shares = [
        (distance_transform_edt(~other)[edge] <= near).mean() for edge, other in (edges, edges[::-1])
    ]  # fmt: skip
    return 2 * shares[0] * shares[1] / sum(shares)


@pytest.mark.parametrize("near", [1.0, 2.0, 3.5])
@pytest.mark.parametrize("seed", range(4))
def test_it_is_that_of_distance_transforms(seed: int, near: float):
    known, found = blots(seed), np.roll(blots(seed), (1, 2), (0, 1))
    values = boundary_f(known, found, 3, near)
    for position in np.unique(known):
        if (found == position).any():
            assert values[position] == pytest.approx(by_distance(known, found, position, near))


def test_a_shift_within_the_tolerance_is_no_fault():
    known = np.zeros((60, 80), int)
    known[20:40, 20:60] = 1
    assert boundary_f(known, np.roll(known, 1, axis=1), 2).tolist() == [1.0, 1.0]
    assert max(boundary_f(known, np.roll(known, 9, axis=1), 2)) < 0.8


def test_what_touches_void_is_no_edge():
    known = np.zeros((20, 20), int)
    known[:, 10:] = 1
    known[:, 9:11] = -1
    assert boundary_f(known, np.where(np.arange(20) < 10, 0, 1) * np.ones((20, 1), int), 2).tolist() == [1.0, 1.0]
    assert boundary_f(known, np.zeros_like(known), 2).tolist() == [1.0, 1.0]  # no edge is known, and none was found
    everywhere = (np.indices(known.shape).sum(axis=0) // 3) % 2
    assert boundary_f(known, everywhere, 2).tolist() == [0.0, 0.0]


def test_classes_that_are_not_there_have_no_value():
    known = np.zeros((8, 8), int)
    assert np.isnan(boundary_f(known, known, 3)).tolist() == [False, True, True]
    assert np.isnan(boundary_f(np.full((8, 8), -1), known, 2)).all()
