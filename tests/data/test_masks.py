"""Masks: every way of saving them gives the same codes, and damage gives a reason."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.data.drawing import clouds, saved

from headwater.data.masks import ClassMap, code_of, colour_code, mask_glance, written
from headwater.data.pictures import Picture
from headwater.errors import DataError

CODES = np.array([[0, 1, 2], [2, 2, 255]], np.uint8)


def mask(image: Image.Image, kind: str = "PNG", **how: object) -> Picture:
    return Picture(content=saved(image, kind, **how))


def drawn(codes: np.ndarray) -> Picture:
    return mask(Image.fromarray(codes))


def indexed(codes: np.ndarray) -> Picture:
    image = Image.fromarray(codes).convert("L")
    found = Image.frombytes("P", image.size, image.tobytes())
    found.putpalette(random.Random(0).randbytes(768))
    return mask(found)


def read(picture: Picture, *codes: int) -> list[list[int]]:
    return np.asarray(ClassMap(picture, tuple((code, place) for place, code in enumerate(codes)))).tolist()


@pytest.mark.parametrize(
    "picture",
    [
        drawn(CODES),
        indexed(CODES),
        drawn(np.repeat(CODES[:, :, None], 3, axis=2)),
        drawn(CODES.astype(np.uint16)),
        mask(Image.fromarray(CODES.astype(np.int32)), "TIFF"),
        mask(Image.fromarray(CODES.astype(np.float32)), "TIFF"),
        mask(Image.merge("LA", [Image.fromarray(CODES), Image.new("L", (3, 2), 9)])),
    ],
    ids=["grey", "indexed", "grey as colours", "16 bits", "32 bits", "whole floats", "with transparency"],
)
def test_numbers_are_read_however_they_are_saved(picture: Picture):
    assert mask_glance(picture).pixels == {0: 1, 1: 1, 2: 3, 255: 1}
    assert read(picture, 0, 2) == [[0, -1, 1], [1, 1, -1]]


def test_colours_are_codes_and_their_greys_numbers():
    colours = np.array([[[0, 0, 0], [128, 0, 64], [255, 255, 255]]], np.uint8)
    assert mask_glance(drawn(colours)).pixels == {0: 1, colour_code(128, 0, 64): 1, 255: 1}
    assert read(drawn(colours), colour_code(128, 0, 64), 255) == [[-1, 0, 1]]


def test_one_bit_is_black_and_white_as_eight_are():
    assert mask_glance(mask(Image.fromarray(CODES > 1))).pixels == {0: 2, 255: 4}


def test_a_jpeg_keeps_black_and_white_alone():
    white = np.zeros((64, 64), np.uint8)
    white[16:40, 8:50] = 255
    assert mask_glance(mask(Image.fromarray(white), "JPEG")).pixels == {0: 64 * 64 - 24 * 42, 255: 24 * 42}
    numbers = Image.fromarray((np.arange(4096).reshape(64, 64) // 1024 * 60).astype(np.uint8))
    assert mask_glance(mask(numbers, "JPEG")).reason == "a JPEG does not keep the numbers of a mask: save it as PNG"


def test_masks_are_turned_as_their_exif_says():
    image = Image.fromarray(CODES)
    exif = image.getexif()
    exif[0x0112] = 6
    assert read(mask(image, exif=exif), 0, 1, 2, 255) == np.rot90([[0, 1, 2], [2, 2, 3]], -1).tolist()


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (mask(clouds(0)), "the mask has 1,5.. numbers or colours, and one of classes has at most 256"),
        (mask(Image.fromarray(np.full((2, 2), 0.5, np.float32)), "TIFF"), "the mask has numbers that are no classes"),
        (mask(Image.fromarray(np.full((2, 2), -3, np.int32)), "TIFF"), "the mask has numbers that are no classes"),
        (Picture(content=b"no mask"), "this is no mask that can be read"),
        (Picture(content=b""), "the mask is empty: it has no bytes"),
        (Picture("gone.png"), "there is no such file: gone.png"),
    ],
)
def test_what_is_no_mask_is_said(picture: Picture, reason: str):
    import re

    assert re.match(reason, mask_glance(picture).reason or "")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_a_damaged_mask_is_read_or_refused(data: st.DataObject):
    """Bytes cut, changed or put in: a glance never fails, and what it says can be read is read in the size it says."""
    content = bytearray((indexed(CODES) if data.draw(st.booleans()) else drawn(CODES)).content or b"")
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        match data.draw(st.sampled_from(["cut", "change", "insert"])):
            case "cut":
                content = content[: max(place, 1)]
            case "change":
                content[place] = data.draw(st.integers(0, 255))
            case _:
                content[place:place] = data.draw(st.binary(min_size=1, max_size=8))
    picture = Picture(content=bytes(content))
    seen = mask_glance(picture)
    if seen.reason is None:
        assert np.shape(ClassMap(picture, ((0, 0),))) == (seen.height, seen.width)
        assert sum(seen.pixels.values()) == seen.height * seen.width


def test_a_mask_that_is_gone_says_so(tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(saved(Image.fromarray(CODES)))
    later = ClassMap(Picture(str(file)), ((0, 0),))
    assert np.asarray(later)[0, 0] == 0
    file.unlink()
    with pytest.raises(DataError, match="A mask that was there before cannot be read any more"):
        np.asarray(later)


def test_maps_are_kept_and_cannot_be_changed():
    later = ClassMap(drawn(CODES), ((0, 0),))
    assert np.asarray(later) is np.asarray(later)
    assert not np.asarray(later).flags.writeable
    assert np.array(later).flags.writeable
    assert np.asarray(later, np.int64).dtype == np.int64


@pytest.mark.parametrize("text", ["300000", "-1", "#12", "#gggggg", "", "²"])
def test_what_is_no_code(text: str):
    assert code_of(text) is None


def test_codes_are_written_as_they_are_read():
    assert [written(code) for code in map(code_of, ["3", "#ff0080", "#070707"]) if code is not None] == [
        "3", "#ff0080", "7",
    ]  # fmt: skip
    stream = io.BytesIO()
    Image.fromarray(np.array([[[255, 0, 128]]], np.uint8)).save(stream, "PNG")
    assert mask_glance(Picture(content=stream.getvalue())).pixels == {code_of("#ff0080"): 1}
