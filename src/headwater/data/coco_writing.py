"""Found boxes as a file of COCO: images, annotations with their scores, and categories, in one object of JSON."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Mapping
from typing import IO, Any

import pyarrow as pa

from headwater.data.box_cells import CORNERS


class CocoSheet:
    """A format of `PredictionWriter`, for tables of `id`, `file_name`, `width`, `height`, `prediction` and `reason`.

    `annotations` are results as COCO has them (Lin et al. 2014), each with its `score`, and have what annotations have
    beside; a tool that wants a bare list of results takes this list. Images without an answer are not among `images`,
    where they would say that nothing is in them, but in a list of their own, `unanswered`, with the reason.

    Args:
        stored: the file.
        categories: the number of each class.
        told: what the file is, for its `info`.

    Example:
        >>> stored = io.BytesIO()
        >>> sheet = CocoSheet(stored, {"cat": 1}, "found in two images")
        >>> box = {"label": "cat", "score": 0.5, "left": 1.0, "top": 2.0, "right": 4.0, "bottom": 6.0}
        >>> row = {"id": 7, "file_name": "a.png", "width": 8, "height": 8, "prediction": [box], "reason": None}
        >>> sheet.write(pa.Table.from_pylist([row]))
        >>> sheet.close()
        >>> json.loads(stored.getvalue())["annotations"][0]["bbox"]
        [1.0, 2.0, 3.0, 4.0]
    """

    def __init__(self, stored: IO[bytes], categories: Mapping[Any, int], told: str) -> None:
        self._text = io.TextIOWrapper(stored, "utf-8", newline="")
        self._categories, self._told = categories, told
        # One list follows the other in the file, and both grow with the images: what is not yet due waits on the disk.
        self._waiting = {name: _waiting() for name in ("images", "unanswered")}
        self._counts = dict.fromkeys(("annotations", *self._waiting), 0)
        self._text.write('{"annotations": [')

    def write(self, table: pa.Table) -> None:
        """Adds the boxes of some images."""
        for row in table.to_pylist():
            image = {name: row[name] for name in ("id", "file_name", "width", "height")}
            if row["reason"] is not None:
                named = {"id": row["id"], "file_name": row["file_name"], "reason": row["reason"]}
                self._add("unanswered", self._waiting["unanswered"], named)
                continue
            self._add("images", self._waiting["images"], image)
            for box in row["prediction"]:
                self._add("annotations", self._text, self._annotation(row["id"], box))

    def close(self) -> None:
        """Writes what waited, and the categories."""
        for name, waiting in self._waiting.items():
            with waiting:
                waiting.seek(0)
                self._text.write(f'],\n"{name}": [')
                shutil.copyfileobj(waiting, self._text)
        categories = [{"id": number, "name": str(name)} for name, number in self._categories.items()]
        rest = {"categories": categories, "info": {"description": self._told}}
        self._text.write(f"],\n{json.dumps(rest, ensure_ascii=False)[1:]}\n")
        self._text.detach()

    def _annotation(self, image: int, box: Mapping[str, Any]) -> dict[str, Any]:
        left, top, right, bottom = (box[corner] for corner in CORNERS)
        width, height = round(right - left, 2), round(bottom - top, 2)
        score = box.get("score")
        return {
            "id": self._counts["annotations"] + 1, "image_id": image, "category_id": self._categories[box["label"]],
            "bbox": [left, top, width, height], "area": round(width * height, 2), "iscrowd": 0,
            "score": 1.0 if score is None else score,
        }  # fmt: skip

    def _add(self, name: str, file: IO[str], one: Mapping[str, Any]) -> None:
        file.write(f"{',' if self._counts[name] else ''}\n{json.dumps(one, ensure_ascii=False)}")
        self._counts[name] += 1


def _waiting() -> IO[str]:
    return tempfile.TemporaryFile("w+", encoding="utf-8")
