import doctest

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from headwater.transfer import discriminant


def _rows(rows=60, classes=3, width=8):
    random = np.random.default_rng(0)
    targets = np.arange(rows) % classes
    mixed = random.normal(size=(rows, width)) @ random.normal(size=(width, width))
    return mixed + 3 * np.eye(classes, width)[targets] + 5, targets


@pytest.mark.parametrize(("rows", "width"), [(60, 8), (12, 40)])
def test_the_shrinkage_is_that_of_ledoit_and_wolf(rows, width):
    features, targets = _rows(rows, 3, width)
    means = np.stack([features[targets == kind].mean(axis=0) for kind in range(3)])
    centred = features - means[targets]
    level, share = discriminant.shrunk(centred)
    assert share == pytest.approx(ledoit_wolf_shrinkage(centred, assume_centered=True), rel=1e-9)
    assert level == pytest.approx(np.trace(centred.T @ centred) / rows / width)


@pytest.mark.parametrize(("rows", "width"), [(60, 8), (12, 40)])
def test_logits_are_those_of_the_gaussians(rows, width):
    features, targets = _rows(rows, 3, width)
    head = discriminant.solve(features, targets, 3)
    means = np.stack([features[targets == kind].mean(axis=0) for kind in range(3)])
    centred = features - means[targets]
    level, share = discriminant.shrunk(centred)
    covariance = (1 - share) * centred.T @ centred / rows + share * level * np.eye(width)
    away = features[:, None] - means
    densities = -0.5 * np.einsum("rkw,wv,rkv->rk", away, np.linalg.inv(covariance), away)
    np.testing.assert_allclose(softmax(head.logits(features), axis=1), softmax(densities, axis=1), atol=1e-3)


def test_with_many_rows_it_is_the_discriminant_of_scikit_learn():
    targets = np.arange(3000) % 3
    features = np.random.default_rng(0).normal(size=(3000, 8)) * np.linspace(1, 2, 8) + 2 * np.eye(3, 8)[targets]
    peer = LinearDiscriminantAnalysis(solver="lsqr").fit(features, targets)
    agreed = discriminant.solve(features, targets, 3).logits(features).argmax(axis=1) == peer.predict(features)
    assert agreed.mean() > 0.995


def test_unequal_classes_and_weights_change_what_a_doubtful_row_is_called():
    features, targets = np.array([[0.0], [0.2], [1.8], [2.0]]), np.array([0, 0, 1, 1])
    middle = np.array([[1.0]])
    even = discriminant.solve(features, targets, 2).logits(middle)
    assert even[0, 0] == pytest.approx(even[0, 1], abs=1e-4)
    weighted = discriminant.solve(features, targets, 2, np.array([1.0, 1.0, 5.0, 5.0])).logits(middle)
    assert weighted[0, 1] - weighted[0, 0] == pytest.approx(np.log(5), abs=1e-4)


def test_one_row_a_class_gives_the_nearest_mean():
    features = np.array([[0.0, 4.0], [4.0, 0.0], [4.0, 4.0]])
    head = discriminant.solve(features, np.arange(3), 4)
    np.testing.assert_array_equal(head.logits(features + 0.5).argmax(axis=1), [0, 1, 2])
    assert np.isfinite(head.weight).all()


def test_examples():
    assert doctest.testmod(discriminant).failed == 0
