"""How well copies among images are found, and how many images that are none are taken for copies.

The numbers stand in `headwater.data.likeness`. Run it as `python benchmarks/picture_copies.py DATA`, where DATA holds
the folders mnist_small, cifar10_small, hymenoptera, orl_faces and pneumoniamnist.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from headwater.data.likeness import clusters, exact
from headwater.data.pictures import Picture
from headwater.data.raster import upright
from headwater.data.reading import read
from headwater.settings import DataSettings

FILES = ("mnist_small/train.zip", "cifar10_small/train.zip", "hymenoptera", "orl_faces/att_faces.zip")
ALTERED = 400


def smaller(image: Image.Image) -> Image.Image:
    """Three quarters of the size."""
    size = max(1, image.width * 3 // 4), max(1, image.height * 3 // 4)
    return image.resize(size, Image.Resampling.BICUBIC)


def saved(image: Image.Image) -> Image.Image:
    """What is left of an image after JPEG of quality 60."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=60)
    return Image.open(stream)


def brighter(image: Image.Image) -> Image.Image:
    """A tenth more of every colour."""
    return ImageEnhance.Brightness(image).enhance(1.1)


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "saved again": saved,
    "smaller": smaller,
    "brighter": brighter,
    "all three": lambda image: saved(brighter(smaller(image))),
}


def sets(data: Path) -> Iterator[tuple[str, list[Picture]]]:
    """Distinct images of each set."""
    for file in FILES:
        records = read(data / file, DataSettings())
        yield file, [Picture(path) for path in records.column("image")]
    with np.load(data / "pneumoniamnist" / "pneumoniamnist.npz") as stored:
        yield "pneumoniamnist", [Picture.of(one) for one in stored["train_images"]]


if __name__ == "__main__":
    for name, pictures in sets(Path(sys.argv[1])):
        distinct = [pictures[row] for row in np.unique(exact(pictures))]
        joined = len(distinct) - len(np.unique(clusters(distinct)))
        print(f"{name}: {len(distinct):,} distinct images, of which {joined} are taken for copies of others")
        chosen = np.arange(0, len(distinct), max(1, len(distinct) // ALTERED))
        images = [upright(Image.open(io.BytesIO(distinct[row].read()))) for row in chosen]
        for change, alter in CHANGES.items():
            found = clusters([*distinct, *(Picture.of(alter(image)) for image in images)])
            share = np.mean(found[len(distinct) :] == found[chosen])
            print(f"    {change}: {share:.1%} of {len(chosen)} copies found")
