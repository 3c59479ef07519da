"""Text classification by a pretrained encoder and a linear head."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headwater.data.traits import Traits
from headwater.foundation.text import TextEncoder
from headwater.language import masked
from headwater.language.reading import text_reading
from headwater.run import Run
from headwater.settings import Settings
from headwater.transfer.classifier import Examples
from headwater.transfer.pretrained import Pretrained


class PretrainedClassifier(Pretrained):
    """Adapts any text foundation, by any strategy; its masked language modelling can go on before."""

    reads = (*Pretrained.reads, "max_length")

    def __init__(self, settings: Any = None, *, foundation: str | None = None) -> None:
        super().__init__(settings, foundation=foundation or "minilm")

    @staticmethod
    def open(
        folder: Path, name: str, *, device: str, trust_remote_code: bool = False, **options: Any
    ) -> TextEncoder:  # fmt: skip
        return TextEncoder.load(folder, name, device=device, trust_remote_code=trust_remote_code, **options)

    @staticmethod
    def options(settings: Settings) -> dict[str, Any]:
        return {"max_length": settings.max_length}

    def before(self, train: Examples, run: Run) -> None:
        if train.unlabelled and run.settings.unlabelled_method == "pretraining":
            masked.pretrain(self.encoder, [*train.unlabelled, *train.of_target], run.part("pretraining"))

    def refuse(self, run: Run) -> None:
        if run.settings.unlabelled is not None and run.settings.unlabelled_method == "pretraining":
            masked.refuse(self.frozen(run.settings))

    def reading(self, inputs: Sequence[Any], run: Run) -> Traits:
        return text_reading(self.frozen(run.settings), inputs)
