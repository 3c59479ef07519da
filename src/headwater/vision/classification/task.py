"""Image classification: which class, or which labels, does an image have?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from headwater.data.fields import Image, find_image
from headwater.data.pictures import Picture
from headwater.data.records import Records
from headwater.data.traits import Traits
from headwater.errors import SettingError
from headwater.run import Run
from headwater.transfer.classification import Classification
from headwater.vision.traits import picture_traits


class ImageClassification(Classification):
    """Names the class of images: of a folder, an archive, a manifest, or in memory.

    Example:
        >>> import numpy as np
        >>> shades = np.linspace(0, 255, 40).astype(np.uint8)
        >>> images = [np.full((8, 8), shade) for shade in shades]
        >>> labels = ["dark" if shade < 128 else "bright" for shade in shades]
        >>> app = ImageClassification("pixels-logistic").fit({"image": images, "label": labels})
        >>> app.predict([images[0], None, images[-1]]).labels
        ['dark', None, 'bright']
    """

    task: ClassVar[str] = "image-classification"
    input_setting: ClassVar[str] = "image"

    def find_input(self, records: Records, taken: tuple[str, ...]) -> Image:
        columns = self.settings.image or (find_image(records, taken),)
        if len(columns) > 1:
            raise SettingError("An image is one column", where="--image", got=columns, fix="Name one column.")
        records.column(columns[0])
        return Image(columns)

    def augment(self, values: Sequence[Picture], method: str, draw: int, run: Run) -> list[Any]:
        raise SettingError(
            "Copies of images are not made before the learning: they are altered anew in every step",
            where="--augment", got=method, fix="Say how with --image-augment.",
        )  # fmt: skip

    def traits(self, values: Sequence[Picture]) -> Traits:
        return picture_traits(values)
