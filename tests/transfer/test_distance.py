"""The two-sample test against refits, brute force, and sets that are known to be alike or apart."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge as Reference
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from headwater.transfer import distance


def drawn(rows: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, width)) * np.linspace(0.5, 3, width)


@pytest.mark.parametrize(("rows", "width"), [(60, 7), (40, 90)])
@pytest.mark.parametrize("strength", [0.1, 10.0])
def test_held_out_predictions_are_those_of_refits(rows, width, strength, monkeypatch):
    monkeypatch.setattr(distance, "STRENGTHS", (strength,))
    features = drawn(rows, width)
    random = np.random.default_rng(1)
    sides = random.random((rows, 3)) < 0.4
    folds = distance.deal(sides[:, 0], np.arange(rows), random)
    found = distance.Ridge(features, folds).held_out(sides)
    centred = features - features.mean(axis=0)
    unit = (centred**2).sum() / rows
    for column, targets in enumerate(np.where(sides, 1.0, -1.0).T):
        for fold in range(folds.max() + 1):
            own = folds == fold
            fitted = Reference(alpha=strength * unit).fit(centred[~own], targets[~own])
            np.testing.assert_allclose(found[own, column], fitted.predict(centred[own]), atol=1e-8)


def test_each_relabelling_chooses_the_strength_that_predicts_it_best(monkeypatch):
    features, random = drawn(60, 7), np.random.default_rng(1)
    sides = np.column_stack([features[:, 0] > 0, random.random(60) < 0.5])
    folds = distance.deal(sides[:, 0], np.arange(60), random)
    errors = []
    for strength in distance.STRENGTHS:
        with monkeypatch.context() as patch:
            patch.setattr(distance, "STRENGTHS", (strength,))
            held = distance.Ridge(features, folds).held_out(sides)
        errors.append(((np.where(sides, 1.0, -1.0) - held) ** 2).sum(axis=0))
    best = distance.Ridge(features, folds).held_out(sides)
    np.testing.assert_allclose(((np.where(sides, 1.0, -1.0) - best) ** 2).sum(axis=0), np.min(errors, axis=0))
    assert np.argmin(errors, axis=0).tolist() != [0, 0]


def test_what_is_told_are_the_measures_of_the_scores():
    features = drawn(150, 5)
    found = distance.measure(features[:100], features[100:] + 0.8, permutations=99)
    truth = np.repeat([False, True], [100, 50])
    assert found.balanced_accuracy.value == pytest.approx(balanced_accuracy_score(truth, found.scores > 0))
    assert found.auc.value == pytest.approx(roc_auc_score(truth, found.scores))
    assert found.proxy.value == pytest.approx(2 * (1 - 2 * (1 - found.balanced_accuracy.value)))
    assert found.auc.low < found.auc.value < found.auc.high
    assert found.p == 0.01


def test_the_threshold_suits_sides_of_unequal_size():
    features = drawn(440, 4)
    features[400:, 0] += 2
    found = distance.measure(features[:400], features[400:], permutations=19)
    assert (found.scores[:400] < 0).mean() > 0.7
    assert (found.scores[400:] > 0).mean() > 0.7


def test_the_area_of_each_column_is_that_of_scikit_learn():
    random = np.random.default_rng(0)
    scores, sides = random.normal(size=(50, 4)).round(1), random.random((50, 4)) < 0.3
    expected = [roc_auc_score(side, column) for side, column in zip(sides.T, scores.T, strict=True)]
    np.testing.assert_allclose(distance._areas(scores, sides), expected)


def test_the_interval_of_the_area_covers_it():
    inside = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        scores, truth = random.normal(size=120), np.repeat([False, True], [80, 40])
        found = distance._area_estimate(scores + truth, truth)
        inside += found.low <= 0.76025 <= found.high  # two normals one deviation apart: Phi(1 / sqrt 2)
    assert 52 <= inside <= 60


def test_relabellings_keep_the_sides_of_every_fold():
    random = np.random.default_rng(0)
    truth = np.repeat([False, True], [70, 30])
    folds = distance.deal(truth, np.arange(100), random)
    sides = distance.relabelled(truth, folds, 20, random)
    assert (sides[:, 0] == truth).all()
    assert len({column.tobytes() for column in sides.T}) == 21
    for fold in range(distance.FOLDS):
        assert (sides[folds == fold].sum(axis=0) == 3).all()


def test_copies_share_a_fold():
    copies = np.array([0, 1, 2, 0, 1, 5, 6, 7, 8, 9, 10, 10])
    folds = distance.deal(np.repeat([False, True], 6), copies, np.random.default_rng(0))
    assert folds[0] == folds[3]
    assert folds[1] == folds[4]
    assert folds[10] == folds[11]


def test_like_sets_have_p_values_that_are_uniform():
    pool = drawn(400, 12)
    p = []
    for seed in range(120):
        rows = np.random.default_rng(seed).permutation(400)[:80]
        p.append(distance.measure(pool[rows[:40]], pool[rows[40:]], permutations=39, seed=seed).p)
    assert 0.4 < np.mean(p) < 0.6
    assert np.mean(np.array(p) <= 0.05) <= 0.1


def test_a_set_with_itself_is_alike_when_its_copies_are_known():
    rows = drawn(60, 8)
    found = distance.measure(rows, rows, copies=np.tile(np.arange(60), 2))
    assert found.auc.value == 0.5
    assert found.balanced_accuracy.value == 0.5
    assert found.p > 0.05


@pytest.mark.parametrize("shift", [0.7, 3.0])
def test_apart_is_seen_and_further_apart_is_further(shift):
    rows = drawn(200, 6)
    found = distance.measure(rows[:100], rows[100:] + shift)
    assert found.differs
    assert found.p == 1 / (1 + distance.PERMUTATIONS)
    assert (found.proxy.value > 1.5) == (shift > 1)


def test_likeness_is_a_probability_that_grows_with_the_score():
    rows = drawn(300, 3)
    found = distance.measure(rows[:200], rows[200:] + 1, permutations=19)
    order = np.argsort(found.scores)
    assert (np.diff(found.likeness[order]) >= 0).all()
    assert 0 < found.likeness.min() < 0.5 < found.likeness.max() < 1
    assert found.likeness[200:].mean() > found.likeness[:200].mean() + 0.2


def test_features_that_tell_nothing_tell_nothing():
    found = distance.measure(np.ones((30, 4)), np.ones((30, 4)), permutations=19)
    assert (found.auc.value, found.p) == (0.5, 1.0)


def test_the_seed_repeats_it():
    rows = drawn(80, 4)
    first, again, other = (distance.measure(rows[:40], rows[40:], seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.scores, again.scores)
    assert first.p == again.p
    assert not np.array_equal(first.scores, other.scores)
