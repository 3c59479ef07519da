import numpy as np
import pytest
from scipy.special import log_softmax

from headwater.language.classification.validation import accuracy, mean_loss, stage
from headwater.transfer.classifier import Examples

LOGITS = np.array([[2.0, 0.0, -1.0], [0.0, 1.0, 3.0], [0.5, 0.1, 0.0]])


def test_losses_are_those_of_softmax_and_sigmoid():
    assert mean_loss(LOGITS, np.array([0, 2, 1])) == pytest.approx(
        -np.diag(log_softmax(LOGITS, 1)[:, [0, 2, 1]]).mean()
    )
    targets = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 1]])
    p = 1 / (1 + np.exp(-LOGITS))
    expected = -np.mean(targets * np.log(p) + (1 - targets) * np.log(1 - p))
    assert mean_loss(LOGITS, targets) == pytest.approx(expected)


def test_accuracy_counts_rows_or_labels():
    assert accuracy(LOGITS, np.array([0, 2, 1])) == pytest.approx(2 / 3)
    assert accuracy(LOGITS, np.array([[1, 0, 0], [0, 1, 1], [1, 1, 1]])) == pytest.approx(8 / 9)
    assert accuracy(LOGITS[:0], np.array([], dtype=np.int64)) == 0


def test_intervals_are_those_of_wilson():
    found = stage("probe", LOGITS, Examples(["a"] * 3, np.array([0, 2, 0]), 3), 1.5, "kept")
    assert (found.score, found.seconds, found.decision) == (1.0, 1.5, "kept")
    assert (round(found.low, 4), found.high) == (0.4385, 1.0)
