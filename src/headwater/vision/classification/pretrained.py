"""Image classification by a pretrained encoder and a linear head."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from headwater.errors import SettingError
from headwater.foundation.image import ImageEncoder
from headwater.run import Run
from headwater.settings import Settings
from headwater.transfer.classifier import Examples
from headwater.transfer.pretrained import Pretrained
from headwater.transfer.recipes import RECIPES
from headwater.vision.augmentation import Preset, preset_of
from headwater.vision.classification.views import AlteredPictures
from headwater.vision.kept import folder_of
from headwater.vision.pixels import is_grey
from headwater.vision.sheet import marks, sheet, tiles


class PretrainedClassifier(Pretrained):
    """Adapts any image foundation of transformers or timm, by any strategy."""

    reads = (*Pretrained.reads, "image_size", "image_augment")

    @staticmethod
    def open(
        folder: Path, name: str, *, device: str, trust_remote_code: bool = False, **options: Any
    ) -> ImageEncoder:  # fmt: skip
        return ImageEncoder.load(folder, name, device=device, trust_remote_code=trust_remote_code, **options)

    def fit(self, train: Examples, valid: Examples, run: Run) -> Self:
        super().fit(train, valid, run)
        learnt = any(epoch.get("stage") in RECIPES for epoch in self.trace.curve)
        self.trace.seen = self._sheet(train, run.settings.seed, altered=learnt and self.encoder.views is not None)
        return self

    def before(self, train: Examples, run: Run) -> None:
        settings = run.settings
        if settings.strategy not in {*RECIPES, "auto"} and settings.image_augment not in ("auto", "none"):
            raise SettingError(
                "Images are altered only where the network itself learns", where="--image-augment",
                got=settings.image_augment, accepted="auto or none with the strategy " + settings.strategy,
                fix="Choose a deeper --strategy, such as full, or leave --image-augment out.",
            )  # fmt: skip
        side, grey = self.encoder.reading.side, is_grey(train.inputs)
        preset = preset_of(settings.image_augment, side, grey=grey, rows=len(train))
        if preset != Preset():
            folder = folder_of(run)
            self.encoder.views = lambda pictures: AlteredPictures.of(pictures, self.encoder, preset, folder)

    @staticmethod
    def options(settings: Settings) -> dict[str, Any]:
        return {"side": settings.image_size}

    def refuse(self, run: Run) -> None:
        if run.settings.unlabelled is not None and run.settings.unlabelled_method == "pretraining":
            raise SettingError(
                "The pretraining that can go on is that of masked language models, and this foundation reads images",
                where="--unlabelled-method", got="pretraining", accepted="self-training, coral, dann",
            )  # fmt: skip

    def _sheet(self, train: Examples, seed: int, *, altered: bool) -> dict[str, Any]:
        """Training pictures as the network was given them: altered where it learnt itself."""
        prepare = self.encoder.prepare_to_learn if altered else self.encoder.prepare

        def shown(rows: np.ndarray) -> list[dict[str, Any]]:
            pictures = [train.inputs[row] for row in rows.tolist()]
            values = prepare(pictures).batch(np.arange(len(rows)))["pixel_values"].cpu().numpy()
            found = tiles(torch.from_numpy(self.encoder.reading.shown(values)), [str(one) for one in pictures])
            return [{**one, "labels": marks(train.targets, rows[[place]])} for place, one in enumerate(found)]

        return sheet(len(train), seed, shown, altered=altered)
