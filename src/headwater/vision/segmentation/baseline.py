"""What can be answered without looking at an image: the class that a place, or the whole of the masks, mostly has."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import numpy as np

from headwater.data.pictures import Picture, glance
from headwater.run import Run, write_whole
from headwater.settings import NoSettings
from headwater.vision.locator import Locator, Scenes
from headwater.vision.segmentation.canvas import resized

_SIDE: Final = 48
"""Places along each edge of the mean map."""


class MeanMap(Locator):
    """The most usual class of the training masks at each place, whatever the picture shows.

    Attributes:
        usual: class positions of shape (48, 48), which are enlarged to any picture.
        majority: the position of the class with the most pixels.

    Example:
        >>> from headwater.run import scratch
        >>> from headwater.settings import Settings
        >>> sky_over_road = np.repeat([[0], [1]], 4, axis=1)
        >>> scenes = Scenes([Picture("a.png")], [sky_over_road], 2)
        >>> with scratch(Settings()) as run:
        ...     MeanMap().fit(scenes, Scenes([], [], 2), run).drawn(2, 3).tolist()
        [[0, 0, 0], [1, 1, 1]]
    """

    Settings = NoSettings

    def fit(self, train: Scenes, valid: Scenes, run: Run) -> Self:
        """Counts the classes of the training masks."""
        counts = np.zeros((train.n_classes, _SIDE, _SIDE), np.int64)
        pixels = np.zeros(train.n_classes)
        down, across = np.indices((_SIDE, _SIDE))
        for answer in train.answers:
            known = np.asarray(answer)
            small = resized(known, _SIDE, _SIDE)
            there = small >= 0
            counts[small[there], down[there], across[there]] += 1
            pixels += np.bincount(known[known >= 0], minlength=train.n_classes)[: train.n_classes] / known.size
        self.majority = int(pixels.argmax())
        # A place that is void in every mask has the class that most pixels have.
        counts[self.majority] += counts.sum(axis=0) == 0
        self.usual = counts.argmax(axis=0)
        return self

    def answers(self, inputs: Sequence[Picture]) -> list[np.ndarray]:
        seen = [glance(picture) for picture in inputs]
        return [self.drawn(one.height, one.width) for one in seen]

    def constant(self, inputs: Sequence[Picture]) -> list[np.ndarray]:
        """The most usual class of all, everywhere."""
        seen = [glance(picture) for picture in inputs]
        return [np.full((one.height, one.width), self.majority, np.int16) for one in seen]

    def drawn(self, height: int, width: int) -> np.ndarray:
        """The answer for a picture of this size, int16 of shape (height, width)."""
        return resized(self.usual, height, width).astype(np.int16)

    def save(self, folder: Path) -> None:
        values = {"usual": self.usual.tolist(), "majority": self.majority}
        write_whole(folder / "mean_map.json", json.dumps(values).encode())

    @classmethod
    def load(cls, folder: Path) -> Self:
        values = json.loads((folder / "mean_map.json").read_text("utf-8"))
        made = cls()
        made.usual, made.majority = np.array(values["usual"]), values["majority"]
        return made
