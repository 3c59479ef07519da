"""Semantic segmentation by a foundation: a pretrained network of the hub that gives pixels their classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from headwater.errors import ArtifactError, SettingError
from headwater.foundation.layers import blocks_of
from headwater.foundation.locate import locate
from headwater.foundation.reading import notes_of, reading_of
from headwater.foundation.text import quiet
from headwater.run import Run
from headwater.settings import Settings as RunSettings
from headwater.training.trainer import READS
from headwater.vision.locating import refuse_strategy
from headwater.vision.locator import Scenes
from headwater.vision.network import write_foundation
from headwater.vision.segmentation.canvas import Canvas
from headwater.vision.segmentation.segmenter import Segmenter
from headwater.vision.segmentation.settings import SegmenterSettings
from headwater.vision.segmentation.views import Views

_STRATEGIES: Final = ("auto", "probe", "last-layers", "full")
_RATES: Final = {"probe": 1e-2, "last-layers": 3e-4, "full": 1e-4, "auto": 1e-4}
_HEADS: Final = ("decode_head", "classifier", "segmentation_head", "auxiliary_head")
"""What transformers calls the parts that are made anew for other classes."""
_UPRIGHT: Final = 4
"""So many answers of a picture are averaged before it is turned on its side."""


class PretrainedSegmenter(Segmenter):
    """Adapts a network such as SegFormer (Xie et al. 2021): `probe` its head alone, the `last-layers`, or `full`.

    In a run folder it leaves the foundation in the hub's format, which is itself a foundation for the next run.

    Attributes:
        notes: the files of the foundation that say how it wants its pixels.
    """

    Settings = SegmenterSettings
    reads = (*READS, "image_size", "image_augment", "strategy", "last_layers")
    epochs: ClassVar[int] = 15
    fewest_steps: ClassVar[int] = 500

    def __init__(self, settings: Any = None, *, foundation: str | None = None) -> None:
        super().__init__(settings, foundation=foundation)
        self._folder: Path | None = None
        self._trusted = False
        self._strategy = "auto"
        self._told_side: int | None = None
        self.notes: dict[str, bytes] = {}

    def fit(self, train: Scenes, valid: Scenes, run: Run) -> Self:
        asked = run.settings
        refuse_strategy(asked.strategy, _STRATEGIES, str(self.foundation))
        self._trusted = asked.trust_remote_code
        self._folder = locate(str(self.foundation), offline=asked.offline, trust_remote_code=self._trusted)
        self._strategy, self._last = asked.strategy, asked.last_layers
        config = _config(self._folder, trusted=self._trusted)
        self._reading = reading_of(self._folder, config, trust_remote_code=self._trusted)
        self.reversed, self.notes = self._reading.reversed, notes_of(self._folder)
        self._told_side = self._reading.side if self.notes or hasattr(config, "image_size") else None
        return super().fit(train, valid, run)

    @classmethod
    def completed(cls, settings: RunSettings, rows: int) -> RunSettings:
        found = super().completed(settings, rows)
        rate = _RATES.get(settings.strategy, cls.learning_rate)
        return replace(found, learning_rate=rate if settings.learning_rate is None else settings.learning_rate)

    def network(self, channels: int, n_classes: int) -> nn.Module:
        return _Sized(_read(self._folder or Path(), n_classes, trusted=self._trusted))

    def untrained(self) -> nn.Module:
        made = super().untrained()
        _try(made, self.canvas, turned=self.settings.averaged > _UPRIGHT, name=str(self.foundation))
        if self._strategy in ("probe", "last-layers"):
            _freeze(made, self._last if self._strategy == "last-layers" else 0)
        return made

    def head(self) -> list[nn.Module]:
        return [] if self._strategy == "probe" else _heads(self.model)

    def usual_side(self) -> int:
        """That of its pretraining, where the foundation tells it."""
        return super().usual_side() if self._told_side is None else self._told_side

    def sees_grey(self, scenes: Scenes) -> bool:
        return False

    def moments(self, views: Views) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self._reading.mean, np.float32), np.array(self._reading.std, np.float32)

    def state(self) -> dict[str, Any]:
        return {**super().state(), "foundation": self.foundation, "reversed": self.reversed}

    @classmethod
    def stated(cls, values: dict[str, Any], folder: Path) -> Self:
        made = super().stated(values, folder)
        made.foundation, made.reversed = values["foundation"], values["reversed"]
        made.notes = notes_of(folder / "encoder")
        return made

    def write_weights(self, folder: Path) -> None:
        write_foundation(self.model.inner, self.notes, folder / "encoder")

    def read_weights(self, folder: Path) -> nn.Module:
        return _Sized(_read(folder / "encoder", self.n_classes, trusted=False))


class _Sized(nn.Module):
    """A network of transformers whose logits are enlarged to the size of the picture."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        logits = self.inner(pixel_values=pictures.contiguous()).logits
        return functional.interpolate(logits, size=pictures.shape[2:], mode="bilinear", align_corners=False)


