"""Images under the contract."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tests.contract.kinds import Case, Kind, Table
from tests.tiny import make_vit

from headwater.data.pictures import Picture

SIDE = 16


def stripes(rows: int = 60) -> Table:
    """Small PNGs of noisy stripes of any phase, across and on light grey where good, upright and on dark where bad."""
    random = np.random.default_rng(0)
    table: Table = {"image": [], "label": []}
    for row in range(rows):
        waves = np.sin(np.arange(SIDE) * random.uniform(1.2, 1.6) + random.uniform(0, 6.3))
        across, contrast = np.repeat(waves[:, np.newaxis], SIDE, axis=1), random.uniform(50, 70)
        drawn = 160 + contrast * across if row % 2 == 0 else 95 + contrast * across.T
        table["image"].append(png(drawn + random.normal(0, 12, (SIDE, SIDE))))
        table["label"].append(("good", "bad")[row % 2])
    return table


def _spots(rows: int) -> list[bytes]:
    """Bright spots on a dark red ground."""
    random = np.random.default_rng(1)
    down, across = np.mgrid[0:SIDE, 0:SIDE]
    spots = []
    for _ in range(rows):
        middle = random.uniform(4, 12, 2)
        light = 200 * np.exp(-((down - middle[0]) ** 2 + (across - middle[1]) ** 2) / random.uniform(4, 12))
        red = np.stack([light + 60, light, light], axis=2)
        spots.append(png(red + random.normal(0, 8, (SIDE, SIDE, 3))))
    return spots


def _three_classes() -> Case:
    table, spots = stripes(60), _spots(30)
    return {"bild": table["image"] + spots, "art": table["label"] + ["点"] * 30}, {"image": "bild", "target": "art"}


def png(pixels: np.ndarray) -> bytes:
    return _saved(_image(pixels), "PNG")


def _image(pixels: np.ndarray, mode: str | None = None) -> Any:
    from PIL import Image

    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return image.convert(mode) if mode else image


def _saved(image: Any, kind: str, **how: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **how)
    return stream.getvalue()


def _noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (height, width, channels))


def _deep_grey() -> bytes:
    from PIL import Image

    return _saved(Image.fromarray((_noise(20, 20, 1)[:, :, 0] * 257).astype(np.uint16)), "PNG")


def _turned() -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    return _saved(_image(_noise(24, 40)), "JPEG", exif=exif)


def _moving() -> bytes:
    first, second = _image(_noise(12, 12), "P"), _image(255 - _noise(12, 12), "P")
    return _saved(first, "GIF", save_all=True, append_images=[second])


_STRANGE: dict[str, Callable[[], bytes]] = {
    "one-pixel": lambda: png(_noise(1, 1)),
    "strip": lambda: png(_noise(2, 3000)),
    "16-bit": _deep_grey,
    "two-tone": lambda: _saved(_image(_noise(9, 9), "1"), "PNG"),
    "transparent": lambda: png(_noise(20, 20, 4)),
    "palette": lambda: _saved(_image(_noise(20, 20), "P"), "PNG"),
    "cmyk": lambda: _saved(_image(_noise(20, 20), "CMYK"), "JPEG"),
    "turned": _turned,
    "moving": _moving,
}


def _write(table: Table, folder: Path) -> Path:
    """A manifest: the pictures in a folder beside the table, whose cells say where."""
    (folder / "pictures").mkdir(parents=True)
    for row, content in enumerate(table["image"]):
        (folder / "pictures" / f"{row}.png").write_bytes(content)
    written = {**table, "image": [f"pictures/{row}.png" for row in range(len(table["image"]))]}
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(written)
        rows.writerows(zip(*written.values(), strict=True))
    return folder / "rows.csv"


_SEEN = {"image_size": 16}
_NETWORKS = "headwater.vision.classification"

KIND = Kind(
    inputs="image",
    table=stripes,
    other=_spots,
    write=_write,
    strange=_STRANGE,
    bad=lambda: [None, b"not an image", stripes(1)["image"][0][:150]],
    fast={"epochs": 2, "batch_size": 8, "checkpoint_seconds": 0.0, **_SEEN},
    learnt={"epochs": 10, "patience": 20},
    adapted={"epochs": 20, "patience": 20, "learning_rate": 0.01},
    value=lambda content: Picture(content=content),
    seen=_SEEN,
    smaller={
        f"{_NETWORKS}.alexnet.MAPS": (16, 24, 24, 16, 16),
        f"{_NETWORKS}.alexnet.DENSE": (128, 128),
        f"{_NETWORKS}.vgg.WIDTHS": (16, 16, 32, 32, 32),
        f"{_NETWORKS}.resnet.WIDTHS": (16, 16, 32, 32),
        f"{_NETWORKS}.neural.NeuralClassifier.epochs": 4,
        f"{_NETWORKS}.neural.NeuralClassifier.fewest_steps": 1,
    },
    foundation=make_vit,
    cases={"three-classes": _three_classes},
)
