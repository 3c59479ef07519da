"""Class maps as PNGs that are read back as the same masks."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from headwater.data.mask_field import Mask
from headwater.data.mask_writing import encoded, numbering
from headwater.data.masks import ClassMap
from headwater.data.pictures import Picture

MAP = np.array([[0, 1], [2, 2], [1, 0]], np.int16)


@pytest.mark.parametrize(
    ("classes", "names", "numbers"),
    [
        ((0, 7, 255), {}, [0, 7, 255]),
        (("sky", "road", 9), {"3": "sky", "5": "road"}, [3, 5, 9]),
        (("#ff0000", "#00ff00", 0), {}, [0, 1, 2]),
        ((0, 1, 300), {}, [0, 1, 2]),
    ],
)
def test_numbers_are_those_of_the_masks(classes: tuple, names: dict[str, str], numbers: list[int]):
    found = numbering(Mask(("mask",), "image", classes, names=names))
    assert found.numbers.tolist() == numbers
    content = encoded(MAP, found)
    again = np.asarray(ClassMap(Picture(content=content), tuple((number, row) for row, number in enumerate(numbers))))
    np.testing.assert_array_equal(again, MAP)
    image = Image.open(io.BytesIO(content))
    assert (image.mode, image.format) == ("P", "PNG")
    assert encoded(MAP, found) == content


def test_masks_of_colours_keep_their_colours():
    found = numbering(Mask(("mask",), "image", ("#ff0080", 255, 0)))
    image = Image.open(io.BytesIO(encoded(MAP, found))).convert("RGB")
    assert np.asarray(image)[:2].tolist() == [[[255, 0, 128], [255, 255, 255]], [[0, 0, 0], [0, 0, 0]]]


def test_other_classes_have_colours_that_are_told_apart():
    found = numbering(Mask(("mask",), "image", tuple(range(12))))
    assert len({tuple(colour) for colour in found.palette[:12].tolist()}) == 12
