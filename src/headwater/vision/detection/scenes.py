"""Pictures with boxes at the size of a training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self

import numpy as np
import torch

from headwater.data.boxes import Boxes
from headwater.data.pictures import look
from headwater.vision.augmentation import coloured, unit
from headwater.vision.detection.geometry import areas
from headwater.vision.detection.views import Preset, Views
from headwater.vision.frames import Frame
from headwater.vision.locator import Scenes
from headwater.vision.pixels import Pixels, portions

_PARTS: Final = ("places", "labels", "proposals", "pardoned")


@dataclass(frozen=True)
class Target:
    """What is known of one picture, in pixels of its frame.

    Attributes:
        places: the boxes to find, float32 of shape (boxes, 4).
        labels: the position of the class of each, int64 of shape (boxes,).
        proposals: where something may be, float32 of shape (proposals, 4); none for a model that needs none.
        pardoned: the boxes that need not be found: what lies in one is no sign of nothing, float32 of shape (boxes, 4).
    """

    places: torch.Tensor
    labels: torch.Tensor
    proposals: torch.Tensor
    pardoned: torch.Tensor = field(default_factory=lambda: torch.empty(0, 4))

    @classmethod
    def of(cls, known: Boxes, proposals: np.ndarray) -> Self:
        """The target of a picture, the boxes that need not be found apart from the others."""
        pardoned = known.pardoned
        sure = known.take(~pardoned)
        parts = (sure.places, sure.labels, proposals, known.places[pardoned])
        return cls(*(torch.from_numpy(values) for values in parts))

    @classmethod
    def joined(cls, targets: Sequence[Target]) -> Self:
        """All that several know."""
        return cls(*(torch.cat([getattr(target, name) for target in targets]) for name in _PARTS))

    def to(self, device: torch.device) -> Target:
        """The same where a network is."""
        return Target(*(getattr(self, name).to(device) for name in _PARTS))


class Framed:
    """Pictures laid into a frame, with what is known of them.

    Args:
        pixels: uint8 of shape (rows, height, width, 3).
        known: the boxes of each picture, in pixels of the frame.
        proposals: of each picture where something may be, float32 of shape (proposals, 4).
        names: what each picture is called.
    """

    def __init__(
        self, pixels: Pixels, known: Sequence[Boxes], proposals: Sequence[np.ndarray], names: Sequence[str] = ()
    ) -> None:  # fmt: skip
        self.pixels, self.known, self.names = pixels, known, names
        self.targets = [Target.of(*pair) for pair in zip(known, proposals, strict=True)]

    @classmethod
    def of(
        cls, scenes: Scenes, frame: Frame, folder: Path | None, propose: Callable[[np.ndarray], list[np.ndarray]]
    ) -> Self:  # fmt: skip
        """Decodes pictures once and moves their boxes into the frame.

        Args:
            scenes: pictures and their boxes.
            frame: the size of the training.
            folder: where many pixels are kept; None keeps them in memory.
            propose: tells where something may be in a part of the pictures.
        """
        pixels = Pixels.whole(scenes.inputs, frame.height, frame.width, folder)
        sizes = ((one.width, one.height) for one in look(scenes.inputs))
        known = [_laid(boxes, frame.scale(*size)) for boxes, size in zip(scenes.answers, sizes, strict=True)]
        parts = portions(len(pixels), max(frame.height, frame.width))
        proposals = [places for rows in parts for places in propose(pixels.array[rows])]
        return cls(pixels, known, proposals, [str(picture) for picture in scenes.inputs])

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, rows: np.ndarray) -> tuple[torch.Tensor, list[Target]]:
        """Some pictures as they are, float32 from 0 to 1 of shape (rows, 3, height, width), and what is in them."""
        pixels = torch.from_numpy(self.pixels.take(rows)).permute(0, 3, 1, 2)
        return unit(pixels), [self.targets[row] for row in rows.tolist()]

    def altered(self, rows: np.ndarray, preset: Preset) -> tuple[torch.Tensor, list[Target]]:
        """Some pictures as a training step sees them, of the same shape, each with draws of its own.

        Args:
            rows: positions of pictures; a mosaic takes three more from the whole gallery.
            preset: what is done to them.
        """
        if preset == Preset():
            return self.take(rows)
        mosaic = (torch.rand(len(rows)) < preset.mosaic).numpy()
        pictures = torch.empty(len(rows), 3, *self.pixels.array.shape[1:3])
        targets = [self.targets[row] for row in rows.tolist()]
        for parts, places in ((1, np.flatnonzero(~mosaic)), (2, np.flatnonzero(mosaic))):
            if not len(places):
                continue
            others = torch.randint(len(self), (len(places), parts**2 - 1)).numpy()
            sources = np.concatenate([rows[places, None], others], axis=1).reshape(-1, parts, parts)
            pictures[places], found = self._seen(sources, preset)
            for place, target in zip(places, found, strict=True):
                targets[place] = target
        pictures = coloured(pictures, preset.colour) if preset.colour else pictures
        return pictures.contiguous(memory_format=torch.channels_last), targets

    def _seen(self, sources: np.ndarray, preset: Preset) -> tuple[torch.Tensor, list[Target]]:
        """New pictures of these parts, and what is in them."""
        height, width = self.pixels.array.shape[1:3]
        views = Views(sources, (height, width), preset)
        targets = []
        for row, parts in enumerate(sources):
            found = []
            for (line, column), source in np.ndenumerate(parts):
                known, part = self.targets[source], (row, line, column)
                places, seen = views.cut(known.places, part)
                proposals, worth = views.cut(known.proposals, part)
                pardoned, _ = views.cut(known.pardoned, part)
                pardoned = pardoned[areas(pardoned) > 0]  # however little is in sight, it is not nothing
                found.append(Target(places[seen], known.labels[seen], proposals[worth], pardoned))
            targets.append(Target.joined(found))
        return views.shown(self.pixels.take(sources)), targets


def _laid(boxes: Boxes, scale: np.ndarray) -> Boxes:
    return replace(boxes, places=(boxes.places * np.tile(scale, 2)).astype(np.float32))
