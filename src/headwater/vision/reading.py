"""What every task whose input is an image shares: how images are found among the columns, and what is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from headwater.data.fields import Image, find_image
from headwater.data.pictures import Picture
from headwater.data.records import Records
from headwater.data.traits import Traits
from headwater.errors import SettingError
from headwater.run import Run
from headwater.settings import Settings
from headwater.vision.traits import picture_traits


class ReadsImages:
    """An application whose input is one column of images."""

    input_setting: ClassVar[str] = "image"
    settings: Settings

    def find_input(self, records: Records, taken: tuple[str, ...]) -> Image:
        """The field of the images; `taken` columns hold the target and the divisions."""
        columns = self.settings.image or (find_image(records, taken),)
        if len(columns) > 1:
            raise SettingError("An image is one column", where="--image", got=columns, fix="Name one column.")
        records.column(columns[0])
        return Image(columns)

    def augment(self, values: Sequence[Picture], method: str, draw: int, run: Run) -> list[Any]:
        """Refuses: a training step alters what it sees, and nothing is made before it."""
        raise SettingError(
            "Copies of images are not made before the learning: they are altered anew in every step",
            where="--augment", got=method, fix="Say how with --image-augment.",
        )  # fmt: skip

    def traits(self, values: Sequence[Picture]) -> Traits:
        """Brightness, contrast, size and the like of each picture."""
        return picture_traits(values)
