"""Training pictures as a foundation meets them: decoded once, altered anew whenever they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headwater.vision.augmentation import Preset, altered
from headwater.vision.network import patches, standardised, tensor_for
from headwater.vision.pixels import Pixels

if TYPE_CHECKING:
    import torch

    from headwater.data.pictures import Picture
    from headwater.foundation.image import ImageEncoder


@dataclass(frozen=True)
class AlteredPictures:
    """What the steps of a training see of pictures.

    Args:
        pixels: of all pictures, at the size that the foundation reads.
        encoder: the foundation.
        preset: what is done to them.
    """

    pixels: Pixels
    encoder: ImageEncoder
    preset: Preset

    @classmethod
    def of(
        cls, pictures: Sequence[Picture], encoder: ImageEncoder, preset: Preset, folder: Path | None
    ) -> AlteredPictures:
        """Decodes pictures; `folder` is where many are kept."""
        return cls(Pixels.of(pictures, encoder.reading.side, grey=False, folder=folder), encoder, preset)

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def lengths(self) -> np.ndarray:
        """The cost of each picture in tokens: the same of all."""
        side = self.encoder.reading.side
        return np.full(len(self), patches(side, side))

    def ahead(self, rows: np.ndarray) -> None:
        """There is nothing to begin with: the pixels are there."""

    def batch(self, rows: np.ndarray) -> dict[str, torch.Tensor]:
        """Altered pixels as the network reads them, shape (rows, 3, side, side)."""
        reading = self.encoder.reading
        seen = altered(tensor_for(self.encoder.network, self.pixels.take(rows)), self.preset)
        ordered = seen.flip(1) if reading.reversed else seen
        mean, deviation = (np.array(values, np.float32) for values in (reading.mean, reading.std))
        return {"pixel_values": standardised(ordered, mean, deviation)}
