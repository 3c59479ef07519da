import numpy as np
import pytest

from headwater.training.batching import by_length, epoch_batches, micro_batches

LENGTHS = np.random.default_rng(1).integers(1, 60, 500)


def padded(batches):
    return sum(len(batch) * LENGTHS[batch].max() for batch in batches)


def test_by_length_has_every_row_once_within_the_budget_longest_first():
    batches = by_length(LENGTHS, 256, max_rows=20)
    assert sorted(np.concatenate(batches).tolist()) == list(range(500))
    assert all(len(batch) * LENGTHS[batch].max() <= 256 and len(batch) <= 20 for batch in batches)
    longest = [LENGTHS[batch].max() for batch in batches]
    assert longest == sorted(longest, reverse=True)


@pytest.mark.parametrize("lengths", [[], [0, 0, 0], [900, 1]])
def test_by_length_takes_no_rows_empty_rows_and_rows_over_the_budget(lengths):
    batches = by_length(np.array(lengths, dtype=np.int64), 16)
    assert sorted(row for batch in batches for row in batch.tolist()) == list(range(len(lengths)))
    assert all(len(batch) for batch in batches)


def test_an_epoch_has_every_row_once_in_steps_of_the_batch_size():
    steps = epoch_batches(LENGTHS, 32, np.random.default_rng(0))
    assert sorted(np.concatenate(steps).tolist()) == list(range(500))
    assert sorted(map(len, steps)) == [20] + [32] * 15


def test_an_epoch_is_random_and_hardly_padded():
    first, again, other = (epoch_batches(LENGTHS, 32, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    assert padded(first) < 1.1 * LENGTHS.sum()
    means = [LENGTHS[step].mean() for step in first]
    assert means != sorted(means)
    assert means != sorted(means, reverse=True)


def test_micro_batches_are_the_rows_of_the_step():
    rows = np.array([7, 3, 400, 12])
    passes = micro_batches(rows, LENGTHS, int(LENGTHS[rows].max()))
    assert sorted(np.concatenate(passes).tolist()) == [3, 7, 12, 400]
    assert len(passes) > 1
