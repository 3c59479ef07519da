"""Pictures that were saved again, made smaller or brighter are copies; pictures that only look alike are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image, ImageEnhance
from tests.data.drawing import clouds, picture, saved

from headwater.data.duplicates import clusters, exact, excerpt, summary
from headwater.data.pictures import Picture
from headwater.data.records import Records


def _smaller(image: Image.Image) -> Image.Image:
    return image.resize((image.width * 3 // 4, image.height * 3 // 4), Image.Resampling.BICUBIC)


def _brighter(image: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(1.08)


COPIES: dict[str, Callable[[Image.Image], Picture]] = {
    "saved again": lambda image: picture(image, "JPEG", quality=60),
    "smaller": lambda image: picture(_smaller(image)),
    "brighter": lambda image: picture(_brighter(image)),
    "squeezed": lambda image: picture(image.resize((32, 32), Image.Resampling.BICUBIC)),
    "another format": lambda image: picture(image, "BMP"),
    "with a clear channel": lambda image: picture(image.convert("RGBA")),
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_altered_copies_are_near_duplicates(copy: Callable[[Image.Image], Picture]):
    images = [clouds(seed, 96, 64) for seed in range(60)]
    pictures = [*map(picture, images), *map(copy, images)]
    np.testing.assert_array_equal(clusters(pictures), np.tile(np.arange(60), 2))
    np.testing.assert_array_equal(exact(pictures), np.arange(120))


def _faint(image: Image.Image) -> Image.Image:
    return Image.fromarray((100 + np.asarray(image) * 0.15).astype(np.uint8))


@pytest.mark.parametrize("copy", ["smaller", "brighter", "another format", "with a clear channel"])
def test_copies_of_faint_pictures_are_found(copy: str):
    images = [_faint(clouds(seed, 96, 64)) for seed in range(40)]
    pictures = [*map(picture, images), *map(COPIES[copy], images)]
    assert (clusters(pictures)[40:] == np.arange(40)).mean() > 0.9


@pytest.mark.parametrize("scale", [15.9, 1])
def test_digits_of_one_class_are_no_copies(scale: float):
    from sklearn.datasets import load_digits

    digits = [Picture.of((image * scale).astype(np.uint8)) for image in load_digits().images[:900]]
    assert len(set(clusters(digits))) == 900


def test_drawings_of_little_contrast_are_no_copies():
    images = [Picture.of(np.asarray(clouds(seed)) // 12) for seed in range(300)]
    noisy = [Picture.of(np.random.default_rng(seed).integers(90, 120, (16, 16), np.uint8)) for seed in range(300)]
    assert len(set(clusters([*images, *noisy]))) == 600


def test_the_same_file_is_an_exact_copy_wherever_it_lies(tmp_path: Path):
    content = saved(clouds(1))
    (tmp_path / "a.png").write_bytes(content)
    pictures = [Picture(content=saved(clouds(2))), Picture(str(tmp_path / "a.png")), Picture(content=content)]
    assert exact(pictures).tolist() == clusters(pictures).tolist() == [0, 1, 1]


def _disc(colour: tuple[int, int, int]) -> Picture:
    down, across = np.mgrid[:64, :64]
    pixels = np.full((64, 64, 3), 255, np.uint8)
    pixels[(down - 32) ** 2 + (across - 32) ** 2 < 150] = colour
    return Picture.of(pixels)


def test_shapes_of_another_colour_or_shade_are_no_copies():
    discs = [_disc(colour) for colour in ((255, 0, 0), (0, 0, 255), (76, 76, 76), (200, 200, 200), (252, 0, 3))]
    assert clusters(discs).tolist() == [0, 1, 2, 3, 0]


def test_blank_pictures_are_copies_in_the_same_colour_and_shape_only():
    blanks = [picture(Image.new("RGB", size, colour)) for size, colour in (
        ((40, 30), (250, 250, 250)), ((80, 60), (250, 250, 250)), ((40, 40), (250, 250, 250)),
        ((40, 30), (244, 250, 250)), ((40, 30), (240, 240, 240)), ((40, 30), (0, 0, 0)),
    )]  # fmt: skip
    assert clusters(blanks).tolist() == [0, 0, 2, 3, 4, 5]


def test_faint_stars_are_no_copies():
    random = np.random.default_rng(0)
    skies = np.zeros((40, 64, 64), np.uint8)
    for sky in skies:
        sky[tuple(random.integers(0, 64, (2, 12)))] = 255
    assert len(set(clusters(list(map(Picture.of, skies))))) == 40


def test_many_frames_of_one_scene_are_one_cluster():
    random = np.random.default_rng(0)
    scenes = [np.asarray(clouds(seed)).astype(int) for seed in (1, 2)]
    frames = [Picture.of(np.clip(scenes[row % 2] + random.integers(-4, 5, scenes[0].shape), 0, 255).astype(np.uint8))
              for row in range(300)]  # fmt: skip
    assert clusters(frames).tolist() == [0, 1] * 150


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows(rows: int):
    assert clusters([picture(clouds(0))] * rows).tolist() == [0] * rows


def test_pictures_that_went_missing_stand_alone():
    pictures = [Picture("gone.png"), picture(clouds(0)), Picture("away.png"), Picture("gone.png")]
    assert clusters(pictures).tolist() == exact(pictures).tolist() == [0, 1, 2, 0]


def test_the_summary_names_pictures_by_the_end_of_their_path(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(saved(clouds(1)))
    pictures = [Picture(str(tmp_path / "a.png"))] * 2
    found = summary(exact(pictures), Records(pa.table({"image": ["a.png"] * 2})), pictures, ["x", "y"])
    assert found["conflict_examples"][0][0]["text"] == str(tmp_path / "a.png")
    assert excerpt(Picture("a/very/long/way/to/ants.jpg"), 12) == "…to/ants.jpg"
    assert excerpt(Picture(content=bytes(1500))) == "an image of 1,500 bytes"
