"""A training on disk: one safetensors file, written whole, whose metadata holds everything that is not a tensor."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from headwater.errors import ArtifactError, ResourceError

_FORMAT = "1"


@dataclass(frozen=True)
class Checkpoint:
    """What a training needs to go on as if it had never stopped.

    Attributes:
        tensors: weights, optimiser moments and best weights by name.
        state: everything else, as plain JSON data.
    """

    tensors: dict[str, torch.Tensor]
    state: dict[str, Any]

    def part(self, name: str) -> dict[str, torch.Tensor]:
        """The tensors under a prefix, without it."""
        return {
            key.removeprefix(f"{name}/"): value for key, value in self.tensors.items() if key.startswith(f"{name}/")
        }


def learned(network: nn.Module) -> dict[str, torch.Tensor]:
    """What training changes in a network: its trainable parameters and its saved buffers, by name."""
    kept = network.state_dict().keys()
    buffers = {name: buffer for name, buffer in network.named_buffers() if name in kept}
    return {name: p.detach() for name, p in network.named_parameters() if p.requires_grad} | buffers


def save(file: Path, parts: Mapping[str, Mapping[str, torch.Tensor]], state: Mapping[str, Any]) -> None:
    """Writes a checkpoint so that a crash leaves the old one or the new one.

    Args:
        file: the checkpoint's path.
        parts: tensors by prefix and name.
        state: plain JSON data.

    Raises:
        ResourceError: the disk is full or the folder cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    tensors = {
        f"{prefix}/{name}": tensor.contiguous() for prefix, part in parts.items() for name, tensor in part.items()
    }
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        save_file(tensors, partial, metadata={"format": _FORMAT, "state": json.dumps(state)})
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(file)
    except (OSError, SafetensorError) as error:
        partial.unlink(missing_ok=True)
        raise ResourceError(
            "The checkpoint cannot be written", where=str(file), got=str(error),
            fix="Make room on the disk, or choose another folder.",
        ) from error  # fmt: skip


def load(file: Path) -> Checkpoint | None:
    """The checkpoint of a file, None when there is no file.

    Raises:
        ArtifactError: the file is damaged, or of a later headwater.
    """
    from safetensors import SafetensorError, safe_open

    if not file.exists():
        return None
    try:
        with safe_open(file, framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - not a dict
        checkpoint = Checkpoint(tensors, json.loads(metadata.get("state", "")))
    except (SafetensorError, json.JSONDecodeError) as error:
        raise ArtifactError(
            "The checkpoint is damaged", where=str(file), got=str(error),
            fix="Remove this file to train from the beginning.",
        ) from error  # fmt: skip
    if metadata["format"] != _FORMAT:
        raise ArtifactError(
            "The checkpoint has a format that this headwater does not know", where=str(file),
            got=metadata["format"], accepted=_FORMAT, fix="Remove this file to train from the beginning.",
        )  # fmt: skip
    return checkpoint
