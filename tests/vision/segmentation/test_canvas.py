"""Pictures and masks brought to a canvas, and back."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from PIL import Image
from tests.vision.segmentation.scenes import scenes

from headwater.data.pictures import Picture
from headwater.data.raster import encode
from headwater.errors import DataError
from headwater.vision.segmentation.canvas import EMPTY, Canvas, faithful, resized

LARGE = [Picture(content=encode(np.zeros((200, 300), np.uint8)))] * 3
STRIPES = [np.tile(np.array([0, 1], np.int16), (200, 150))] * 3
HALVES = [np.repeat(np.array([[0, 1]], np.int16), 150, axis=1).repeat(200, axis=0)] * 3


@pytest.mark.parametrize(
    ("side", "maps", "tiles", "canvas"),
    [
        (1024, HALVES, "auto", Canvas(208, 304)),
        (64, HALVES, "auto", Canvas(64, 80)),
        (64, STRIPES, "auto", Canvas(128, 128, 64, tiles=True)),
        (64, STRIPES, "no", Canvas(64, 80)),
        (200, HALVES, "yes", Canvas(208, 304, 192, tiles=True)),
        (16, HALVES, "no", Canvas(16, 32)),
    ],
)
def test_the_canvas_suits_pictures_and_masks(side: int, maps: list[np.ndarray], tiles: str, canvas: Canvas):
    assert Canvas.of(LARGE, maps, side, tiles) == canvas


def test_masks_tell_how_much_reducing_loses():
    assert faithful(HALVES, 0.5) == 1.0
    assert faithful(STRIPES, 0.25) < 0.6
    assert faithful([np.full((4, 4), -1)], 0.5) == 1.0


def test_a_whole_picture_keeps_its_proportions():
    canvas = Canvas(48, 64)
    assert canvas.size((0, 0, 300, 200)) == (64, 43)
    assert canvas.size((0, 0, 10, 20)) == (24, 48)
    assert canvas.size((0, 0, 3000, 1)) == (64, 1)
    assert canvas.size((0, 0, 60, 44)) == (60, 44)  # not enlarged by a few pixels
    assert canvas.seen == (48, 64)
    assert canvas.views == 1


def test_pictures_and_masks_stand_at_the_top_left():
    picture, answer = scenes(1, 20, 40).inputs[0], scenes(1, 20, 40).answers[0]
    canvas = Canvas(32, 32)
    seen, known = canvas.drawn(picture, grey=False), canvas.mapped(answer)
    assert (seen.shape, known.shape) == ((1, 32, 32, 3), (1, 32, 32))
    assert (seen[0, 16:] == 127).all()
    assert (known[0, 16:] == EMPTY).all()
    np.testing.assert_array_equal(known[0, 1:16], resized(answer, 16, 32)[1:])
    assert canvas.drawn(picture, grey=True).shape == (1, 32, 32, 1)


def test_pieces_cover_a_large_picture_and_overlap():
    canvas = Canvas(64, 64, 32, tiles=True)
    boxes = canvas.boxes(150, 70)
    covered = np.zeros((70, 150), int)
    for left, top, right, bottom in boxes:
        assert (right - left, bottom - top) == (64, 64)
        covered[top:bottom, left:right] += 1
    assert covered.min() == 1
    assert len(boxes) == 6
    starts = sorted({box[0] for box in boxes})
    assert all(later - sooner <= 64 - 8 for sooner, later in itertools.pairwise(starts))
    assert canvas.boxes(40, 30) == [(0, 0, 40, 30)]
    assert (canvas.seen, canvas.views) == ((32, 32), 4)


def test_pieces_are_cut_at_their_own_scale():
    pixels = np.arange(100 * 70).reshape(70, 100) % 251
    canvas = Canvas(64, 64, 32, tiles=True)
    seen = canvas.drawn(Picture(content=encode(pixels.astype(np.uint8))), grey=True)
    for piece, (left, top, right, bottom) in zip(seen, canvas.boxes(100, 70), strict=True):
        np.testing.assert_array_equal(piece[..., 0], pixels[top:bottom, left:right])
    known = canvas.mapped((pixels % 3).astype(np.int16))
    np.testing.assert_array_equal(known[0], pixels[:64, :64] % 3)


def test_the_picture_is_seen_as_a_person_sees_it():
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    Image.new("RGB", (40, 20), "red").save(stream, "JPEG", exif=exif)
    seen = Canvas(32, 32).drawn(Picture(content=stream.getvalue()), grey=False)[0]
    assert (seen[:, :16, 0] > 200).all()
    assert (seen[:, 16:] == 127).all()


def test_a_picture_that_is_gone_says_so():
    with pytest.raises(DataError, match="A picture that was there before cannot be read any more"):
        Canvas(32, 32).drawn(Picture("gone.png"), grey=False)
