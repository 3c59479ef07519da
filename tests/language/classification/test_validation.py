import numpy as np
import pytest
from scipy.special import log_softmax

from headwater.language.classification.validation import mean_loss, stage
from headwater.transfer import scores
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


def test_a_stage_has_the_interval_of_every_other():
    valid = Examples(["a"] * 3, np.array([0, 2, 1]), 3)
    found = stage("probe", LOGITS, valid, 1.5, "kept")
    assert (found.score, found.seconds, found.decision) == (pytest.approx(2 / 3), 1.5, "kept")
    expected = scores.estimate(scores.correct(LOGITS, valid.targets), seed=0)
    assert (found.low, found.high) == (expected.low, expected.high)
    assert 0 <= found.low < found.score < found.high <= 1
