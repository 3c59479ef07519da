import math

import pytest

from headwater.evaluation import plots
from headwater.evaluation.intervals import Estimate


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.81, 0.87), (1, 12_000), (3, 3), (-0.4, 0.1)])
def test_ticks_are_few_and_inside(low, high):
    ticks = plots.Axis(low, high, 0, 100).ticks()
    assert len(ticks) <= 6
    assert all(low - 1e-6 <= tick <= high + 1e-6 for tick in ticks)
    assert ticks or low == high


def test_scale_holds_every_interval():
    estimates = [Estimate(0.06, 0.05, 0.08), Estimate(0.91, 0.89, 0.99), Estimate(math.nan)]
    assert plots.scale_of(estimates) == (0.0, 1.0)
    assert plots.scale_of([]) == (0.0, 1.0)
    assert plots.scale_of([Estimate(-0.31, -0.4, -0.2)])[0] <= -0.4


def test_what_was_not_measured_is_not_drawn():
    assert plots.whisker(Estimate(math.nan), (0, 1)) == ""
    assert plots.curve([], "step", "loss") == ""
    assert plots.quantiles({"50": 3}, "words") == ""


def test_equal_lengths_have_a_box():
    drawn = plots.quantiles({str(percent): 7 for percent in (0, 5, 25, 50, 75, 95, 100)}, "words")
    assert "nan" not in drawn
    assert "<rect" in drawn


def test_a_flat_curve_is_drawn():
    assert "nan" not in plots.curve([(1, 0.5), (2, 0.5)], "step", "score")


def test_small_matrices_show_their_counts_and_large_ones_do_not():
    small = plots.confusion(["a", "b"], [[12_345, 1], [0, 3]])
    assert ">12k<" in small
    large = plots.confusion(["a"] * 30, [[5] * 30] * 30)
    assert ">5<" not in large
    assert large.count("<title>") == 900


def test_long_names_are_cut_with_wide_scripts_counted():
    drawn = plots.confusion(["a" * 80, "酒" * 80], [[1, 0], [0, 1]])
    assert f"{'a' * 22}…" in drawn
    assert f"{'酒' * 12}…" in drawn
