"""Small annotated data sets for the tests, in each of the formats."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.data.drawing import clouds, saved

WIDTH, HEIGHT = 48, 32
Box = tuple[str, float, float, float, float]
"""Label, left, top, right, bottom."""
SCENES: dict[str, list[Box]] = {
    "a": [("cat", 4, 4, 20, 20), ("dog", 10, 8, 40, 30)],
    "b": [],
    "c": [("dog", 0, 0, 48, 32)],
    "d": [("cat", 1, 2, 3, 4), ("cat", 30, 2, 44, 12)],
}
"""What is in four pictures."""


def fill(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def pictures(folder: Path, names: Sequence[str] = tuple(SCENES)) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return fill(folder, {f"{name}.png": saved(clouds(ord(name[-1]), WIDTH, HEIGHT)) for name in names})


def voc(boxes: Sequence[Box], *, size: tuple[int, int] | None = (WIDTH, HEIGHT), difficult: int = 0) -> str:
    told = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>" if size else ""
    objects = "".join(
        f"<object><name>{label}</name><difficult>{difficult}</difficult><bndbox><xmin>{left}</xmin><ymin>{top}</ymin>"
        f"<xmax>{right}</xmax><ymax>{bottom}</ymax></bndbox></object>"
        for label, left, top, right, bottom in boxes
    )
    return f"<annotation><filename>x.png</filename>{told}{objects}</annotation>"


def yolo(boxes: Sequence[Box], classes: Sequence[str] = ("cat", "dog")) -> str:
    return "".join(
        f"{classes.index(label)} {(left + right) / 2 / WIDTH} {(top + bottom) / 2 / HEIGHT} "
        f"{(right - left) / WIDTH} {(bottom - top) / HEIGHT}\n"
        for label, left, top, right, bottom in boxes
    )


def coco(scenes: Mapping[str, Sequence[Box]] = SCENES, **more: Any) -> dict[str, Any]:
    names = sorted({label for boxes in scenes.values() for label, *_ in boxes})
    images = [{"id": number, "file_name": f"{name}.png", "width": WIDTH, "height": HEIGHT}
              for number, name in enumerate(scenes, 1)]  # fmt: skip
    annotations = [
        {"id": 1, "image_id": number, "category_id": 10 + names.index(label), "iscrowd": 0,
         "bbox": [left, top, right - left, bottom - top]}
        for number, boxes in enumerate(scenes.values(), 1) for label, left, top, right, bottom in boxes
    ]  # fmt: skip
    categories = [{"id": 10 + place, "name": name} for place, name in enumerate(names)]
    return {"images": images, "annotations": annotations, "categories": categories, **more}


def as_voc(folder: Path) -> Path:
    pictures(folder / "JPEGImages")
    return fill(folder, {f"Annotations/{name}.xml": voc(boxes) for name, boxes in SCENES.items()})


def as_yolo(folder: Path) -> Path:
    pictures(folder / "images")
    fill(folder, {f"labels/{name}.txt": yolo(boxes) for name, boxes in SCENES.items()})
    return fill(folder, {"classes.txt": "cat\ndog\n"})


def as_coco(folder: Path) -> Path:
    pictures(folder / "images")
    return fill(folder, {"annotations/instances.json": json.dumps(coco())})


FORMATS = {"COCO": as_coco, "Pascal VOC": as_voc, "YOLO": as_yolo}
