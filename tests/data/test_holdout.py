"""Held-out rows have the shares that were asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from headwater.data.holdout import grouped, newest, stratified


def _one_hot(classes: np.ndarray) -> csr_array:
    return csr_array(np.eye(classes.max() + 1, dtype=np.int64)[classes])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=2, max_size=30), st.floats(0.05, 0.5), st.integers(0, 5))
def test_every_class_and_the_whole_get_their_share(sizes: list[int], share: float, seed: int):
    classes = np.repeat(np.arange(len(sizes)), sizes)
    held = stratified(np.arange(len(classes)), _one_hot(classes), share, seed)
    taken = np.bincount(classes, held, len(sizes))
    assert (abs(taken - share * np.array(sizes)) <= 1.01).all()
    assert (taken < sizes).all()


def test_many_small_classes_add_up_to_the_share():
    classes = np.repeat(np.arange(300), 4)
    held = stratified(np.arange(1200), _one_hot(classes), 0.1, seed=0)
    assert held.sum() == 120


def test_several_labels_each_get_their_share():
    labels = np.random.default_rng(0).random((3000, 8)) < np.linspace(0.02, 0.5, 8)
    held = stratified(np.arange(3000), csr_array(labels.astype(np.int64)), 0.2, seed=0)
    np.testing.assert_allclose(labels[held].sum(axis=0) / labels.sum(axis=0), 0.2, atol=0.02)
    assert held.mean() == pytest.approx(0.2, abs=0.02)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=8, max_size=60), st.integers(0, 5))
def test_groups_stay_whole_and_meet_the_share_as_nearly_as_they_can(sizes: list[int], seed: int):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    held = grouped(groups, _one_hot(groups % 2), 0.2, seed)
    assert all(len(set(held[groups == group])) == 1 for group in range(len(sizes)))
    assert 0 < held.sum() < len(groups)
    assert abs(held.sum() - 0.2 * len(groups)) <= max(sizes)


def test_groups_are_chosen_for_equal_shares_of_the_classes():
    groups = np.repeat(np.arange(40), 10)
    classes = (groups % 4 == 0).astype(np.int64)
    held = grouped(groups, _one_hot(classes), 0.2, seed=0)
    assert held.sum() == 80
    assert 10 <= classes[held].sum() <= 30


def test_groups_too_large_for_the_share_give_the_smallest():
    groups = np.repeat([0, 1, 2], [40, 30, 50])
    assert set(groups[grouped(groups, _one_hot(groups), 0.05, seed=0)]) == {1}


def test_the_newest_rows_are_held_out():
    moments = np.random.default_rng(0).permutation(100).astype(float)
    held = newest(moments, 0.2)
    assert held.sum() == 20
    assert moments[held].min() > moments[~held].max()
