import numpy as np
import pytest
from PIL import Image
from tests.vision.detection import squares

from headwater.foundation import cache
from headwater.run import Run
from headwater.settings import Settings
from headwater.vision.detection import proposals, proposing, scenes
from headwater.vision.detection.proposals import Regions, _hsv, _lab, grouped, selective_search
from headwater.vision.detection.proposing import kept_regions, proposed
from headwater.vision.detection.rcnn import RcnnDetector, RcnnSettings
from headwater.vision.detection.segments import _Forest, segments

SQUARES = {(4, 8, 24, 30): (200, 40, 40), (36, 10, 56, 24): (40, 60, 210), (20, 40, 50, 58): (40, 200, 60)}


def picture(noise=0):
    pixels = np.full((64, 64, 3), 30, np.uint8)
    for (left, top, right, bottom), colour in SQUARES.items():
        pixels[top:bottom, left:right] = colour
    random = np.random.default_rng(0)
    return (pixels + random.integers(0, noise + 1, pixels.shape)).astype(np.uint8)


def overlaps(boxes, wanted):
    low, high = np.maximum(boxes[:, :2], wanted[:2]), np.minimum(boxes[:, 2:], wanted[2:])
    common = (high - low).clip(min=0).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return common / (areas + (wanted[2] - wanted[0]) * (wanted[3] - wanted[1]) - common)


@pytest.mark.parametrize("noise", [0, 20])
def test_every_square_is_proposed_and_so_is_the_picture(noise):
    found = selective_search(picture(noise))
    for place in [*SQUARES, (0, 0, 64, 64)]:
        assert overlaps(found, np.array(place)).max() > 0.85
    assert len(np.unique(found, axis=0)) == len(found)
    assert found.dtype == np.float32
    assert (found[:, 2:] > found[:, :2]).all()


def test_a_seed_repeats_and_so_many_are_given_at_most():
    found = selective_search(picture(20))
    np.testing.assert_array_equal(found, selective_search(picture(20)))
    np.testing.assert_array_equal(selective_search(picture(20), most=3), found[:3])
    assert not np.array_equal(found, selective_search(picture(20), seed=1))


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (33, 64)])
def test_a_picture_of_one_colour_is_one_region(size):
    found = selective_search(np.full((*size, 3), 90, np.uint8))
    assert found.tolist() == [[0, 0, size[1], size[0]]]


def test_segments_of_flat_colours_are_the_flat_areas():
    found = segments(picture().astype(float), 50, 40)
    ids = [found[12, 8], found[16, 44], found[50, 30], found[2, 2]]
    assert len(set(ids)) == 4
    for (left, top, right, bottom), number in zip(SQUARES, ids[:3], strict=True):
        inner = found[top + 2 : bottom - 2, left + 2 : right - 2]  # the blur makes rings of the edges
        assert (inner == number).all()
        assert (found == number).sum() <= (bottom - top + 4) * (right - left + 4)


def test_small_segments_join_their_neighbours():
    noisy = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(float)
    for least in (1, 20, 200):
        assert np.bincount(segments(noisy, 1.0, least).ravel()).min() >= least
    assert segments(noisy, 1e9, 1).max() == 0


def test_edges_join_as_the_paper_says():
    forest = _Forest(np.ones(5, int))
    first, second = np.array([0, 1, 2, 3]), np.array([1, 2, 3, 4])
    # 0 and 1 join at 1 of 4 granted, and are then granted 1 + 4 / 2; 2 joins at 3, and they are granted 3 + 4 / 3;
    # 3 at 4.2 is more than a single pixel is granted, and 4 at 3.9 joins 3.
    forest.join_alike(first, second, np.array([1.0, 3.0, 4.2, 3.9]), 4.0)
    assert forest.numbers().tolist() == [0, 0, 0, 1, 1]


def test_like_neighbours_are_grouped_first():
    pixels = np.zeros((16, 48, 3), np.float32)
    pixels[:, 16:32] = 20
    pixels[:, 32:] = 250
    numbers = np.repeat(np.repeat(np.arange(3)[None], 16, axis=0), 16, axis=1)
    start = Regions.of(pixels, numbers)
    assert start.neighbours.tolist() == [[0, 1], [1, 2]]
    np.testing.assert_allclose(start.sizes, 1 / 3)
    np.testing.assert_allclose(start.colours.sum(axis=1), 1)
    np.testing.assert_allclose(start.textures.sum(axis=1), 1)
    found = grouped(start, coloured=True)
    assert found[:3].tolist() == [[0, 0, 16, 16], [16, 0, 32, 16], [32, 0, 48, 16]]
    assert found[-1].tolist() == [0, 0, 48, 16]
    assert len(found) == 5


def test_colour_spaces_are_those_of_pillow_and_of_the_standard():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    found = _hsv(pixels.astype(np.float32) / 255)
    expected = np.asarray(Image.fromarray(pixels).convert("HSV"), np.float32)
    assert np.abs(found - expected).max() < 1.5
    known = _lab(np.array([[[1, 1, 1], [0, 0, 0], [1, 0, 0]]], np.float32))[0]
    np.testing.assert_allclose(
        known, [[255, 128, 128], [0, 128, 128], [2.55 * 53.24, 128 + 80.09, 128 + 67.2]], atol=0.2
    )


def test_proposals_are_kept_by_content(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADWATER_CACHE", str(tmp_path))
    calls = []
    search = selective_search
    monkeypatch.setattr(proposing, "selective_search", lambda *given: calls.append(1) or search(*given))
    pictures = np.stack([picture(), picture(20)])
    first = proposed(pictures, 30, kept_regions(30))
    assert len(calls) == 2
    again = proposed(pictures[::-1], 30, kept_regions(30))
    assert len(calls) == 2
    for one, other in zip(first, again[::-1], strict=True):
        np.testing.assert_array_equal(one, other)
        assert 0 < len(one) <= 30
    proposed(pictures, 20, kept_regions(20))
    assert len(calls) == 4
    proposed(pictures[:1], 30, None)
    assert len(calls) == 5
    assert proposed(pictures[:0], 30, kept_regions(30)) == []


def test_a_fit_reads_the_keys_of_what_is_kept_once(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADWATER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(scenes, "portions", lambda rows, side: (slice(row, row + 1) for row in range(rows)))
    looked = []
    keys_in = cache._keys_in
    monkeypatch.setattr(cache, "_keys_in", lambda file: looked.append(file) or keys_in(file))
    settings = Settings(device="cpu", image_size=64, epochs=1)
    given = squares.scenes(4)
    for parts in (4, 4):  # written one by one, then read one by one
        run = Run(settings, tmp_path / str(len(looked)))
        made = RcnnDetector(RcnnSettings(proposals=20, width=4)).fit(given, given, run)
        assert len(looked) == len(set(looked)) == parts
        assert made.kept is not None
        looked.clear()


def test_what_changes_proposals_has_a_number():
    assert proposals.VERSION >= 1
