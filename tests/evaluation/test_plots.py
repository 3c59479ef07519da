import math
import re

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


@pytest.mark.parametrize("last", [20_000, 999_999, 1_000_000, 123_456])
def test_the_numbers_of_an_axis_end_within_the_plot(last):
    """Letters of 12 pixels are some 7 wide, and stand about the middle of their place."""
    drawn = str(plots.curve([(1.0, 1.0), (float(last), 2.0)], "step", "return"))
    width = float(re.search(r'viewBox="0 0 (\d+)', drawn)[1])
    labels = re.findall(r'<text class="middle" x="([\d.]+)" y="208.0">([^<]+)', drawn.replace('y="208"', 'y="208.0"'))
    assert len(labels) > 1
    assert all(float(x) + 3.5 * len(text) <= width for x, text in labels)
    assert all(len(text) <= 5 for _, text in labels)


def test_a_band_goes_there_above_the_line_and_back_below_it():
    points = [(0.0, 1.0), (10.0, 2.0)]
    drawn = str(plots.curve(points, "step", "return", [(0.0, 0.0, 2.0), (10.0, 1.0, 3.0)]))
    path = re.search(r'class="band" d="M([^"]+) Z"', drawn)[1]
    xs, ys = zip(*[map(float, place.split()) for place in path.split(" L")], strict=True)
    assert xs == (56, 400, 400, 56)
    assert ys[0] < ys[3]
    assert ys[1] < ys[2]
    assert 'class="band"' not in str(plots.curve(points, "step", "return", [(0.0, 0.0, 2.0)]))


def test_curves_side_by_side_have_one_scale():
    def names(values: list[float]) -> list[str]:
        drawn = str(plots.curve(plots.numbered(values), "episodes", "return", beside=[0.0, 100.0]))
        return re.findall(r'<text class="end" [^>]*>([^<]+)<', drawn)

    assert names([1.0, 2.0]) == names([90.0, 100.0]) != []
