import doctest

import numpy as np

from headwater.transfer import prototypes


def _rows(seed=0, rows=40, classes=4, width=12):
    random = np.random.default_rng(seed)
    targets = np.arange(rows) % classes
    return (random.normal(size=(rows, width)) + 2 * np.eye(classes, width)[targets]).astype(np.float32), targets


def test_it_names_the_class_whose_mean_direction_is_nearest():
    features, targets = _rows()
    others, _ = _rows(seed=1)
    head = prototypes.solve(features, targets, 4)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    means = np.stack([unit[targets == kind].mean(axis=0) for kind in range(4)])
    cosines = others @ (means / np.linalg.norm(means, axis=1, keepdims=True)).T
    np.testing.assert_array_equal(head.logits(others).argmax(axis=1), cosines.argmax(axis=1))


def test_the_length_of_a_row_does_not_change_its_class():
    features, targets = _rows()
    head = prototypes.solve(features, targets, 4)
    np.testing.assert_array_equal(head.logits(7 * features).argmax(axis=1), head.logits(features).argmax(axis=1))


def test_logits_are_cosines_times_the_sharpness_for_rows_of_one_length():
    head = prototypes.solve(np.array([[3.0, 0.0], [0.0, 3.0]]), np.array([0, 1]), 2)
    np.testing.assert_allclose(head.logits(np.array([[3.0, 0.0]])), [[prototypes.SHARPNESS, 0.0]], atol=1e-5)


def test_a_weight_counts_as_copies():
    features, targets = _rows(rows=8)
    counts = np.array([3, 1, 1, 2, 1, 1, 4, 1])
    copied = prototypes.solve(np.repeat(features, counts, axis=0), np.repeat(targets, counts), 4)
    weighted = prototypes.solve(features, targets, 4, counts.astype(float))
    cosines = copied.weight / np.linalg.norm(copied.weight, axis=1, keepdims=True)
    np.testing.assert_allclose(
        weighted.weight / np.linalg.norm(weighted.weight, axis=1, keepdims=True), cosines, atol=1e-5
    )


def test_a_class_without_rows_is_never_named_and_rows_of_nothing_do_no_harm():
    features, targets = _rows()
    features[0] = 0
    head = prototypes.solve(features, targets, 5)
    assert np.isfinite(head.weight).all()
    assert not (head.logits(features).argmax(axis=1) == 4).any()


def test_examples():
    assert doctest.testmod(prototypes).failed == 0
