"""A detector as the trainer sees it: the loss of some pictures, and the score of those that it does not learn from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from headwater.data.boxes import Boxes
from headwater.settings import Settings as RunSettings
from headwater.training.device import precision_of
from headwater.training.trainer import Learner
from headwater.vision.detection.precision import mean_precision
from headwater.vision.detection.scenes import Framed, Target
from headwater.vision.detection.views import PRESETS
from headwater.vision.norms import settled, train_unfrozen
from headwater.vision.sheet import tiles

if TYPE_CHECKING:
    from headwater.vision.detection.detector import Detector


class SceneLearner(Learner):
    """A detector's network with its training and its validation pictures, for the trainer."""

    def __init__(self, detector: Detector, seen: Framed, unseen: Framed, settings: RunSettings) -> None:
        self.detector, self.seen, self.unseen = detector, seen, unseen
        self.network, self.large_products = detector.model, detector.large_products
        self.lengths = np.full(len(seen), detector.frame.patches)
        name = "standard" if settings.image_augment == "auto" else settings.image_augment
        self.preset = replace(PRESETS[name], upside_down=detector.upside_down)
        self.settings = settings

    def views(self, rows: np.ndarray) -> tuple[torch.Tensor, list[Target]]:
        """Training pictures as this step sees them, from 0 to 1, and what is in them."""
        return self.seen.altered(rows, self.preset)

    def shown(self, rows: np.ndarray) -> list[dict[str, Any]]:
        """The same as a contact sheet shows them."""
        pictures, targets = self.views(rows)
        found = tiles(pictures, [self.seen.names[row] for row in rows.tolist()])
        return [{**one, "boxes": _taught(target)} for one, target in zip(found, targets, strict=True)]

    def loss(self, rows: np.ndarray) -> torch.Tensor:
        device = next(self.network.parameters()).device
        pictures, targets = self.views(rows)
        pictures = self.detector.standardised(pictures.to(device))
        with settled(self.network):
            return self.detector.model.loss(pictures, [target.to(device) for target in targets])

    def train_mode(self) -> None:
        train_unfrozen(self.network)

    def score(self) -> float:
        return mean_precision(self.found(), self.unseen.known)

    def found(self) -> list[Boxes]:
        """What the network finds in the validation pictures, in the number format of the training."""
        device = next(self.network.parameters()).device
        precision = precision_of(self.settings, device, large_products=self.large_products)
        with torch.autocast(device.type, precision, enabled=precision is not torch.float32):
            return self.detector.all_found(self.unseen)


def _taught(target: Target) -> list[dict[str, Any]]:
    """The boxes that a network is asked for, as the report draws them."""
    pairs = zip(target.labels.tolist(), target.places.tolist(), strict=True)
    return [
        {"kind": "taught", "label": label, "score": None, "place": [round(edge, 1) for edge in place]}
        for label, place in pairs
    ]
