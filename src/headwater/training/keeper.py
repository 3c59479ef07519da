"""What is kept of a running training: its checkpoint on disk and its best weights in memory."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

from headwater.errors import ArtifactError
from headwater.run import Run
from headwater.training import checkpoint
from headwater.training.checkpoint import learned
from headwater.training.history import Position
from headwater.training.optimiser import AdamW

if TYPE_CHECKING:
    from headwater.training.trainer import Learner

_DECISIVE = ("seed", "epochs", "learning_rate", "batch_size", "warmup", "weight_decay", "clip", "precision")


class Keeper:
    """Writes a training to its run's folder and reads it back.

    Args:
        run: its folder takes `checkpoint.safetensors`.
        learner: whose network is kept.
        optimiser: whose moments are kept.
        writes: only one of several processes writes.
    """

    def __init__(self, run: Run, learner: Learner, optimiser: AdamW, *, writes: bool) -> None:
        self.file = run.folder / "checkpoint.safetensors"
        self._learned = learned(learner.network)
        self._optimiser, self._writes = optimiser, writes
        self._best: dict[str, torch.Tensor] = {}
        self._identity = _identity(run, learner, self._learned)

    def resume(self) -> Position | None:
        """Puts the checkpoint's weights and moments where they were; None when there is no checkpoint.

        Raises:
            ArtifactError: the checkpoint is damaged, or is that of another training.
        """
        found = checkpoint.load(self.file)
        if found is None:
            return None
        if found.state["identity"] != self._identity:
            raise ArtifactError(
                "The checkpoint is that of a training with other data, another model or other settings",
                where=str(self.file), fix="Remove this file to train from the beginning, or take another folder.",
            )  # fmt: skip
        self._best = found.part("best")
        for name, tensor in (found.part("network") or self._best).items():
            self._learned[name].copy_(tensor)
        self._optimiser.restore(found.part("optimiser"))
        return Position.from_json(found.state["position"])

    def keep_best(self) -> None:
        """Copies the present weights, to be put back at the end."""
        for name, tensor in self._learned.items():
            if name not in self._best:
                self._best[name] = torch.empty_like(tensor, device="cpu")
            self._best[name].copy_(tensor)

    def save(self, position: Position) -> None:
        """Writes a checkpoint of the running training."""
        self._write(position, network=self._learned, optimiser=self._optimiser.state(), best=self._best)

    def finish(self, position: Position) -> None:
        """Puts the best weights into the network; the checkpoint then holds them and nothing else."""
        for name, tensor in self._best.items():
            self._learned[name].copy_(tensor)
        self._write(position, best=self._best)

    def _write(self, position: Position, **parts: dict[str, torch.Tensor]) -> None:
        if self._writes:
            checkpoint.save(self.file, parts, {"identity": self._identity, "position": asdict(position)})


def _identity(run: Run, learner: Learner, tensors: dict[str, torch.Tensor]) -> str:
    """A hash of all that decides the outcome of a training, but for the content of its rows."""
    facts: dict[str, Any] = {name: getattr(run.settings, name) for name in _DECISIVE}
    facts["tensors"] = {name: list(tensor.shape) for name, tensor in tensors.items()}
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    digest.update(learner.lengths.astype("int64").tobytes())
    return digest.hexdigest()
