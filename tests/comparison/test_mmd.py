"""The discrepancy against its definition, and what it sees that a mean does not."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics.pairwise import rbf_kernel

from headwater.comparison.mmd import discrepancy
from headwater.transfer.distance import measure


def test_the_value_is_that_of_the_definition():
    random = np.random.default_rng(0)
    source, target = random.normal(size=(30, 4)), random.normal(size=(20, 4)) + 0.5
    found = discrepancy(source, target, permutations=9)
    every = np.concatenate([source, target])
    every -= every.mean(axis=0)
    kernel = rbf_kernel(every, gamma=1 / (2 * found.width**2))
    inside = [
        (part.sum() - np.trace(part)) / (len(part) * (len(part) - 1)) for part in (kernel[:30, :30], kernel[30:, 30:])
    ]
    assert found.value == pytest.approx(sum(inside) - 2 * kernel[:30, 30:].mean(), abs=1e-6)
    distances = np.sqrt(((every[:, None] - every[None]) ** 2).sum(axis=2))[np.triu_indices(50, 1)]
    assert found.width == pytest.approx(np.median(distances))


def test_a_difference_of_spread_alone_is_seen():
    rows = np.random.default_rng(0).normal(size=(200, 3))
    assert discrepancy(rows[:100], 3 * rows[100:]).p < 0.01
    assert measure(rows[:100], 3 * (rows[100:] - rows[100:].mean(axis=0)) + rows[:100].mean(axis=0)).p > 0.01


def test_like_sets_are_seldom_called_apart():
    p = [discrepancy(*np.split(np.random.default_rng(seed).normal(size=(60, 3)), 2), permutations=39, seed=seed).p
         for seed in range(100)]  # fmt: skip
    assert np.mean(np.array(p) <= 0.05) <= 0.1
    assert 0.35 < np.mean(p) < 0.65


def test_equal_rows_are_alike():
    found = discrepancy(np.ones((20, 2)), np.ones((20, 2)), permutations=9)
    assert (found.value, found.p, found.width) == (0.0, 1.0, 1.0)
