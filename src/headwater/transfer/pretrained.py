"""A pretrained encoder and a linear head, whatever the encoder reads; a task says only how its encoders are loaded."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from safetensors.numpy import load_file, save

from headwater.errors import ArtifactError, NotFittedError
from headwater.foundation.locate import locate
from headwater.foundation.origin import Origin, origin
from headwater.run import Run, write_whole
from headwater.settings import NoSettings
from headwater.settings import Settings as RunSettings
from headwater.training.device import device_of, nearest
from headwater.training.trainer import READS
from headwater.transfer.classifier import Classifier, Examples, Facts
from headwater.transfer.features import extract, in_batches
from headwater.transfer.finetune import completed
from headwater.transfer.head import Head
from headwater.transfer.recipes import RECIPES
from headwater.transfer.stages import Adaptation

if TYPE_CHECKING:
    from headwater.foundation.encoder import Encoder


class Pretrained(Classifier):
    """Adapts a foundation: `probe`, `last-layers`, `lora`, `full`, `probe-then-full`, `few-shot`, or `auto`.

    In a run folder it leaves the foundation in the hub's format, under `encoder`, which is itself a foundation for the
    next run. A subclass gives `open` and `options`.
    """

    Settings: ClassVar[type] = NoSettings
    reads = (*READS, "strategy", "last_layers", "lora_rank")

    def __init__(self, settings: Any = None, *, foundation: str | None = None) -> None:
        super().__init__(settings, foundation=foundation)
        self.encoder: Any = None
        self.head: Head | None = None
        self.token_budget: int | None = None
        self.device = "auto"

    @staticmethod
    @abstractmethod
    def open(folder: Path, name: str, *, device: str, trust_remote_code: bool = False, **options: Any) -> Encoder:
        """Reads an encoder from a folder in the hub's format.

        Args:
            folder: where it lies on this machine.
            name: what the user called it.
            device: where it computes.
            trust_remote_code: let it run code of its own.
            options: what `options` gave.
        """

    @staticmethod
    @abstractmethod
    def options(settings: RunSettings) -> dict[str, Any]:
        """What the settings say of how an encoder reads, as `Encoder.options` names it."""

    def fit(self, train: Examples, valid: Examples, run: Run) -> Self:
        asked = run.settings
        self.encoder = self._untrained(asked)
        self.token_budget, self.device = asked.token_budget, asked.device
        self.before(train, run)
        adaptation = Adaptation(self.encoder, train, valid, run)
        self.head = adaptation.fit()
        self.trace, self.held_out = adaptation.trace, adaptation.held_out
        return self

    def before(self, train: Examples, run: Run) -> None:
        """What becomes of the encoder before it learns from labels; nothing as a rule."""

    @classmethod
    def completed(cls, settings: RunSettings, rows: int) -> RunSettings:
        recipe = RECIPES.get(settings.strategy)
        return settings if recipe is None else completed(settings, recipe, rows)

    def view(self, inputs: Sequence[Any], run: Run) -> np.ndarray:
        return extract(self.frozen(run.settings), inputs, run.settings)

    def origin(self, run: Run) -> Origin:
        asked = run.settings
        return origin(str(self.foundation), offline=asked.offline, trust_remote_code=asked.trust_remote_code)

    def facts(self, run: Run) -> Facts:
        encoder = self.frozen(run.settings)
        files = encoder.source.glob("*.safetensors") if encoder.source else ()
        return Facts(
            parameters=sum(weight.numel() for weight in encoder.network.parameters()),
            megabytes=sum(file.stat().st_size for file in files) / 1e6 or None,
            max_length=encoder.options().get("max_length"),
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
        state = {"foundation": self.foundation, "token_budget": self.token_budget, "device": self.device}
        write_whole(folder / "model.json", json.dumps({**state, **encoder.options()}).encode())

    @classmethod
    def load(cls, folder: Path) -> Self:
        try:
            state = json.loads((folder / "model.json").read_text("utf-8"))
            head = load_file(folder / "head.safetensors")
        except (OSError, ValueError) as missing:
            raise ArtifactError(
                "The adapted classifier is incomplete", where=str(folder), fix="Copy the whole run folder again."
            ) from missing
        name = state.pop("foundation")
        model = cls(foundation=name)
        model.token_budget, model.device = state.pop("token_budget"), state.pop("device", "auto")
        model.head = Head(head["weight"], head["bias"], strength=0.0)
        model.encoder = cls.open(folder / "encoder", name, device=str(nearest(model.device)), **state)
        return model

    def frozen(self, asked: RunSettings) -> Any:
        """The foundation as it is, read once."""
        if self.encoder is None:
            self.encoder = self._untrained(asked)
        return self.encoder

    def _untrained(self, asked: RunSettings) -> Any:
        name, trusted = str(self.foundation), asked.trust_remote_code
        folder = locate(name, offline=asked.offline, trust_remote_code=trusted)
        return self.open(
            folder, name, device=str(device_of(asked)), trust_remote_code=trusted, **self.options(asked)
        )  # fmt: skip

    def _fitted(self) -> tuple[Any, Head]:
        if self.encoder is None or self.head is None:
            raise NotFittedError(
                "A pretrained classifier answers only after it was fitted", where=str(self.foundation),
                fix="Call fit first, or load a run folder.",
            )  # fmt: skip
        return self.encoder, self.head