def _config(folder: Path, *, trusted: bool) -> Any:
    """What a foundation tells of itself; None where it is of no kind that transformers knows, which `_read` refuses."""
    import transformers

    try:
        with quiet():
            return transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=trusted)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError):
        return None


def _read(folder: Path, n_classes: int, *, trusted: bool) -> Any:
    import transformers

    try:
        with quiet():
            network, loaded = transformers.AutoModelForSemanticSegmentation.from_pretrained(
                folder, num_labels=n_classes, ignore_mismatched_sizes=True, dtype=torch.float32, use_safetensors=True,
                output_loading_info=True, local_files_only=True, trust_remote_code=trusted,
            )  # fmt: skip
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as wrong:
        raise ArtifactError(
            f"This foundation gives pixels no classes: {str(wrong).splitlines()[0]}", where=str(folder),
            accepted="a network of transformers for semantic segmentation, such as SegFormer",
        ) from wrong  # fmt: skip
    missing = sorted(key for key in loaded["missing_keys"] if not any(head in key for head in _HEADS))
    if missing:
        raise ArtifactError(
            f"The weights lack {len(missing)} tensors below the head that gives pixels classes", where=str(folder),
            got=missing[:3], fix="Download the foundation again, or check config.json against the weights.",
        )  # fmt: skip
    return network


def _try(network: nn.Module, canvas: Canvas, *, turned: bool, name: str) -> None:
    """Shows the network empty pictures of what it will learn from and answer, so that one it cannot see is known first.

    Args:
        network: takes pixels of shape (rows, 3, height, width).
        canvas: what it is to see.
        turned: whether answers are also asked for with height and width exchanged.
        name: of the foundation.

    Raises:
        SettingError: it cannot see pictures of one of these sizes.
    """
    more = "" if canvas.seen[0] == canvas.seen[1] else " One that sees squares only needs square images."
    fixes = {canvas.seen: f"Give the size it was pretrained with as --image-size.{more}"}
    fixes.setdefault(
        canvas.whole,
        f"It learns from windows of {canvas.window} pixels, but answers larger pieces of images at once. Take a "
        "foundation that sees pictures of any size, or give it square images with --set tiles=no.",
    )
    if turned:
        fixes.setdefault(canvas.whole[::-1], "Give --set averaged=4, or less: more turns images on their side.")
    for size, told in fixes.items():
        _see(network, size, name, told)


def _see(network: nn.Module, size: tuple[int, int], name: str, fix: str) -> None:
    """Shows the network an empty picture of a height and a width."""
    try:
        with torch.inference_mode():
            network.eval()(torch.zeros(1, 3, *size))
    except (RuntimeError, ValueError, AssertionError, TypeError) as wrong:
        why = (str(wrong).splitlines() or [type(wrong).__name__])[0]
        raise SettingError(
            f"The foundation cannot see what is {size[1]} pixels wide and {size[0]} high: {why}", where=name, fix=fix,
        ) from wrong  # fmt: skip


def _heads(network: nn.Module) -> list[nn.Module]:
    return [module for name, module in network.named_modules() if name.rpartition(".")[2] in _HEADS]


def _freeze(network: nn.Module, last: int) -> None:
    """Leaves only the head, and so many of the last blocks below it, to be trained."""
    heads = _heads(network)
    inside = {id(module) for head in heads for module in head.modules()}
    blocks = [block for block in blocks_of(network) if id(block) not in inside]
    network.requires_grad_(requires_grad=False)
    for part in [*heads, *(blocks[-last:] if last else [])]:
        part.requires_grad_(requires_grad=True)
