import numpy as np
import pytest
from tests.vision.shapes import pictures

from headwater.vision.plain import principal


@pytest.mark.parametrize("channels", [1, 3])
def test_directions_have_the_variance_of_the_pixels(channels):
    found = principal(pictures(200, channels=channels)[0])
    assert found.shape == (200, 64)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-4)
    variance = found.var(axis=0)
    assert (np.diff(variance) <= 1e-4).all()
    assert 0.7 < variance.sum() / (16 * 16 * channels) <= 1.0001
    overlap = np.corrcoef(found.T) - np.eye(64)
    assert np.abs(overlap).max() < 1e-3


def test_they_tell_classes_apart_and_are_the_same_again():
    given, targets = pictures(80)
    found = principal(given)
    np.testing.assert_array_equal(found, principal(given))
    lying, standing = (np.square(found[targets == kind]).mean(axis=0) for kind in (0, 1))
    assert np.abs(np.log(lying / standing))[:4].max() > 2


@pytest.mark.parametrize("rows", [2, 3, 40])
def test_few_and_equal_pictures(rows):
    given, _ = pictures(rows)
    assert principal(given).shape == (rows, max(2, rows - 1))
    assert principal(given).std(axis=0)[0] > 1
    np.testing.assert_array_equal(principal([given[0]] * rows), np.ones((rows, 1)))


def test_no_picture_and_one():
    assert principal([]).shape == (0, 1)
    assert principal(pictures(1)[0]).tolist() == [[1]]
