import numpy as np
import pytest

from headwater.evaluation import views
from headwater.evaluation.views import effective_rank, found_again, spread

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("part", [3, 1024])
def test_the_nearest_of_all_other_views_is_found_as_by_brute_force(part, monkeypatch):
    monkeypatch.setattr(views, "_PART", part)
    first = RANDOM.normal(3, 1, (20, 5))
    second = first + RANDOM.normal(0, 1, (20, 5))
    ours, theirs = (one - one.mean(axis=0) for one in (first, second))
    wanted = []
    for row, one in enumerate(ours):
        likeness = [one @ two / (np.linalg.norm(one) * np.linalg.norm(two)) for two in theirs]
        wanted.append(float(int(np.argmax(likeness)) == row))
    assert 0 < sum(wanted) < 20
    assert found_again(first, second).tolist() == wanted


def test_what_ties_with_another_is_not_found():
    one = np.array([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.5]])
    assert found_again(one, one).tolist() == [0.0, 0.0, 1.0]


def test_features_that_differ_by_rounding_alone_find_nothing():
    same = np.full((50, 8), 0.3) + RANDOM.normal(0, 1e-9, (50, 8))
    assert found_again(same, same).sum() == 0
    assert spread(same) == pytest.approx(0, abs=1e-6)
    assert effective_rank(same) == 1.0


def test_the_effective_rank_is_the_exponential_of_the_entropy_of_singular_values():
    features = RANDOM.normal(0, 1, (40, 6)) * [5, 3, 2, 1, 0.5, 0.1]
    units = features / np.linalg.norm(features, axis=1, keepdims=True)
    sizes = np.linalg.svd(units - units.mean(axis=0), compute_uv=False)
    shares = sizes / sizes.sum()
    assert effective_rank(features) == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))


def test_the_spread_is_that_of_directions_not_of_lengths():
    features = RANDOM.normal(0, 1, (400, 64))
    assert spread(features) == pytest.approx(1, abs=0.05)
    assert spread(features * RANDOM.uniform(1, 9, (400, 1))) == pytest.approx(spread(features))
    assert spread(np.zeros((0, 3))) == 0
