"""Counts of pixels, and the scores that scikit-learn gives the same pixels."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, f1_score, jaccard_score

from headwater.evaluation.overlap import confusion_of, counts_of, of_classes, overall


def maps(n_classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Known classes with void among them, and answers that are mostly right."""
    random = np.random.default_rng(seed)
    known = random.choice(n_classes, (20, 30), p=np.arange(1, n_classes + 1) / sum(range(n_classes + 1)))
    found = np.where(random.random(known.shape) < 0.7, known, random.integers(0, n_classes, known.shape))
    known[random.random(known.shape) < 0.1] = -1
    return known, found


@pytest.mark.parametrize(("n_classes", "seed"), [(2, 0), (5, 1), (11, 2)])
def test_scores_are_those_of_scikit_learn(n_classes: int, seed: int):
    known, found = maps(n_classes, seed)
    there = known >= 0
    true, taken = known[there], found[there]
    confusion = confusion_of(known, found, n_classes)
    np.testing.assert_array_equal(confusion, confusion_matrix(true, taken, labels=range(n_classes)))
    classes, whole = of_classes(counts_of(confusion)), overall(counts_of(confusion))
    np.testing.assert_allclose(classes["iou"], jaccard_score(true, taken, average=None))
    np.testing.assert_allclose(classes["dice"], f1_score(true, taken, average=None))
    assert whole["mean_iou"] == pytest.approx(jaccard_score(true, taken, average="macro"))
    assert whole["mean_dice"] == pytest.approx(f1_score(true, taken, average="macro"))
    assert whole["pixel_accuracy"] == pytest.approx(accuracy_score(true, taken))
    assert whole["mean_class_accuracy"] == pytest.approx(balanced_accuracy_score(true, taken))


def test_void_and_what_is_no_class_are_left_out():
    known = np.array([0, 1, 255, -1])
    np.testing.assert_array_equal(confusion_of(known, np.array([0, 0, 1, 1]), 2), [[1, 0], [1, 0]])


def test_classes_without_a_pixel_are_left_out_of_means():
    found = overall(counts_of(np.array([[4, 0, 1], [0, 5, 0], [0, 0, 0]])))
    assert found["mean_iou"] == pytest.approx((4 / 5 + 1) / 2)
    assert np.isnan(overall(counts_of(np.zeros((2, 2), int)))["mean_iou"])


def test_leading_axes_are_carried_along():
    matrices = np.stack([confusion_of(*maps(3, seed), 3) for seed in range(4)])
    together = overall(counts_of(matrices))["mean_iou"]
    assert together.shape == (4,)
    assert together[2] == overall(counts_of(matrices[2]))["mean_iou"]
