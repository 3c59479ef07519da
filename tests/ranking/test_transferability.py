"""LogME and the H-score beside their definitions, worked out the long way."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from sklearn.covariance import LedoitWolf

from headwater.ranking.transferability import h_score, logme


def problem(rows, width, classes=2, signal=1.0):
    random = np.random.default_rng(rows + width)
    targets = np.arange(rows) % classes
    return random.normal(size=(rows, width)) + signal * np.eye(classes, width)[targets], targets


def brute_force_evidence(features, target):
    """The largest log marginal likelihood a row, over both precisions: the target is one draw of a normal."""

    def negative(logs):
        weights, noise = np.exp(logs)
        spread = features @ features.T / weights + np.eye(len(target)) / noise
        return -multivariate_normal(np.zeros(len(target)), spread).logpdf(target) / len(target)

    return -minimize(negative, (0.0, 0.0), method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9}).fun


@pytest.mark.parametrize(("rows", "width"), [(40, 3), (30, 12), (16, 24)])
def test_logme_is_the_largest_evidence(rows, width):
    features, targets = problem(rows, width)
    expected = np.mean([brute_force_evidence(features, (targets == place).astype(float)) for place in (0, 1)])
    assert logme(features, targets) == pytest.approx(expected, abs=1e-4)


def test_logme_of_classes_is_the_mean_over_each_against_the_rest():
    features, targets = problem(45, 4, classes=3)
    flags = (targets[:, None] == np.arange(3)).astype(np.float32)
    assert logme(features, targets) == pytest.approx(
        np.mean([logme(features, flags[:, [place]]) for place in range(3)])
    )
    assert logme(features, flags) == pytest.approx(logme(features, targets))


def test_logme_is_blind_to_scale_and_rotation_and_sees_signal():
    features, targets = problem(50, 5)
    turned = features @ np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0]
    assert logme(1000 * turned, targets) == pytest.approx(logme(features, targets), abs=1e-6)
    assert logme(problem(50, 5, signal=3.0)[0], targets) > logme(features, targets)


def test_logme_of_one_class_or_constant_features_is_a_number_or_says_it_is_none():
    features, targets = problem(20, 3)
    assert math.isnan(logme(features, np.zeros(20, dtype=int)))
    assert math.isfinite(logme(np.ones((20, 3)), targets))
    assert math.isfinite(logme(np.zeros((20, 3)), targets))


@pytest.mark.parametrize(("rows", "width", "classes"), [(60, 4, 2), (40, 6, 4), (20, 30, 3)])
def test_h_score_is_its_definition(rows, width, classes):
    features, targets = problem(rows, width, classes)
    shrunk = LedoitWolf().fit(features)
    means = np.stack([features[targets == place].mean(axis=0) for place in targets])
    between = np.cov(means, rowvar=False, bias=True)
    expected = np.trace(np.linalg.inv(shrunk.covariance_) @ between) * (1 - shrunk.shrinkage_)
    assert h_score(features, targets) == pytest.approx(expected, rel=1e-9)
    assert 0 < h_score(features, targets) < classes - 1


def test_h_score_of_many_rows_is_the_one_without_shrinkage():
    features, targets = problem(20_000, 3)
    means = np.stack([features[targets == place].mean(axis=0) for place in (0, 1)])[targets]
    plain = np.trace(np.linalg.inv(np.cov(features, rowvar=False)) @ np.cov(means, rowvar=False))
    assert h_score(features, targets) == pytest.approx(plain, rel=0.01)


def test_h_score_of_features_that_never_change_is_none():
    assert math.isnan(h_score(np.ones((6, 2)), np.arange(6) % 2))
