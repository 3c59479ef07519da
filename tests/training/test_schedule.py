import pytest

from headwater.training.schedule import cosine, factor, linear


@pytest.mark.parametrize("decay", [linear, cosine])
def test_the_factor_rises_to_one_and_falls_towards_zero(decay):
    factors = [factor(step, 100, 0.1, decay) for step in range(100)]
    assert factors[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert factors[10] == 1.0
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert 0 < factors[-1] < 0.02


def test_cosine_is_half_way_where_linear_is():
    assert factor(55, 100, 0.1, cosine) == pytest.approx(factor(55, 100, 0.1, linear)) == 0.5


@pytest.mark.parametrize("warmup", [0.0, 1.0])
def test_a_schedule_may_be_all_decay_or_all_warmup(warmup):
    assert all(0 < factor(step, 7, warmup) <= 1 for step in range(7))
