"""Files of more than 8 bits a channel: one white for a set, as arrays of a column have it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image as Pillow
from tests.data.drawing import clouds, saved

from headwater.data.fields import Category, Image, from_json, settled, to_json
from headwater.data.pictures import Picture, glance, pixels
from headwater.data.preparing import prepare
from headwater.data.raster import wanted_white
from headwater.data.records import Records
from headwater.settings import Settings


def frame(most: int, *, of: int = 500, kind: str = "PNG") -> bytes:
    """A frame of a camera: a ramp up to one number, and the brightest spot at another."""
    numbers = np.tile(np.linspace(0, of, 16), (16, 1)).astype(np.uint16)
    numbers[0, 0] = most
    return saved(Pillow.fromarray(numbers), kind)


def field_of(*files: bytes) -> Image:
    return settled(Image(("image",)), Records(pa.table({"image": list(files)})))


def shade(field: Image, content: bytes) -> int:
    (picture,), _ = field.values(Records(pa.table({"image": [content]})))
    return int(pixels(picture, 16, grey=True)[8, 15, 0])


def test_the_same_number_is_the_same_shade_in_neighbouring_frames():
    dark, light = frame(1000), frame(1100)
    assert [shade(Image(("image",)), one) for one in (dark, light)] == [125, 31]
    field = field_of(dark, light)
    assert field.white == 4095
    assert [shade(field, one) for one in (dark, light)] == [31, 31]


def test_one_frame_gone_wrong_does_not_make_all_black():
    assert field_of(*[frame(1100)] * 199, frame(60_000)).white == 4095


def test_a_brighter_frame_than_training_had_keeps_a_white_of_its_own():
    assert shade(field_of(frame(1000)), frame(4000)) == 31


def test_a_file_that_tells_its_white_is_believed():
    told = b"P5 16 16 1000\n" + np.full(256, 500, ">u2").tobytes()
    assert glance(Picture(content=told)).white == 0
    assert field_of(told).white == 0
    assert shade(field_of(frame(4000)), told) == 128


def test_ordinary_pictures_are_what_they_were():
    plain = saved(clouds(0))
    field = field_of(plain)
    assert field == Image(("image",))
    with_deep = field_of(plain, frame(4000))
    (one,), _ = with_deep.values(Records(pa.table({"image": [plain]})))
    np.testing.assert_array_equal(pixels(one, 16), pixels(Picture(content=plain), 16))


def test_broken_numbers_between_0_and_1_keep_their_white():
    content = saved(Pillow.fromarray(np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)), "TIFF")
    assert field_of(content).white == 0
    assert shade(field_of(content, frame(4000)), content) == shade(Image(("image",)), content)


def test_a_look_depends_on_the_white_of_the_set():
    content = frame(1000)
    own, common = Picture(content=content), Picture(content=content, white=4095.0)
    assert own != common
    assert glance(own).white == glance(common).white == 1023
    assert glance(own).colour[0] > 3 * glance(common).colour[0]
    assert glance(own).digest != glance(common).digest
    assert wanted_white(Pillow.fromarray(np.zeros((2, 2), np.uint8))) == 0


def test_the_white_is_kept_with_the_field():
    field = field_of(frame(1000), frame(1100))
    assert from_json(to_json(field)) == field
    assert from_json({"kind": "Image", "columns": ["image"]}) == Image(("image",))


@pytest.mark.parametrize("own", [False, True])
def test_training_rows_decide_what_is_white(tmp_path: Path, own: bool, caplog: pytest.LogCaptureFixture):
    for row in range(40):
        part = tmp_path / ("own" if own and row >= 30 else "all") / "ab"[row % 2]
        part.mkdir(parents=True, exist_ok=True)
        numbers = np.asarray(clouds(row, 16, 16).convert("L")).astype(np.uint16)
        numbers[0, 0] = 60_000 if row >= 30 and own else 900 + 10 * row
        (part / f"{row}.png").write_bytes(saved(Pillow.fromarray(numbers)))
    settings = Settings(valid=str(tmp_path / "own") if own else None)
    with caplog.at_level("INFO", logger="headwater"):
        found = prepare(
            tmp_path / "all", settings, lambda _: (Image(("image",)), Category(("label",))), want_test=False,
            want_valid=not own,
        )  # fmt: skip
    assert found.fields[0].white == 4095
    assert "white of images of more than 8 bits: 4095, in training 1023 to 4095 by themselves" in caplog.text
    assert found.findings["audit"]["rows"] == (30 if own else 40)
