"""Object detection: where are which things in an image?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from headwater.data.box_cells import CORNERS
from headwater.data.box_field import Located, field_of_boxes
from headwater.data.boxes import Boxes
from headwater.data.records import Records
from headwater.errors import SettingError
from headwater.evaluation.box_counts import BoxCounts
from headwater.evaluation.detection import BoxTally
from headwater.evaluation.gallery import Gallery
from headwater.evaluation.report import Report
from headwater.run import write_whole
from headwater.vision.detection.usual import UsualBoxes
from headwater.vision.locating import Locating
from headwater.vision.locator import Scenes


class ObjectDetection(Locating):
    """Finds things in images, and says what they are: in pixels of each image as a person sees it.

    Attributes:
        threshold: the score from which on a box is an answer: where precision and recall were best together on the
            validation images. Metrics look at all boxes.
    """

    task: ClassVar[str] = "object-detection"
    sought: ClassVar[str] = "COCO, Pascal VOC or YOLO annotation"
    layout: ClassVar[str] = "a .json of COCO, or an .xml of Pascal VOC or a .txt of YOLO for each image"
    usual = ("objects", "boxes", "bboxes", "annotations")
    baseline_class = UsualBoxes
    target: Located

    def __init__(self, model: str | None = None, settings: Any = None, **model_settings: Any) -> None:
        super().__init__(model, settings, **model_settings)
        self.threshold = 0.0

    def find_target(self, records: Records, columns: tuple[str, ...]) -> Located:
        if len(columns) > 1:
            raise SettingError("Boxes are one column", where="--target", got=columns, fix="Name one column.")
        image = self.find_input(records, columns).columns[0]
        return field_of_boxes(records, columns[0], image)

    def measurement(self) -> BoxMeasurement:
        return BoxMeasurement(self.target.classes, self.settings.seed, self.threshold)

    def settle(self, held_out: Scenes) -> None:
        counted = self.measurement()
        self.count(counted, held_out)
        self.threshold = counted.tally.threshold()

    def decoded(self, answer: Boxes) -> list[dict[str, Any]]:
        sure = np.ones(len(answer), dtype=bool) if answer.scores is None else answer.scores >= self.threshold
        return self.target.listed(answer.take(sure))

    @property
    def answer_type(self) -> pa.DataType:
        """The Arrow type of the boxes of one image."""
        label = pa.array(self.target.classes).type if self.target.classes else pa.string()
        numbers = [(name, pa.float64()) for name in ("score", *CORNERS)]
        return pa.list_(pa.struct([("label", label), *numbers]))

    def write(self, folder: Path) -> None:
        super().write(folder)
        write_whole(folder / "detection.json", json.dumps({"threshold": self.threshold}).encode())

    def read(self, folder: Path) -> None:
        super().read(folder)
        self.threshold = json.loads((folder / "detection.json").read_text("utf-8"))["threshold"]


class BoxMeasurement:
    """Counts found boxes beside known ones, and keeps some images to show.

    Args:
        classes: the name of each class.
        seed: of the draws of images and replicates.
        threshold: the score from which on the report shows a box.

    Attributes:
        rows: how many images were counted.
    """

    def __init__(self, classes: tuple[Any, ...], seed: int, threshold: float) -> None:
        self.tally, self.gallery, self.counts = BoxTally(classes), Gallery(seed), BoxCounts()
        self.threshold, self.rows = threshold, 0

    def update(self, scenes: Scenes, found: Mapping[str, Sequence[Boxes]], places: Sequence[str]) -> None:
        """Counts some images: the boxes by the name of who found them, the model first, and where each image stands."""
        if not len(scenes):
            return
        told = self.tally.update(scenes.answers, found)
        self.gallery.update(scenes.inputs, scenes.answers, found[self.tally.model], told, places)
        self.counts.update(scenes.answers, told)
        self.rows = self.tally.rows

    def scores(self) -> np.ndarray:
        """How right the model is on each image, from 0 to 1, shape (rows,)."""
        return self.tally.scores()

    def report(self, *, seed: int, **sections: Any) -> Report:
        """The report of all that was counted."""
        return Report.of_detection(
            self.tally, self.gallery, self.counts, threshold=self.threshold, seed=seed, **sections
        )
