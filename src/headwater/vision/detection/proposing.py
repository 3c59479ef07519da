"""Detectors that look where selective search says that something may be."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

import numpy as np

from headwater import progress
from headwater.foundation.cache import FeatureCache, cache_folder
from headwater.options import Between
from headwater.ranges import Search
from headwater.run import Run
from headwater.vision.detection.detector import Detector, DetectorSettings
from headwater.vision.detection.proposals import VERSION, selective_search
from headwater.vision.locator import Scenes


@dataclass(frozen=True, kw_only=True)
class ProposedSettings(DetectorSettings):
    """How many regions are looked at."""

    section: ClassVar[str] = "Model"

    proposals: Annotated[int, Between(10, 10_000), "The regions of a picture that are looked at."] = 1000
    regions_a_step: Annotated[
        int, Between(4, 4096), Search(32, 256, log=True), "The regions of a picture that are learned from at once."
    ] = 64
    overlap: Annotated[float, Between(0.05, 0.95), "Of two boxes of a class with a higher IoU, the surer is kept."] = (
        0.4
    )


class ProposedDetector(Detector):
    """Searches each picture once at the size of the training; what was found is kept on this machine by its content."""

    kept: FeatureCache | None = None
    """What regions are read from and written to on the disk; it reads the keys of the blocks there once."""

    def fit(self, train: Scenes, valid: Scenes, run: Run) -> Self:
        self.kept = kept_regions(self.settings.proposals) if run.settings.feature_cache and run.main else None
        return super().fit(train, valid, run)

    def proposals(self, pixels: np.ndarray) -> list[np.ndarray]:
        return proposed(pixels, self.settings.proposals, self.kept)


def kept_regions(most: int) -> FeatureCache:
    """The regions of pictures that are kept on this machine, where each has so many at most."""
    return FeatureCache(cache_folder(), f"selective-search-{VERSION}-{most}")


def proposed(pixels: np.ndarray, most: int, kept: FeatureCache | None) -> list[np.ndarray]:
    """What selective search finds in each picture, float32 of shape (boxes, 4).

    Args:
        pixels: uint8 of shape (rows, height, width, 3).
        most: boxes of a picture.
        kept: what they are read from and written to; None keeps none.
    """
    keys = [hashlib.blake2b(repr(one.shape).encode() + one.tobytes(), digest_size=16).digest() for one in pixels]
    known = {} if kept is None else kept.read(keys)
    missing = [row for row, key in enumerate(keys) if key not in known]
    made = []
    with progress.bar("proposals", len(missing)) as shown:
        for row in missing:
            made.append(_padded(selective_search(pixels[row], most), most))
            shown.advance()
    if kept is not None:
        kept.write([keys[row] for row in missing], np.array(made))
    known.update(zip((keys[row] for row in missing), made, strict=True))
    return [known[key][~np.isnan(known[key][:, 0])] for key in keys]


def _padded(boxes: np.ndarray, most: int) -> np.ndarray:
    """Boxes and rows of not-a-number after them, shape (most, 4), since all rows of the cache are of one shape."""
    return np.concatenate([boxes, np.full((most - len(boxes), 4), np.nan, np.float32)])
