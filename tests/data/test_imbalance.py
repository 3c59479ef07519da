"""Classes of unequal size weigh the same in the end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.data.imbalance import class_weights, effective_weights, resample
from headwater.errors import SettingError

targets = st.lists(st.integers(0, 4), min_size=1, max_size=60).map(np.array)
labels = st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=60).map(
    lambda rows: np.array(rows, dtype=np.float32)
)


@settings(max_examples=40, deadline=None)
@given(targets)
def test_every_class_weighs_the_same_and_the_mean_is_one(classes: np.ndarray):
    weights = class_weights(classes, 5)
    assert weights.mean() == pytest.approx(1)
    np.testing.assert_allclose(
        [weights[classes == one].sum() for one in set(classes)], len(classes) / len(set(classes))
    )


@settings(max_examples=40, deadline=None)
@given(labels)
def test_weights_of_several_labels_have_mean_one(flags: np.ndarray):
    weights = class_weights(flags, 3)
    assert weights.shape == (len(flags),)
    assert weights.mean() == pytest.approx(1)


@settings(max_examples=40, deadline=None)
@given(targets, st.floats(0, 0.9999))
def test_effective_weights_are_those_of_the_paper(classes: np.ndarray, beta: float):
    weights = effective_weights(classes, 5, beta)
    sizes = np.bincount(classes)[classes]
    series = np.array([sum(beta**power for power in range(size)) for size in sizes])  # (1 - beta^n) / (1 - beta)
    np.testing.assert_allclose(weights / weights[0], series[0] / series)
    assert weights.mean() == pytest.approx(1)


def test_effective_weights_lie_between_equal_rows_and_equal_classes():
    classes = np.array([0] * 95 + [1] * 5)
    np.testing.assert_allclose(effective_weights(classes, 2, 0.0), 1)
    np.testing.assert_allclose(effective_weights(classes, 2, 0.999999), class_weights(classes, 2), rtol=1e-3)
    between = effective_weights(classes, 2, 0.9)
    assert 1 < between[-1] < class_weights(classes, 2)[-1]


def test_a_row_of_several_labels_counts_by_its_rarest():
    flags = np.array([[1, 0], [1, 0], [1, 0], [1, 1], [0, 0]])
    np.testing.assert_allclose(class_weights(flags, 2) * 3, [5 / 3, 5 / 3, 5 / 3, 5, 5])


@settings(max_examples=40, deadline=None)
@given(targets, st.sampled_from(["oversample", "undersample"]), st.integers(0, 3))
def test_every_class_is_drawn_equally_often(classes: np.ndarray, how: str, seed: int):
    rows = resample(classes, how, seed)
    sizes, drawn = np.bincount(classes), np.bincount(classes[rows], minlength=classes.max() + 1)
    assert set(drawn[sizes > 0]) == {sizes.max() if how == "oversample" else sizes[sizes > 0].min()}
    np.testing.assert_array_equal(rows, resample(classes, how, seed))


@settings(max_examples=40, deadline=None)
@given(targets)
def test_oversampling_keeps_every_row_and_undersampling_repeats_none(classes: np.ndarray):
    assert set(resample(classes, "oversample", 0)) == set(range(len(classes)))
    kept = resample(classes, "undersample", 0)
    assert len(set(kept)) == len(kept)


def test_another_way_is_refused():
    with pytest.raises(
        SettingError, match=r"no such way to resample\. Got 'smote'\. Accepted: oversample, undersample"
    ):
        resample(np.array([0, 1]), "smote", 0)
