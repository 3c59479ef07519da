import numpy as np

from headwater.evaluation.sample import RowSample


def test_a_short_stream_is_kept_whole():
    sample = RowSample(10, seed=0)
    sample.update({"row": np.arange(4)})
    sample.update({"row": np.arange(4, 9)})
    assert sorted(sample.columns["row"].tolist()) == list(range(9))
    assert sample.scale == 1.0


def test_every_row_has_the_same_chance():
    seen = np.zeros(40)
    for seed in range(400):
        sample = RowSample(10, seed)
        for start in range(0, 40, 8):
            sample.update({"row": np.arange(start, start + 8)})
        seen[sample.columns["row"]] += 1
    assert np.abs(seen / 400 - 0.25).max() < 0.1
    assert sample.scale == 0.5
