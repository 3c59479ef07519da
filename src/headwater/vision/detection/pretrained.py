"""Object detection by a pretrained network of transformers: the DETR family, RT-DETR, YOLOS and their like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import torch
from torchvision.ops import box_convert

from headwater.application import Stage
from headwater.errors import ArtifactError, NotFittedError
from headwater.foundation.layers import blocks_of
from headwater.foundation.locate import locate
from headwater.foundation.reading import notes_of, reading_of
from headwater.foundation.text import quiet
from headwater.run import Run
from headwater.settings import NoSettings
from headwater.settings import Settings as RunSettings
from headwater.training.trainer import READS
from headwater.vision.detection.detector import Detector, Finder, Guess
from headwater.vision.detection.precision import interval
from headwater.vision.detection.scenes import Framed, Target
from headwater.vision.frames import Frame
from headwater.vision.kept import folder_of
from headwater.vision.locating import refuse_strategy
from headwater.vision.locator import Scenes
from headwater.vision.network import write_foundation

STRATEGIES: Final = ("auto", "full", "last-layers", "probe")
_RATES: Final = {"full": 1e-4, "last-layers": 2e-4, "probe": 1e-3}
_HEADS: Final = re.compile(r"class_|bbox_|score_head")
"""What the layers that name and place are called, in every architecture of transformers."""


class PretrainedDetector(Detector):
    """Adapts any detector of transformers in the hub's format.

    Where the foundation knows every class of the data by its name it keeps its heads, and is scored as it is first:
    what it learns is kept only if it finds more in the validation pictures then. Else its heads begin anew.

    Attributes:
        columns: which of the network's classes each class of the data is.
        notes: the files of the foundation that say how it wants its pixels.
    """

    Settings = NoSettings
    reads = (*READS, "image_size", "image_augment", "strategy", "last_layers")
    epochs = 10
    fewest_steps = 300
    large_products = False
    columns: list[int]
    notes: dict[str, bytes]

    @property
    def overlap(self) -> float:
        return 0.8

    @property
    def upside_down(self) -> bool:
        return False

    def network(self, n_classes: int) -> Finder:
        raise NotFittedError(
            "The network of a pretrained detector is that of its foundation", where=str(self.foundation),
            fix="Call fit, or load a run folder.",
        )  # fmt: skip

    def fit(self, train: Scenes, valid: Scenes, run: Run) -> Self:
        settings, name = run.settings, str(self.foundation)
        refuse_strategy(settings.strategy, STRATEGIES, name)
        folder = locate(name, offline=settings.offline, trust_remote_code=settings.trust_remote_code)
        self.n_classes = train.n_classes
        classes = train.classes or range(train.n_classes)
        self.begin(settings, lambda: opened(folder, classes, trusted=settings.trust_remote_code))
        self.columns = self.model.columns
        network: Any = self.model.network
        reading = reading_of(folder, network.config, trust_remote_code=settings.trust_remote_code)
        self.frame = Frame.of(train.inputs, settings.image_size, reading.side)
        self.mean, self.deviation = (np.array(values, np.float32) for values in (reading.mean, reading.std))
        self.reversed, self.notes = reading.reversed, notes_of(folder)
        kept = folder_of(run)
        seen, unseen = (Framed.of(scenes, self.frame, kept, self.proposals) for scenes in (train, valid))
        trainable(self.model.network, settings)
        if not self.model.knows:
            self.learn(seen, unseen, run)
            return self
        before = {key: tensor.cpu().clone() for key, tensor in self.model.state_dict().items()}
        score, low, high = interval(self.all_found(unseen), unseen.known, settings.seed)
        self.trace.stages = [Stage("as it is", score, low, high, 0.0, "begun with: it knows the classes")]
        if self.learn(seen, unseen, run) <= score:
            self.model.load_state_dict(before)
            last = self.trace.stages[-1]
            told = f"{last.decision}; not kept: it finds no more than as it is, and goes on so"
            self.trace.stages[-1] = replace(last, decision=told)
        return self

    @classmethod
    def completed(cls, settings: RunSettings, rows: int) -> RunSettings:
        rate = _RATES[_chosen(settings.strategy)] if settings.strategy in STRATEGIES else cls.learning_rate
        asked = settings.learning_rate
        return super().completed(replace(settings, learning_rate=rate if asked is None else asked), rows)

    def state(self) -> dict[str, Any]:
        own = {"foundation": self.foundation, "columns": self.columns, "reversed": self.reversed}
        return {**super().state(), **own}

    @classmethod
    def stated(cls, values: dict[str, Any], folder: Path) -> Self:
        made = super().stated(values, folder)
        made.foundation, made.columns, made.reversed = (
            values[name] for name in ("foundation", "columns", "reversed")
        )  # fmt: skip
        made.notes = notes_of(folder / "encoder")
        return made

    def write_weights(self, folder: Path) -> None:
        write_foundation(self.model.network, self.notes, folder / "encoder")

    def read_weights(self, folder: Path) -> Finder:
        network, _ = _read(folder / "encoder", trusted=False)
        return HubFinder(network, self.columns, knows=True)


class HubFinder(Finder):
    """A detector of transformers, for which the shape of an answer is that of all the others.

    Args:
        network: what `AutoModelForObjectDetection` gave.
        columns: which of its classes each class of the data is.
        knows: whether it has learnt these classes before.
    """

    def __init__(self, network: Any, columns: Sequence[int], *, knows: bool) -> None:
        super().__init__()
        self.network, self.columns, self.knows = network, list(columns), knows

    def loss(self, pictures: torch.Tensor, targets: Sequence[Target]) -> torch.Tensor:
        columns = torch.tensor(self.columns, device=pictures.device)
        size = pictures.shape[:1:-1] * 2
        labels = [
            {
                "class_labels": columns[target.labels],
                "boxes": box_convert(target.places, "xyxy", "cxcywh") / target.places.new_tensor(size),
            }
            for target in targets
        ]
        # Its assignment of queries to boxes is solved by numpy, which has no half precision.
        with torch.autocast(pictures.device.type, enabled=False):
            return len(pictures) * self.network(pixel_values=pictures.contiguous(), labels=labels).loss

    def guesses(self, pictures: torch.Tensor, proposals: Sequence[torch.Tensor]) -> list[Guess]:
        told = self.network(pixel_values=pictures.contiguous())
        logits = told.logits.float()
        # Some architectures have one class more, for nothing; the others ask for each class by itself.
        whole = logits.shape[2] > self.network.config.num_labels
        sure = (logits.softmax(dim=2) if whole else logits.sigmoid())[:, :, self.columns]
        places = box_convert(told.pred_boxes.float(), "cxcywh", "xyxy")
        places = places * places.new_tensor(pictures.shape[:1:-1] * 2)
        return [Guess.of(*pair) for pair in zip(places, sure, strict=True)]


def opened(folder: Path, classes: Sequence[Any], *, trusted: bool) -> HubFinder:
    """The foundation in a folder, with its own heads where it knows these classes, else with new ones.

    Raises:
        ArtifactError: it is no detector, or lacks weights.
    """
    network, loaded = _read(folder, trusted=trusted)
    numbers = {str(name).casefold(): number for number, name in network.config.id2label.items()}
    known = [numbers.get(str(name).casefold()) for name in classes]
    columns = [number for number in known if number is not None]
    knows = len(set(columns)) == len(classes)
    if not knows:
        named = {number: str(name) for number, name in enumerate(classes)}
        network, loaded = _read(folder, trusted=trusted, id2label=named, ignore_mismatched_sizes=True)
        columns = list(named)
    missing = sorted(key for key in loaded["missing_keys"] if knows or not _HEADS.search(key))
    if missing:
        raise ArtifactError(
            f"The detector lacks {len(missing)} of its tensors", where=str(folder), got=missing[:3],
            fix="Download the foundation again, or check config.json against the weights.",
        )  # fmt: skip
    return HubFinder(network, columns, knows=knows)


def trainable(network: Any, settings: RunSettings) -> None:
    """Leaves only what a strategy trains to learn: of `probe` the heads, of `last-layers` the last blocks as well."""
    strategy = _chosen(settings.strategy)
    if strategy == "full":
        return
    blocks = blocks_of(network)[-settings.last_layers :] if strategy == "last-layers" else []
    chosen = {id(parameter) for block in blocks for parameter in block.parameters()}
    for name, parameter in network.named_parameters():
        wanted = bool(_HEADS.search(name)) or id(parameter) in chosen
        parameter.requires_grad_(parameter.requires_grad and wanted)


def _chosen(strategy: str) -> str:
    return "full" if strategy == "auto" else strategy


def _read(folder: Path, *, trusted: bool, **given: Any) -> tuple[Any, dict[str, Any]]:
    """A network in float32, and what its files lacked."""
    import transformers

    try:
        with quiet():
            return transformers.AutoModelForObjectDetection.from_pretrained(
                folder, dtype=torch.float32, use_safetensors=True, output_loading_info=True, local_files_only=True,
                trust_remote_code=trusted, **given,
            )  # fmt: skip
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as wrong:
        raise ArtifactError(
            f"This foundation cannot find things in images: {str(wrong).splitlines()[0]}", where=str(folder),
            accepted="a detector of transformers, such as those of DETR, RT-DETR and YOLOS",
        ) from wrong  # fmt: skip
