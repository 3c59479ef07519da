"""Semantic segmentation: which class does every pixel of an image have?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import numpy as np

from headwater.data.mask_field import Mask
from headwater.data.mask_writing import encoded, numbering
from headwater.data.pictures import Glance, Picture
from headwater.data.records import Records
from headwater.errors import SettingError
from headwater.evaluation.overlays import legend
from headwater.vision.locating import Locating
from headwater.vision.locator import Locator
from headwater.vision.segmentation.baseline import MeanMap
from headwater.vision.segmentation.measuring import MaskMeasurement

_BYTES_A_PIXEL: Final = 3
"""Of a class map two, and one of a PNG of it that cannot be made smaller."""


class SemanticSegmentation(Locating):
    """Gives every pixel of images a class: of folders of images and masks, a manifest, or in memory.

    A prediction is the bytes of a PNG of the image's own width and height, whose pixels are the numbers of classes.

    Example:
        >>> import io
        >>> from PIL import Image
        >>> from headwater.data.raster import encode
        >>> from headwater.settings import Settings
        >>> masks = [np.pad(np.ones((8, 8), np.uint8), ((0, 8), (place, 8 - place))) for place in range(9)]
        >>> table = {"image": [encode(200 * mask) for mask in masks], "mask": [encode(mask) for mask in masks]}
        >>> app = SemanticSegmentation("unet", Settings(epochs=1), width=4, depth=2).fit(table)
        >>> answer = app.predict(table["image"]).labels[0]
        >>> np.asarray(Image.open(io.BytesIO(answer))).shape
        (16, 16)
    """

    task: ClassVar[str] = "semantic-segmentation"
    sought: ClassVar[str] = "mask of these images"
    layout: ClassVar[str] = "images/1.jpg beside masks/1.png, or 1.jpg beside 1_mask.png"
    usual = ("mask", "masks", "segmentation", "annotation", "label", "labels", "target")
    baseline_class: type[Locator] = MeanMap

    def story(self) -> dict[str, Any]:
        seen = super().story()["seen"]
        return {"seen": {**seen, "legend": legend(self.target.classes)} if seen else {}}

    def find_target(self, records: Records, columns: tuple[str, ...]) -> Mask:
        if len(columns) > 1:
            raise SettingError("A mask is one column", where="--target", got=columns, fix="Name one column.")
        image = self.find_input(records, columns).columns[0]
        return Mask.of(records, columns[0], image, self.settings.mask_void)

    def weight(self, seen: Glance) -> int:
        return _BYTES_A_PIXEL * seen.width * seen.height

    def measurement(self) -> MaskMeasurement:
        return MaskMeasurement(self.target)

    def baseline_answers(self, inputs: Sequence[Picture]) -> dict[str, list[Any]]:
        if not isinstance(self.baseline, MeanMap):
            return {}
        return {"mean map": self.baseline.answers(inputs), "majority": self.baseline.constant(inputs)}

    @property
    def answer_type(self) -> Any:
        import pyarrow as pa

        return pa.binary()

    def decoded(self, answer: Any) -> bytes:
        return encoded(np.asarray(answer), numbering(self.target))
