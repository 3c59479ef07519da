import numpy as np
import pytest
from sklearn.linear_model import Ridge as Reference

from headwater.recommendation.ridge import Ridge, best_strength

DRAW = np.random.default_rng(0)
FEATURES, OTHERS = DRAW.normal(size=(30, 6)), DRAW.normal(size=(4, 6))
TARGETS = FEATURES @ DRAW.normal(size=(6, 3)) + DRAW.normal(size=(30, 3)) + 5


@pytest.mark.parametrize("strength", [0.1, 7.0])
def test_it_is_the_ridge_of_scikit_learn(strength):
    ridge = Ridge.of(FEATURES, strength)
    reference = Reference(alpha=strength).fit(FEATURES, TARGETS)
    np.testing.assert_allclose(ridge.tell(OTHERS, TARGETS), reference.predict(OTHERS), atol=1e-8)


def test_features_that_repeat_do_no_harm():
    twice = Ridge.of(np.hstack([FEATURES, FEATURES]), 0.0).tell(np.hstack([OTHERS, OTHERS]), TARGETS)
    np.testing.assert_allclose(twice, Ridge.of(FEATURES, 0.0).tell(OTHERS, TARGETS), atol=1e-6)


def test_the_strength_is_that_of_leaving_each_item_out():
    strengths = (0.01, 1.0, 10.0, 100.0, 1000.0)

    def missed(strength):
        left_out = []
        for row in range(len(FEATURES)):
            rest = np.arange(len(FEATURES)) != row
            fitted = Reference(alpha=strength).fit(FEATURES[rest], TARGETS[rest])
            left_out.append(fitted.predict(FEATURES[[row]])[0] - TARGETS[row])
        return np.mean(np.square(left_out))

    assert best_strength(FEATURES, TARGETS, strengths) == min(strengths, key=missed)
    noise = DRAW.normal(size=(30, 3))
    assert best_strength(FEATURES, noise, strengths) == min(strengths[::-1], key=lambda one: -one)


def test_targets_in_parts_choose_as_all_at_once(monkeypatch):
    together = best_strength(FEATURES, TARGETS)
    monkeypatch.setattr("headwater.recommendation.ridge._AT_ONCE", 2)
    assert best_strength(FEATURES, TARGETS) == together
