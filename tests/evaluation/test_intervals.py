import math

import numpy as np
import pytest

from headwater.evaluation.intervals import Estimate, Gain, figures, label, normal, paired_gain, percentile


def test_estimate_survives_json_with_and_without_an_interval():
    for estimate in (Estimate(0.9, 0.8, 0.95), Estimate(math.nan)):
        assert str(Estimate.from_json(estimate.to_json())) == str(estimate)
    assert Estimate(math.nan).to_json() == {"value": None, "low": None, "high": None}
    assert str(Estimate(0.5)) == "0.500"


def test_bias_of_the_replicates_does_not_move_the_interval():
    replicates = np.random.default_rng(0).normal(0.5, 0.01, 4000)
    centred, pulled = percentile(0.5, replicates, rows=100), percentile(0.5, replicates - 0.2, rows=100)
    assert (centred.low, centred.high) == pytest.approx((pulled.low, pulled.high), abs=1e-9)


@pytest.mark.parametrize("rare", [0.0, 1.0])
def test_an_interval_holds_its_value_where_nearly_all_replicates_are_one_number(rare):
    replicates = np.full(1000, 0.5)
    replicates[:5] = rare
    estimate = percentile(0.5, replicates, rows=8)
    assert estimate.low <= 0.5 <= estimate.high


def test_scale_shrinks_the_spread():
    replicates = np.random.default_rng(0).normal(0.5, 0.01, 4000)
    whole, part = percentile(0.5, replicates, rows=100), percentile(0.5, replicates, rows=100, scale=0.5)
    assert part.high - part.low == pytest.approx((whole.high - whole.low) / 2)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_scores_without_spread_get_the_reach_of_wilson(value):
    estimate = percentile(value, np.full(100, value), rows=20)
    assert estimate.high - estimate.low == pytest.approx(1.96**2 / (20 + 1.96**2), abs=1e-4)


def test_what_was_not_measured_has_no_interval():
    assert math.isnan(percentile(math.nan, np.ones(3), rows=1).low)
    assert math.isnan(percentile(0.5, np.full(3, np.nan), rows=1).low)
    assert math.isnan(normal(math.nan, 0.1, rows=1).low)


def test_normal_intervals_stay_within_bounds():
    near = normal(0.99, 0.02, rows=50, bounds=(0, 1))
    assert 0 < near.low < 0.99 < near.high < 1
    assert normal(0.01, 1.0, rows=50).low == 0


@pytest.mark.parametrize(
    ("numbers", "real", "said"),
    [
        ((0.1, 0.05, 0.15), True, "the gain is real"),
        ((0.1, -0.05, 0.25), False, "this may be chance"),
        ((-0.1, -0.2, -0.05), False, "use the baseline"),
        ((math.nan, math.nan, math.nan), False, "could not be measured"),
    ],
)
def test_the_sentence_of_a_gain_follows_its_interval(numbers, real, said):
    gain = Gain("majority", "f1_macro", *numbers)
    assert gain.real is real
    assert said in gain.sentence


def test_equal_predictions_are_no_gain():
    assert not paired_gain("majority", "accuracy", 0.0, np.zeros(10)).real


def test_numbers_have_the_digits_that_they_need():
    assert str(Estimate(487.654, 90.25, 500.0)) == "487.7 [90.2, 500.0]"
    assert str(Estimate(0.9123)) == "0.912"
    assert figures(12.345, -1.5) == ["12.35", "-1.50"]
    assert figures(float("nan")) == ["nan"]
    assert label("return_iqm") == "Return IQM"
    assert Gain("random", "return", -120.04, -130.0, -99.0).sentence.startswith("Worse than random by 120.0 in return")
