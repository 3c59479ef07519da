import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from headwater.transfer.dealing import Deal
from headwater.transfer.head import solve, solve_with
from headwater.transfer.made import Made, shares


def _problem(rows=120, classes=3, width=8):
    random = np.random.default_rng(0)
    targets = np.arange(rows) % classes
    features = random.normal(size=(rows, width)) * 3 + 1 + 6 * np.eye(classes, width)[targets]
    return features.astype(np.float32), targets


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("rows", [6, 120])
def test_the_solution_is_that_of_scikit_learn(classes, rows):
    features, targets = _problem(rows, classes)
    weights = np.random.default_rng(1).uniform(0.5, 2, rows)
    scaler = StandardScaler().fit(features)
    peer = LogisticRegression(C=0.5, tol=1e-10, max_iter=10_000).fit(scaler.transform(features), targets, weights)
    head = solve(features, targets, classes, weights, strength=2.0)
    standard = head.weight * scaler.scale_
    ours = standard[1:] - standard[:1] if classes == 2 else standard
    np.testing.assert_allclose(ours, peer.coef_, atol=1e-3)
    chances = peer.predict_proba(scaler.transform(features))
    np.testing.assert_allclose(softmax(head.logits(features), axis=1), chances, atol=1e-3)


def test_several_labels_are_one_problem_a_label():
    features, targets = _problem()
    several = np.stack([targets == 0, targets != 1], axis=1).astype(np.float32)
    head = solve(features, several, 2, strength=2.0)
    scaled = StandardScaler().fit(features)
    for label in (0, 1):
        peer = LogisticRegression(C=0.5, tol=1e-10).fit(scaled.transform(features), several[:, label])
        np.testing.assert_allclose(head.weight[label] * scaled.scale_, peer.coef_[0], atol=1e-3)


def test_noise_is_answered_with_a_stronger_penalty_than_signal():
    features, targets = _problem(200)
    noise = np.random.default_rng(2).permutation(targets)
    assert solve(features, noise, 3).strength > solve(features, targets, 3).strength


def test_held_out_logits_judge_honestly():
    random = np.random.default_rng(0)
    head = solve(random.normal(size=(60, 100)), np.arange(60) % 2, 2)
    assert head.held_out is not None
    assert (head.held_out.argmax(axis=1) == np.arange(60) % 2).mean() < 0.75


@pytest.mark.parametrize("rows", [2, 4, 5])
def test_two_rows_a_class_or_fewer_suffice(rows):
    features, targets = _problem(rows, 2)
    assert np.isfinite(solve(features, targets, 2).weight).all()


def test_a_feature_that_never_changes_and_a_class_without_rows_do_no_harm():
    features, targets = _problem(60, 3)
    features[:, 0] = 7
    head = solve(features, targets, 4)
    assert np.isfinite(head.weight).all()
    assert not (head.logits(features).argmax(axis=1) == 3).any()


def test_the_same_seed_gives_the_same_head():
    features, targets = _problem()
    np.testing.assert_array_equal(
        solve(features, targets, 3, deal=Deal(5)).weight, solve(features, targets, 3, deal=Deal(5)).weight
    )


def test_near_copies_make_no_penalty_look_better():
    features, noise = _problem(90, 3)[0], np.random.default_rng(0).integers(0, 3, 90)
    near = np.concatenate([features, features + 1e-3])
    groups = np.tile(np.arange(90), 2)
    apart = solve(near, np.tile(noise, 2), 3)
    together = solve(near, np.tile(noise, 2), 3, deal=Deal(groups=groups))
    assert apart.strength < together.strength
    assert together.held_out is not None
    assert (together.held_out.argmax(axis=1) == np.tile(noise, 2)).mean() < 0.5


def test_copies_of_a_row_weigh_as_much_as_a_weight_and_make_no_penalty_look_better():
    features, targets = _problem(60, 3)
    counts = np.where(np.arange(60) % 3 == 0, 4, 1)
    copied = solve(np.repeat(features, counts, axis=0), np.repeat(targets, counts), 3)
    weighted = solve(features, targets, 3, counts.astype(np.float64))
    assert copied.strength == weighted.strength
    np.testing.assert_allclose(copied.weight, weighted.weight, atol=1e-4)
    assert copied.held_out is not None
    assert weighted.held_out is not None
    np.testing.assert_allclose(copied.held_out, np.repeat(weighted.held_out, counts, axis=0), atol=1e-4)


