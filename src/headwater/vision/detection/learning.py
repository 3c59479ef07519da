"""A detector as the trainer sees it: the loss of some pictures, and the score of those that it does not learn from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from headwater.data.boxes import Boxes
from headwater.settings import Settings as RunSettings
from headwater.training.device import precision_of
from headwater.training.trainer import Learner
from headwater.vision.detection.precision import mean_precision
from headwater.vision.detection.scenes import Gallery
from headwater.vision.detection.views import PRESETS

if TYPE_CHECKING:
    from headwater.vision.detection.detector import Detector


class SceneLearner(Learner):
    """A detector's network with its training and its validation pictures, for the trainer."""

    def __init__(self, detector: Detector, seen: Gallery, unseen: Gallery, settings: RunSettings) -> None:
        self.detector, self.seen, self.unseen = detector, seen, unseen
        self.network, self.large_products = detector.model, detector.large_products
        self.lengths = np.full(len(seen), detector.frame.patches)
        name = "standard" if settings.image_augment == "auto" else settings.image_augment
        self.preset = replace(PRESETS[name], upside_down=detector.upside_down)
        self.settings = settings

    def loss(self, rows: np.ndarray) -> torch.Tensor:
        device = next(self.network.parameters()).device
        pictures, targets = self.seen.altered(rows, self.preset)
        pictures = self.detector.standardised(pictures.to(device))
        return self.detector.model.loss(pictures, [target.to(device) for target in targets])

    def score(self) -> float:
        return mean_precision(self.found(), self.unseen.known)

    def found(self) -> list[Boxes]:
        """What the network finds in the validation pictures, in the number format of the training."""
        device = next(self.network.parameters()).device
        precision = precision_of(self.settings, device, large_products=self.large_products)
        with torch.autocast(device.type, precision, enabled=precision is not torch.float32):
            return self.detector.all_found(self.unseen)
