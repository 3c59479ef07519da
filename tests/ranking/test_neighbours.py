"""The vote of the nearest rows beside scikit-learn's."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from headwater.ranking import neighbours
from headwater.ranking.neighbours import leave_one_out


def problem(rows=90, classes=3):
    targets = np.arange(rows) % classes
    return np.random.default_rng(0).normal(size=(rows, 8)) + 1.5 * np.eye(classes, 8)[targets], targets


@pytest.mark.parametrize(("count", "part"), [(1, 1024), (5, 7), (10, 1024)])
def test_answers_are_those_of_scikit_learn(count, part, monkeypatch):
    monkeypatch.setattr(neighbours, "_PART", part)
    features, targets = problem()
    peer = KNeighborsClassifier(count, metric="cosine", algorithm="brute").fit(features, targets)
    np.testing.assert_array_equal(leave_one_out(features, targets, count), peer.predict(None) == targets)


def test_several_labels_are_voted_on_one_by_one():
    features, targets = problem()
    flags = np.stack([targets == 0, targets < 2], axis=1).astype(np.float32)
    peers = [KNeighborsClassifier(5, metric="cosine", algorithm="brute").fit(features, flag) for flag in flags.T]
    expected = np.mean([peer.predict(None) == flag for peer, flag in zip(peers, flags.T, strict=True)], axis=0)
    np.testing.assert_allclose(leave_one_out(features, flags, 5), expected)


def test_few_rows_and_rows_of_zeros_have_neighbours_too():
    assert leave_one_out(np.array([[1.0], [0.0], [1.0]]), np.array([0, 0, 0])).tolist() == [1.0, 1.0, 1.0]
