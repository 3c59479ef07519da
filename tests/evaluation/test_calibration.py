import numpy as np
import pytest

from headwater.evaluation.calibration import HIGHEST, LOWEST, fit_temperature, probabilities


def drawn(temperature, rows=4000, classes=4, seed=0):
    """Logits whose true temperature is known."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(rows, classes)) * 3
    chances = probabilities(logits, temperature)
    return logits, (chances.cumsum(axis=1) > random.random((rows, 1))).argmax(axis=1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_finds_the_temperature_that_drew_the_targets(temperature):
    assert fit_temperature(*drawn(temperature)) == pytest.approx(temperature, rel=0.1)


def test_finds_the_temperature_of_several_labels():
    random = np.random.default_rng(0)
    logits = random.normal(size=(4000, 3)) * 3
    targets = random.random((4000, 3)) < probabilities(logits, 2.0, several=True)
    assert fit_temperature(logits, targets, several=True) == pytest.approx(2.0, rel=0.1)


def test_is_the_minimum_of_the_log_loss():
    logits, targets = drawn(2.0)
    best = fit_temperature(logits, targets)

    def loss(temperature):
        return -np.log(probabilities(logits, temperature)[np.arange(len(targets)), targets]).mean()

    assert loss(best) <= min(loss(best * 0.97), loss(best * 1.03))


def test_few_separable_rows_do_not_ask_for_unlimited_confidence():
    logits, targets = np.array([[4.0, 0.0], [0.0, 4.0]]), np.array([0, 1])
    assert 0.5 < probabilities(logits, fit_temperature(logits, targets)).max() < 0.95


def test_stays_within_its_bounds():
    logits = np.array([[1e-6, 0.0], [0.0, 1e-6]] * 50)
    assert fit_temperature(logits, np.array([0, 1] * 50)) == pytest.approx(LOWEST, rel=1e-3)
    assert fit_temperature(-1e3 * logits, np.array([0, 1] * 50)) == pytest.approx(HIGHEST, rel=1e-3)


@pytest.mark.parametrize("logits", [np.zeros((0, 3)), np.zeros((5, 3))])
def test_nothing_to_learn_leaves_the_temperature_at_one(logits):
    assert fit_temperature(logits, np.zeros(len(logits), dtype=int)) == 1.0


def test_huge_logits_do_not_overflow():
    huge = np.array([[1e5, -1e5, 0.0]])
    assert probabilities(huge).tolist() == [[1.0, 0.0, 0.0]]
    assert probabilities(huge, several=True).tolist() == [[1.0, 0.0, 0.5]]
