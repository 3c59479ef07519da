"""Masks of images under the contract."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tests.contract import pictures
from tests.contract.kinds import Table
from tests.tiny import make_segformer

SIDE = 32
_MODELS = "headwater.vision.segmentation"


def squares(rows: int = 60) -> Table:
    """Small PNGs of noise with a bright square and a dark bar, and their masks: 0 ground, 1 square, 2 bar."""
    random = np.random.default_rng(0)
    table: Table = {"image": [], "mask": []}
    for row in range(rows):
        mask = np.zeros((SIDE, SIDE), np.uint8)
        top, left = random.integers(0, SIDE // 2, 2)
        mask[top : top + 12, left : left + 12] = 1 + row % 3 // 2
        mask[-6:] = 2
        shades = np.array([110.0, 220.0, 20.0])[mask]
        table["image"].append(pictures.png(shades + random.normal(0, 10, mask.shape)))
        table["mask"].append(pictures.png(mask))
    return table


def write(table: Table, folder: Path) -> Path:
    """A manifest beside folders of the pictures and the masks."""
    for name in ("image", "mask"):
        (folder / name).mkdir(parents=True)
        for row, content in enumerate(table[name]):
            (folder / name / f"{row}.png").write_bytes(content)
    rest = {name: cells for name, cells in table.items() if name not in ("image", "mask")}
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "mask", *rest])
        for row, cells in enumerate(zip(*rest.values(), strict=True) if rest else [()] * len(table["image"])):
            rows.writerow([f"image/{row}.png", f"mask/{row}.png", *cells])
    return folder / "rows.csv"


def found(application: Any, rows: Table) -> float:
    """The mean IoU."""
    return float(application.evaluate(rows).metrics["mean_iou"].value)


def pixels(answer: bytes) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(answer)))


_SEEN = {"image_size": SIDE}
KIND = replace(
    pictures.KIND,
    target="mask",
    table=squares,
    write=write,
    right=found,
    bad=lambda: [None, b"not an image", squares(1)["image"][0][:150]],
    fast={"epochs": 2, "batch_size": 8, "checkpoint_seconds": 0.0, **_SEEN},
    learnt={"epochs": 8, "patience": 20, "learning_rate": 0.02, "precision": "fp32", "image_augment": "light"},
    adapted={"epochs": 12, "patience": 20, "learning_rate": 2e-3, "precision": "fp32", "image_augment": "light"},
    seen=_SEEN,
    smaller={f"{_MODELS}.segmenter.Segmenter.epochs": 4, f"{_MODELS}.segmenter.Segmenter.fewest_steps": 1},
    own={"width": 8, "depth": 2, "pyramid": 8},
    strategies=("auto", "probe", "last-layers", "full"),
    foundation=make_segformer,
    cases={},
)
