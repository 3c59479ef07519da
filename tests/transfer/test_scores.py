import numpy as np

from headwater.transfer.scores import correct, estimate, gain, score

TARGETS = np.array([0, 1, 1, 0])
SURE = np.array([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0], [2.0, 0.0]])


def test_equal_accuracy_is_decided_by_the_probability_of_the_truth():
    unsure = SURE / 10
    assert score(SURE, TARGETS) > score(unsure, TARGETS) > 0.75


def test_no_confidence_outweighs_one_row():
    better = np.array([[0.1, 0.0], [0.0, 0.1], [0.0, 0.1], [0.1, 0.0]])
    assert score(better, TARGETS) > score(SURE * 100, TARGETS)


def test_several_labels_score_by_the_share_that_is_right():
    several = np.eye(2)[TARGETS]
    assert correct(SURE * 2 - 2, several).mean() == 0.75
    assert 0.75 < score(SURE * 2 - 2, several) < 0.875


def test_the_interval_of_a_gain_is_paired():
    right = np.array([1.0, 1.0, 1.0, 0.0] * 50)
    assert gain(right, right, "probe", 0).high == 0
    assert gain(right, np.zeros(200), "probe", 0).real
    bounds = estimate(right, 0)
    assert bounds.low < 0.75 < bounds.high
