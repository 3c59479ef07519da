"""Boxes in images under the contract."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tests.contract import pictures
from tests.contract.kinds import Table
from tests.tiny import make_yolos

SIDE = 64
_MODELS = "headwater.vision.detection"


def squares(rows: int = 60) -> Table:
    """Small PNGs of noise with a good square, which is bright, a bad one, which is dark, or both, apart."""
    random = np.random.default_rng(0)
    table: Table = {"image": [], "objects": []}
    for row in range(rows):
        drawn = random.normal(120, 8, (SIDE, SIDE))
        objects = []
        for place, (label, grey) in enumerate((("good", 235), ("bad", 15))):
            if row % 3 != place:
                edge = int(random.integers(16, 26))
                left, top = int(random.integers(0, SIDE // 2 - 6)), int(random.integers(0, SIDE - edge))
                left += place * (SIDE // 2 - 6) if left + edge + place * (SIDE // 2 - 6) <= SIDE else 0
                drawn[top : top + edge, left : left + edge] = grey
                corners = {"left": left, "top": top, "right": left + edge, "bottom": top + edge}
                objects.append({"label": label, **corners})
        table["image"].append(pictures.png(drawn))
        table["objects"].append(objects)
    return table


def write(table: Table, folder: Path) -> Path:
    """Lines of JSON beside a folder of the pictures."""
    (folder / "pictures").mkdir(parents=True)
    for row, content in enumerate(table["image"]):
        (folder / "pictures" / f"{row}.png").write_bytes(content)
    rest = {name: cells for name, cells in table.items() if name != "image"}
    lines = [
        json.dumps({"image": f"pictures/{row}.png", **{name: cells[row] for name, cells in rest.items()}})
        for row in range(len(table["image"]))
    ]
    (folder / "rows.jsonl").write_text("\n".join(lines), "utf-8")
    return folder / "rows.jsonl"


def found(application: Any, rows: Table) -> float:
    """The mean average precision of boxes that half overlap with the true ones."""
    return float(application.evaluate(rows).metrics["map50"].value)


_SEEN = {"image_size": SIDE}
KIND = replace(
    pictures.KIND,
    target="objects",
    table=squares,
    other=pictures.KIND.other,
    write=write,
    right=found,
    enough=0.35,  # the usual boxes find 0.13; `ssd` is slow to learn, however few the pictures
    bad=lambda: [None, b"not an image", squares(1)["image"][0][:150]],
    fast={"epochs": 2, "batch_size": 8, **_SEEN},
    # In the smaller frame the first boxes of `ssd` that are as large as the squares have four places to lie.
    learnt={"epochs": 14, "patience": 20, "learning_rate": 5e-3, "precision": "fp32", "image_size": 96},
    adapted=None,
    seen=_SEEN,
    smaller={
        f"{_MODELS}.detector.Detector.epochs": 4,
        f"{_MODELS}.detector.Detector.fewest_steps": 1,
    },
    own={"width": 8, "depth": 1, "maps": 16, "features": 32, "proposals": 60, "regions_a_step": 16, "side": 16},
    strategies=("probe", "full"),
    foundation=make_yolos,
    cases={},
)
