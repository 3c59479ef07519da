"""What is answered without looking."""

from __future__ import annotations

import numpy as np
import pytest
from tests.vision.segmentation.scenes import scenes

from headwater.run import Run
from headwater.settings import Settings
from headwater.vision.locator import Scenes
from headwater.vision.segmentation.baseline import MeanMap


def test_each_place_has_its_most_usual_class(tmp_path):
    train = scenes(40)
    made = MeanMap().fit(train, train, Run(Settings(), tmp_path))
    found = made.answers(scenes(3, 60, 80, seed=1).inputs)
    assert [one.shape for one in found] == [(60, 80)] * 3
    assert (found[0][-10:] == 2).all()
    assert (found[0][0] == 0).all()
    assert [one.tolist() for one in made.constant(train.inputs[:1])] == [[[0] * 32] * 32]
    made.save(tmp_path)
    np.testing.assert_array_equal(MeanMap.load(tmp_path).answers(train.inputs)[0], made.answers(train.inputs)[0])


@pytest.mark.parametrize("void", [-1, 0])
def test_places_that_are_always_void_have_the_most_usual_class(tmp_path, void):
    known = np.full((8, 8), 1)
    known[:4] = void
    made = MeanMap().fit(Scenes(scenes(1).inputs, [known], 2), scenes(1), Run(Settings(), tmp_path))
    assert made.drawn(8, 8)[0, 0] == max(void, 0) + (void < 0)
