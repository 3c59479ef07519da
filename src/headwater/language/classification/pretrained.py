"""Text classification by a pretrained encoder and a linear head."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from safetensors.numpy import load_file, save

from headwater.data.traits import Traits
from headwater.errors import ArtifactError, NotFittedError, ResourceError
from headwater.foundation.locate import locate
from headwater.foundation.origin import Origin, origin
from headwater.foundation.text import TextEncoder
from headwater.language import masked
from headwater.language.reading import text_reading
from headwater.run import Run, write_whole
from headwater.settings import NoSettings
from headwater.settings import Settings as RunSettings
from headwater.training.device import device_of
from headwater.training.trainer import READS
from headwater.transfer.classifier import Classifier, Examples, Facts
from headwater.transfer.features import extract, in_batches
from headwater.transfer.finetune import completed
from headwater.transfer.head import Head
from headwater.transfer.recipes import RECIPES
from headwater.transfer.stages import Adaptation


class PretrainedClassifier(Classifier):
    """Adapts any text foundation: `probe`, `last-layers`, `lora`, `full`, `probe-then-full`, `few-shot`, or `auto`.

    In a run folder it leaves the foundation in the hub's format, under `encoder`, which is itself a foundation for the
    next run.
    """

    Settings: ClassVar[type] = NoSettings
    reads = (*READS, "strategy", "last_layers", "lora_rank", "max_length")

    def __init__(self, settings: Any = None, *, foundation: str | None = None) -> None:
        super().__init__(settings, foundation=foundation or "minilm")
        self.encoder: TextEncoder | None = None
        self.head: Head | None = None
        self.token_budget: int | None = None
        self.device = "auto"

    def fit(self, train: Examples, valid: Examples, run: Run) -> Self:
        asked = run.settings
        self.encoder = self._untrained(asked)
        self.token_budget, self.device = asked.token_budget, asked.device
        if train.unlabelled and asked.unlabelled_method == "pretraining":
            masked.pretrain(self.encoder, [*train.unlabelled, *train.of_target], run.part("pretraining"))
        adaptation = Adaptation(self.encoder, train, valid, run)
        self.head = adaptation.fit()
        self.trace, self.held_out = adaptation.trace, adaptation.held_out
        return self

    def refuse(self, run: Run) -> None:
        if run.settings.unlabelled is not None and run.settings.unlabelled_method == "pretraining":
            masked.refuse(self._frozen(run.settings))

    @classmethod
    def completed(cls, settings: RunSettings, rows: int) -> RunSettings:
        return completed(settings, settings.strategy, rows) if settings.strategy in RECIPES else settings

    def view(self, inputs: Sequence[Any], run: Run) -> np.ndarray:
        return extract(self._frozen(run.settings), inputs, run.settings)

    def reading(self, inputs: Sequence[Any], run: Run) -> Traits:
        return text_reading(self._frozen(run.settings), inputs)

    def origin(self, run: Run) -> Origin:
        asked = run.settings
        return origin(str(self.foundation), offline=asked.offline, trust_remote_code=asked.trust_remote_code)

    def facts(self, run: Run) -> Facts:
        encoder = self._frozen(run.settings)
        files = encoder.source.glob("*.safetensors") if encoder.source else ()
        return Facts(
            parameters=sum(weight.numel() for weight in encoder.network.parameters()),
            megabytes=sum(file.stat().st_size for file in files) / 1e6 or None,
            max_length=encoder.max_length,
        )

    def logits(self, inputs: Sequence[Any]) -> np.ndarray:
        encoder, head = self._fitted()
        logits = np.zeros((len(inputs), len(head.bias)), np.float32)
        for rows, features in in_batches(encoder, inputs, self.token_budget):
            logits[rows] = head.logits(features.cpu().numpy())
        return logits

    def save(self, folder: Path) -> None:
        encoder, head = self._fitted()
        encoder.save(folder / "encoder")
        write_whole(folder / "head.safetensors", save({"weight": head.weight, "bias": head.bias}))
        state = {
            "foundation": self.foundation, "max_length": encoder.max_length, "token_budget": self.token_budget,
            "device": self.device,
        }  # fmt: skip
        write_whole(folder / "model.json", json.dumps(state).encode())

    @classmethod
    def load(cls, folder: Path) -> Self:
        try:
            state = json.loads((folder / "model.json").read_text("utf-8"))
            head = load_file(folder / "head.safetensors")
        except (OSError, ValueError) as missing:
            raise ArtifactError(
                "The adapted classifier is incomplete", where=str(folder), fix="Copy the whole run folder again."
            ) from missing
        model = cls(foundation=state["foundation"])
        model.token_budget, model.device = state["token_budget"], state.get("device", "auto")
        model.head = Head(head["weight"], head["bias"], strength=0.0)
        model.encoder = TextEncoder.load(
            folder / "encoder", state["foundation"], max_length=state["max_length"], device=str(_nearest(model.device))
        )
        return model

    def _frozen(self, asked: Any) -> TextEncoder:
        """The foundation as it is, read once."""
        if self.encoder is None:
            self.encoder = self._untrained(asked)
        return self.encoder

    def _untrained(self, asked: Any) -> TextEncoder:
        name = str(self.foundation)
        folder = locate(name, offline=asked.offline, trust_remote_code=asked.trust_remote_code)
        return TextEncoder.load(
            folder,
            name,
            max_length=asked.max_length,
            device=str(device_of(asked)),
            trust_remote_code=asked.trust_remote_code,
        )

    def _fitted(self) -> tuple[TextEncoder, Head]:
        if self.encoder is None or self.head is None:
            raise NotFittedError(
                "A pretrained classifier answers only after it was fitted", where=str(self.foundation),
                fix="Call fit first, or load a run folder.",
            )  # fmt: skip
        return self.encoder, self.head


def _nearest(kind: str) -> torch.device:
    """The device that a run asked for, or where this machine lacks it, the fastest there is."""
    try:
        return device_of(RunSettings(device=kind))
    except ResourceError:
        return device_of(RunSettings())
