import numpy as np
import pytest
from scipy.special import log_softmax

from headwater.language.classification.validation import mean_loss

LOGITS = np.array([[2.0, 0.0, -1.0], [0.0, 1.0, 3.0], [0.5, 0.1, 0.0]])


def test_losses_are_those_of_softmax_and_sigmoid():
    assert mean_loss(LOGITS, np.array([0, 2, 1])) == pytest.approx(
        -np.diag(log_softmax(LOGITS, 1)[:, [0, 2, 1]]).mean()
    )
    targets = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 1]])
    p = 1 / (1 + np.exp(-LOGITS))
    expected = -np.mean(targets * np.log(p) + (1 - targets) * np.log(1 - p))
    assert mean_loss(LOGITS, targets) == pytest.approx(expected)
