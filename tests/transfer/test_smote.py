"""Synthetic rows lie on the lines that the paper draws, as many as are missing."""

from __future__ import annotations

import numpy as np
import pytest

from headwater.transfer import smote as module
from headwater.transfer.smote import smote


def test_by_hand_on_a_line_of_three():
    # Of class 0 stand 0, 1 and 10; with one neighbour, 0 knows 1, 1 knows 0, 10 knows 1.
    features = np.array([[0.0, 0.0], [1.0, 2.0], [10.0, 20.0], *([[50.0, 0.0]] * 6)])
    targets = np.array([0, 0, 0, *([1] * 6)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_NEIGHBOURS", 1)
        made = smote(features, targets, 2, seed=0)
    assert sorted(map(tuple, made.parents.tolist())) == [(0, 1), (1, 0), (2, 1)]
    for point, (first, second) in zip(made.features, made.parents, strict=True):
        gap = (point - features[first]) / (features[second] - features[first])
        assert gap[0] == pytest.approx(gap[1])  # one place a row: on the line, not in the box
        assert 0 <= gap[0] < 1
    assert made.goals.tolist() == [[1.0, 0.0]] * 3
    assert made.weights.tolist() == [1.0] * 3


@pytest.mark.parametrize("sizes", [(30, 4, 11), (7, 7), (12, 1, 6)])
def test_every_class_becomes_as_large_as_the_largest(sizes: tuple[int, ...]):
    targets = np.repeat(np.arange(len(sizes)), sizes)
    features = np.random.default_rng(0).normal(size=(len(targets), 3)).astype(np.float32)
    made = smote(features, targets, len(sizes) + 1, seed=3)
    counts = np.bincount(targets, minlength=len(sizes) + 1) + made.goals.sum(axis=0)
    assert counts.tolist() == [max(sizes)] * len(sizes) + [0]
    assert made.features.dtype == np.float32
    assert (targets[made.parents] == made.goals.argmax(axis=1)[:, None]).all()
    again = smote(features, targets, len(sizes) + 1, seed=3)
    np.testing.assert_array_equal(again.features, made.features)


def test_each_row_is_taken_as_often_as_it_fits_and_the_rest_is_drawn():
    targets = np.array([0] * 3 + [1] * 10)
    made = smote(np.random.default_rng(0).normal(size=(13, 2)), targets, 2, seed=0)
    assert sorted(np.bincount(made.parents[:, 0]).tolist()) == [2, 2, 3]


def test_partners_are_among_the_five_nearest():
    features = np.arange(40.0)[:, None] ** 1.5
    targets = np.array([0] * 20 + [1] * 20)
    targets[:8] = 1
    made = smote(features, targets, 2, seed=1)
    rows = np.flatnonzero(targets == 0)
    for first, second in made.parents.tolist():
        distance = np.abs(features[rows, 0] - features[first, 0])
        assert second in rows[np.argsort(distance, kind="stable")[1:6]]


def test_a_class_of_one_row_repeats_it():
    made = smote(np.array([[0.0], [5.0], [6.0], [7.0]]), np.array([0, 1, 1, 1]), 2, seed=0)
    assert made.features.tolist() == [[0.0], [0.0]]
