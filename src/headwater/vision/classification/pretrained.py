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
from headwater.vision.sheet import marks, sheet, tiles


class PretrainedClassifier(Pretrained):
    """Adapts any image foundation of transformers or timm, by any strategy."""

    reads = (*Pretrained.reads, "image_size")

    @staticmethod
    def open(
        folder: Path, name: str, *, device: str, trust_remote_code: bool = False, **options: Any
    ) -> ImageEncoder:  # fmt: skip
        return ImageEncoder.load(folder, name, device=device, trust_remote_code=trust_remote_code, **options)

    def fit(self, train: Examples, valid: Examples, run: Run) -> Self:
        super().fit(train, valid, run)
        self.trace.seen = self._sheet(train, run.settings.seed)
        return self

    @staticmethod
    def options(settings: Settings) -> dict[str, Any]:
        return {"side": settings.image_size}

    def refuse(self, run: Run) -> None:
        if run.settings.unlabelled is not None and run.settings.unlabelled_method == "pretraining":
            raise SettingError(
                "The pretraining that can go on is that of masked language models, and this foundation reads images",
                where="--unlabelled-method", got="pretraining", accepted="self-training, coral, dann",
            )  # fmt: skip

    def _sheet(self, train: Examples, seed: int) -> dict[str, Any]:
        """Training pictures as the network is given them under every strategy: unaltered."""
        prepared, reading = self.encoder.prepare(train.inputs), self.encoder.reading

        def shown(rows: np.ndarray) -> list[dict[str, Any]]:
            seen = reading.shown(prepared.batch(rows)["pixel_values"].numpy())
            found = tiles(torch.from_numpy(np.ascontiguousarray(seen)), [str(train.inputs[row]) for row in rows])
            return [{**one, "labels": marks(train.targets, rows[[place]])} for place, one in enumerate(found)]

        return sheet(len(train), seed, shown, altered=False)
