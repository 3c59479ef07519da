import numpy as np
import pytest
from tests.vision.shapes import stripes

from headwater.vision.gradients import CELL, DIRECTIONS, histograms


def wave(degrees, side=24):
    down, across = np.mgrid[:side, :side]
    angle = np.deg2rad(degrees)
    place = across * np.cos(angle) + down * np.sin(angle)
    return (0.5 + 0.5 * np.sin(place * 0.8))[None, :, :, None]


@pytest.mark.parametrize("direction", range(DIRECTIONS))
def test_an_edge_votes_for_its_direction(direction):
    # What brightness climbs along is the direction: of a standing edge it lies.
    found = histograms(wave(20 * direction)).reshape(-1, DIRECTIONS)
    assert (found.argmax(axis=1) == direction).all()


def test_a_vertical_edge_votes_for_the_first_direction_alone():
    edge = np.zeros((2, 16, 16, 1))
    edge[0, :, 12:] = 1
    edge[1, :, :12] = 1
    found = histograms(edge).reshape(2, 2, 2, DIRECTIONS)
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[:, :, 1, 0] > 0).all()
    assert found.sum() == found[:, :, 1, 0].sum()


def test_between_two_directions_the_vote_is_shared():
    found = histograms(wave(30)).reshape(-1, DIRECTIONS).mean(axis=0)
    assert set(np.argsort(found)[-2:]) == {1, 2}
    assert found[2] == pytest.approx(found[1], rel=0.3)


def test_blocks_have_length_one_and_contrast_does_not_matter():
    pictures = stripes(4, 24)[0] / 255
    found = histograms(pictures)
    assert found.shape == (4, (24 // CELL - 1) ** 2 * 4 * DIRECTIONS)
    assert found.dtype == np.float32
    np.testing.assert_allclose((found.reshape(4, 4, -1) ** 2).sum(axis=2), 1, atol=1e-3)
    np.testing.assert_allclose(histograms(pictures / 4 + 0.5), found, atol=5e-3)


def test_the_steepest_channel_votes():
    grey = wave(0)
    flat, steep = np.full_like(grey, 0.5), wave(80) * 0.1
    np.testing.assert_allclose(histograms(np.concatenate([flat, grey, steep * 0], axis=3)), histograms(grey), atol=1e-6)


def test_a_plain_picture_votes_for_nothing():
    assert not histograms(np.ones((1, 16, 16, 3))).any()
    assert histograms(np.ones((0, 16, 16, 3))).shape == (0, 36)