def test_a_class_of_one_group_is_learnt_from_and_not_judged():
    features, targets = _problem(60, 3)
    groups = np.where(targets == 0, 100, np.arange(60))
    head = solve(features, targets, 3, deal=Deal(groups=groups))
    assert head.spared.tolist() == (targets != 0).tolist()
    logits, known = head.unseen(targets)
    assert len(logits) == 40
    assert set(known.tolist()) == {1, 2}
    assert (logits.argmax(axis=1) == known).mean() > 0.8
    assert (head.logits(features).argmax(axis=1) == targets).mean() > 0.9


def test_a_class_of_one_group_among_others_is_not_judged_by_what_never_saw_it():
    features, targets = (part[1:] for part in _problem(60, 3))  # a group is dealt out by its first row
    groups = np.where((targets == 0) | (np.arange(59) < 6), 100, np.arange(59))
    head = solve(features, targets, 3, deal=Deal(groups=groups))
    assert head.spared.tolist() == (targets != 0).tolist()
    logits, known = head.unseen(targets)
    assert (logits.argmax(axis=1) == known).mean() > 0.8


def test_where_no_row_can_be_spared_nothing_is_judged():
    features, targets = _problem(3)
    assert solve(features, targets, 3).unseen(targets) is None
    assert solve(features, targets, 3, strength=1.0).unseen(targets) is None


def _copies(features, targets, noise=0.01):
    random, rows = np.random.default_rng(5), np.arange(len(targets))
    near = (features + random.normal(size=features.shape) * noise).astype(np.float32)
    return Made(near, shares(targets, int(targets.max()) + 1), np.ones(len(rows)), np.stack([rows, rows], axis=1))


def test_made_rows_weigh_like_rows_of_the_data():
    features, targets = _problem(60)
    made = _copies(features, targets, noise=2.0)
    strong = Made(made.features[:0], made.goals[:0], made.weights[:0], made.parents[:0])
    plain = solve_with(strong, features, targets)
    np.testing.assert_array_equal(plain.weight, solve(features, targets, 3).weight)
    found = solve_with(made, features, targets)
    scale, mean = features.std(axis=0, dtype=np.float64), features.mean(axis=0, dtype=np.float64)
    both = np.concatenate([features, made.features])
    peer = LogisticRegression(C=1 / found.strength, tol=1e-10, max_iter=10_000)
    peer.fit((both - mean) / scale, np.concatenate([targets, targets]))
    np.testing.assert_allclose(found.weight * scale, peer.coef_, atol=2e-3)
    assert found.held_out.shape == (60, 3)


def test_soft_goals_are_two_rows_of_shared_weight():
    features, targets = _problem(40, 2)
    rows = np.array([[0, 1], [2, 3], [4, 5]])
    point = features[rows].mean(axis=1)
    soft = Made(point, np.full((3, 2), [0.3, 0.7]), np.ones(3), rows)
    hard = Made(
        np.concatenate([point, point]), np.repeat(np.eye(2), 3, axis=0), np.repeat([0.3, 0.7], 3), np.tile(rows, (2, 1))
    )
    one, other = solve_with(soft, features, targets), solve_with(hard, features, targets)
    assert one.strength == other.strength
    np.testing.assert_allclose(one.weight, other.weight, atol=1e-4)


def test_a_made_row_does_not_tell_the_held_out_answer_of_its_parents():
    random = np.random.default_rng(0)
    features, targets = random.normal(size=(60, 100)).astype(np.float32), np.arange(60) % 2
    head = solve_with(_copies(features, targets), features, targets)
    assert (head.held_out.argmax(axis=1) == targets).mean() < 0.75


def test_equal_rows_of_the_data_are_one_parent():
    random = np.random.default_rng(0)
    features, targets = random.normal(size=(60, 100)).astype(np.float32), np.arange(60) % 2
    twice = np.concatenate([features, features])
    made = _copies(features, targets)
    made = Made(made.features, made.goals, made.weights, made.parents + 60)
    head = solve_with(made, twice, np.concatenate([targets, targets]))
    assert (head.held_out.argmax(axis=1)[:60] == targets).mean() < 0.75
