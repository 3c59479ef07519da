"""What is said of masks whose classes may not be what they look like."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from tests.data.drawing import clouds, saved

from headwater.data.mask_doubts import crowded, mixed
from headwater.data.mask_field import Mask
from headwater.data.masks import code_of
from headwater.data.records import Records
from headwater.errors import DataError

RED = (255, 0, 0)
GREY = (128, 128, 128)


def indexed(*codes: int) -> bytes:
    return saved(Image.fromarray(np.array([codes], np.uint8)))


def coloured(*colours: tuple[int, int, int]) -> bytes:
    return saved(Image.fromarray(np.array([colours], np.uint8)))


def cautions(*masks: bytes) -> list[str]:
    pictures = []
    for mask in masks:
        with Image.open(BytesIO(mask)) as image:
            pictures.append(saved(clouds(0, *image.size)))
    given = Records(pa.table({"image": pictures, "mask": list(masks)}))
    return Mask.of(given, "mask", "image").cautions(given)


def test_numbers_beside_colours_are_doubted():
    [said] = cautions(indexed(0, 1, 0), indexed(1, 1, 0), coloured((0, 0, 0), RED, RED))
    assert said.startswith("Masks say their classes in colours (1 of them) and in numbers (2), and no number")


@pytest.mark.parametrize("mask", [indexed(0, 0, 255), indexed(128, 0, 128), coloured(RED, GREY, GREY)])
def test_black_white_and_a_grey_among_colours_are_not_doubted(mask: bytes):
    assert cautions(coloured((0, 0, 0), RED, GREY), mask) == []
    assert mixed([]) is None


def test_soft_edges_are_doubted():
    soft = indexed(*[0] * 900, *range(1, 60), *[255] * 500)
    [said] = cautions(soft)
    assert said.startswith("The masks have 61 numbers or colours, and the rarer half of them 2.1 % of the pixels")


def test_many_classes_that_are_frequent_or_have_names_are_not_doubted():
    assert cautions(indexed(*list(range(40)) * 5)) == []
    rare = {0: 1000, **dict.fromkeys(range(1, 40), 1)}
    assert crowded(rare, {}) is not None
    assert crowded(rare, {str(code): "a class" for code in rare if code_of(str(code)) is not None}) is None


def test_masks_of_one_class_are_refused():
    with pytest.raises(DataError, match=r"mask: The masks have one class only\. Got \[7\]\. Accepted: two classes or"):
        Mask(("mask",), "image").learn([[7], None, [7]])
