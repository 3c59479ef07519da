"""Image classification by a pretrained encoder and a linear head."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headwater.errors import SettingError
from headwater.foundation.image import ImageEncoder
from headwater.run import Run
from headwater.settings import Settings
from headwater.transfer.pretrained import Pretrained


class PretrainedClassifier(Pretrained):
    """Adapts any image foundation of transformers or timm, by any strategy."""

    reads = (*Pretrained.reads, "image_size")

    @staticmethod
    def open(
        folder: Path, name: str, *, device: str, trust_remote_code: bool = False, **options: Any
    ) -> ImageEncoder:  # fmt: skip
        return ImageEncoder.load(folder, name, device=device, trust_remote_code=trust_remote_code, **options)

    @staticmethod
    def options(settings: Settings) -> dict[str, Any]:
        return {"side": settings.image_size}

    def refuse(self, run: Run) -> None:
        if run.settings.unlabelled is not None and run.settings.unlabelled_method == "pretraining":
            raise SettingError(
                "The pretraining that can go on is that of masked language models, and this foundation reads images",
                where="--unlabelled-method", got="pretraining", accepted="self-training, coral, dann",
            )  # fmt: skip
