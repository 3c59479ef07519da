"""Class shares: their test against the chi-square test, and rows with equal shares."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from headwater.comparison.labelshift import evenly, label_shift


def rows(**counts: int) -> list[str]:
    return [name for name, count in counts.items() for _ in range(count)]


@pytest.mark.parametrize("other", [{"a": 95, "b": 85, "c": 20}, {"a": 130, "b": 50, "c": 20}, {"a": 100, "b": 70}])
def test_the_p_value_is_that_of_the_chi_square_test(other):
    source, target = rows(a=100, b=80, c=20), rows(**other)
    table = [[Counter(side)[name] for name in "abc"] for side in (source, target)]
    expected = chi2_contingency(np.array(table), correction=False).pvalue
    assert label_shift(source, target).p == pytest.approx(expected, abs=0.05)


def test_shares_have_counts_and_intervals():
    found = label_shift([*rows(a=30, b=10), None], rows(b=5, c=5))
    assert [(share.name, share.rows) for share in found.shares] == [("a", (30, 0)), ("b", (10, 5)), ("c", (0, 5))]
    assert found.shares[0].source.value == 0.75
    assert found.shares[0].source.low < 0.75 < found.shares[0].source.high
    assert found.shares[0].target.high > 0.2
    assert found.moved == 0.75
    assert found.common == ["b"]


def test_a_side_without_labels_has_no_p_value():
    found = label_shift(rows(a=3), [None, None])
    assert math.isnan(found.p)
    assert math.isnan(found.moved)
    assert found.common == []


def test_even_rows_have_equal_shares_on_both_sides():
    source, target = [*rows(a=90, b=10, x=5), None], rows(a=20, b=80, y=3)
    kept, others = evenly(source, target, seed=1)
    shares = [Counter(side[row] for row in part) for side, part in ((source, kept), (target, others))]
    assert all(count.keys() == {"a", "b"} for count in shares)
    first, second = (count["a"] / count.total() for count in shares)
    assert first == pytest.approx(second, abs=0.05)
    assert len(set(kept.tolist())) == len(kept) >= 15
    assert len(others) >= 25


def test_even_sides_are_left_whole():
    source, target = rows(a=30, b=60), rows(a=10, b=20)
    assert [len(part) for part in evenly(source, target)] == [90, 30]


def test_without_a_common_class_no_row_is_kept():
    assert [len(part) for part in evenly(rows(a=5), rows(b=5))] == [0, 0]
