"""What all detectors share: the frame, the pixels, training, answers in a picture's own pixels, files."""

from __future__ import annotations

import json
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar, Final, Self

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import nn

from headwater.application import Stage
from headwater.data.boxes import Boxes
from headwater.data.pictures import Picture, look
from headwater.options import Between, build
from headwater.run import Run, write_whole
from headwater.settings import Settings as RunSettings
from headwater.training import schedule
from headwater.training.device import device_of, nearest, token_budget_of
from headwater.training.passes import in_passes
from headwater.training.trainer import READS, Trainer
from headwater.vision.augmentation import unit
from headwater.vision.detection.geometry import best, clipped
from headwater.vision.detection.learning import SceneLearner
from headwater.vision.detection.precision import interval
from headwater.vision.detection.scenes import Gallery, Target
from headwater.vision.detection.views import Preset
from headwater.vision.frames import Frame
from headwater.vision.locator import Locator, Scenes
from headwater.vision.pixels import decoded_whole, portions
from headwater.vision.sheet import sheet

_LEAST_SURE: Final = 0.01
_MOST_GUESSES: Final = 1000
_MOST_BOXES: Final = 100
_MOST_TIMES: Final = 10
_STEPS_AN_EPOCH: Final = 24
_LEAST_BATCH: Final = 4
_LEAST_PATIENCE: Final = 3
_LEAST_EDGE: Final = 1.0
_TOKENS_OF_NORMS: Final = 16_384


@dataclass(frozen=True)
class Guess:
    """What a network says of one picture, before what is said twice is taken out.

    Attributes:
        places: shape (guesses, 4), in pixels of the frame.
        scores: shape (guesses,).
        labels: shape (guesses,).
    """

    places: torch.Tensor
    scores: torch.Tensor
    labels: torch.Tensor

    @classmethod
    def of(cls, places: torch.Tensor, sure: torch.Tensor) -> Self:
        """The guesses worth a look.

        Args:
            places: shape (places, 4), or (places, classes, 4) where each class has a box of its own.
            sure: the probability of each class, shape (places, classes).
        """
        scores, order = sure.flatten().topk(min(_MOST_GUESSES, sure.numel()))
        order = order[scores >= _LEAST_SURE]
        place, label = order // sure.shape[1], order % sure.shape[1]
        chosen = places[place] if places.ndim == 2 else places[place, label]
        return cls(chosen, scores[: len(order)], label)


class Finder(nn.Module, ABC):
    """A network that finds things in standardised pictures of shape (pictures, 3, height, width)."""

    @abstractmethod
    def loss(self, pictures: torch.Tensor, targets: Sequence[Target]) -> torch.Tensor:
        """How wrong it is, summed over the pictures."""

    @abstractmethod
    def guesses(self, pictures: torch.Tensor, proposals: Sequence[torch.Tensor]) -> list[Guess]:
        """What it says of each picture, given where something may be."""


@dataclass(frozen=True, kw_only=True)
class DetectorSettings:
    """What every detector can be told."""

    section: ClassVar[str] = "Model"

    upside_down: Annotated[bool, "Half of the training pictures are turned upside down: right where none is up."] = (
        False
    )
    overlap: Annotated[float, Between(0.05, 0.95), "Of two boxes of a class with a higher IoU, the surer is kept."] = (
        0.6
    )


class Detector(Locator):
    """A network over whole pictures in a frame, trained from scratch.

    A subclass gives `network`.

    Attributes:
        frame: the size at which the network sees pictures.
        mean, deviation: of each channel over the training pixels, which are standardised by them.
        token_budget: the most tokens of a pass that answers; None takes what suits the device.
        device: where it was asked to compute, and will where it is loaded, if there is such a device.
    """

    Settings = DetectorSettings
    reads = (*READS, "image_size", "image_augment")
    epochs: ClassVar[int] = 30
    learning_rate: ClassVar[float] = 1e-3
    fewest_steps: ClassVar[int] = 1500
    """What few pictures are passed over more often for, up to ten times."""
    large_products: ClassVar[bool] = True
    """Whether its time goes into products that are large enough for a processor's matrix units."""
    most_side: int = 320
    """The longest edge it takes by itself."""

    @property
    def overlap(self) -> float:
        """The IoU above which two boxes of a class say the same."""
        return self.settings.overlap

    @property
    def upside_down(self) -> bool:
        """Whether half of the training pictures are turned upside down."""
        return self.settings.upside_down

    @abstractmethod
    def network(self, n_classes: int) -> Finder:
        """The untrained network."""

    def proposals(self, pixels: np.ndarray) -> list[np.ndarray]:
        """Where something may be, each float32 of shape (proposals, 4); nowhere if the network finds by itself.

        Args:
            pixels: pictures in their frames, uint8 of shape (rows, height, width, 3).
        """
        return [np.empty((0, 4), np.float32)] * len(pixels)

    def fit(self, train: Scenes, valid: Scenes, run: Run) -> Self:
        self.n_classes = train.n_classes
        self.token_budget, self.device = run.settings.token_budget, run.settings.device
        self.frame = Frame.of(train.inputs, run.settings.image_size, self.most_side)
        folder = run.folder if run.main else None
        seen, unseen = (Gallery.of(scenes, self.frame, folder, self.proposals) for scenes in (train, valid))
        self.mean, self.deviation = seen.pixels.moments()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(run.settings.seed)
            self.model = self.network(self.n_classes)
        self.learn(seen, unseen, run)
        return self

    def learn(self, seen: Gallery, unseen: Gallery, run: Run) -> float:
        """Trains the network on pictures in the frame; returns its score on the ones that it did not see."""
        started, settings = time.monotonic(), self.completed(run.settings, len(seen))
        self.model.to(device_of(settings))
        settings = replace(settings, token_budget=self._budget(settings))
        learner = SceneLearner(self, seen, unseen, settings)
        self.trace.seen = sheet(len(seen), settings.seed, learner.shown, altered=learner.preset != Preset())
        history = Trainer(replace(run, settings=settings), type(self).__name__, decay=schedule.cosine).fit(learner)
        self.trace.curve = [asdict(epoch) for epoch in history.epochs]
        score, low, high = interval(learner.found(), unseen.known, settings.seed)
        name, seconds = f"{history.best_epoch} epochs", time.monotonic() - started
        self.trace.stages.append(Stage(name, score, low, high, seconds, history.stopped))
        return score

    @classmethod
    def completed(cls, settings: RunSettings, rows: int) -> RunSettings:
        batch = min(settings.batch_size, max(_LEAST_BATCH, rows // _STEPS_AN_EPOCH))
        needed = math.ceil(cls.fewest_steps / max(1, math.ceil(rows / batch)))
        epochs = settings.epochs or max(cls.epochs, min(needed, _MOST_TIMES * cls.epochs))
        return replace(
            settings,
            batch_size=batch,
            epochs=epochs,
            learning_rate=cls.learning_rate if settings.learning_rate is None else settings.learning_rate,
            # Average precision on few pictures jumps from epoch to epoch, and the slow steps at the end gain most.
            patience=settings.patience or max(_LEAST_PATIENCE, epochs // 2),
        )

    def answers(self, inputs: Sequence[Picture]) -> list[Boxes]:
        found: list[Boxes] = []
        for rows in portions(len(inputs), max(self.frame.height, self.frame.width)):
            pixels = decoded_whole(inputs[rows], self.frame.height, self.frame.width)
            proposals = [torch.from_numpy(places) for places in self.proposals(pixels)]
            found += self.found(pixels, proposals)
        sizes = [(one.width, one.height) for one in look(inputs)]
        return [self._own(boxes, *size) for boxes, size in zip(found, sizes, strict=True)]

    def found(self, pixels: np.ndarray, proposals: Sequence[torch.Tensor]) -> list[Boxes]:
        """What is in pictures, uint8 of shape (rows, height, width, 3), in pixels of the frame, the surest first."""
        found: dict[int, Boxes] = {}
        self.model.eval()
        device = next(self.model.parameters()).device

        def guessed(rows: np.ndarray) -> list[Guess]:
            pictures = unit(torch.from_numpy(np.ascontiguousarray(pixels[rows])).permute(0, 3, 1, 2).to(device))
            places = [proposals[row].to(device) for row in rows.tolist()]
            return self.model.guesses(self.standardised(pictures), places)

        lengths = np.full(len(pixels), self.frame.patches)
        with torch.inference_mode():
            for rows, guesses in in_passes(self.model, lengths, self.token_budget, guessed):
                found.update(zip(rows.tolist(), map(self._chosen, guesses), strict=True))
        return [found[row] for row in range(len(pixels))]

    def all_found(self, gallery: Gallery) -> list[Boxes]:
        """The same of every picture of a gallery."""
        return self.found(gallery.pixels.array, [target.proposals for target in gallery.targets])

    def standardised(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures of 0 to 1 in units of the training pixels' deviation about their mean."""
        mean, deviation = (
            torch.from_numpy(values)[:, None, None].to(pictures.device) for values in (self.mean, self.deviation)
        )
        return (pictures - mean) / deviation

    def save(self, folder: Path) -> None:
        values = {
            "settings": asdict(self.settings),
            "classes": self.n_classes,
            "frame": asdict(self.frame),
            "mean": self.mean.tolist(),
            "deviation": self.deviation.tolist(),
            "token_budget": self.token_budget,
            "device": self.device,
        }
        weights = {name: tensor.cpu().contiguous() for name, tensor in self.model.state_dict().items()}
        write_whole(folder / "model.json", json.dumps(values).encode())
        write_whole(folder / "model.safetensors", save(weights))

    @classmethod
    def load(cls, folder: Path) -> Self:
        values = json.loads((folder / "model.json").read_text("utf-8"))
        made = cls(build(cls.Settings, values["settings"], where=str(folder / "model.json")))
        made.n_classes, made.frame = values["classes"], Frame(**values["frame"])
        made.mean, made.deviation = (np.array(values[name], np.float32) for name in ("mean", "deviation"))
        made.token_budget, made.device = values["token_budget"], values["device"]
        made.model = made.network(made.n_classes)
        made.model.load_state_dict(load_file(folder / "model.safetensors"))
        made.model.to(nearest(made.device))
        return made

    def _chosen(self, guess: Guess) -> Boxes:
        """The guesses without those that say the same as a surer one, and without those of no extent."""
        places = clipped(guess.places.float(), self.frame.height, self.frame.width)
        wide = ((places[:, 2:] - places[:, :2]) >= _LEAST_EDGE).all(dim=1)
        places, scores, labels = places[wide], guess.scores[wide], guess.labels[wide]
        kept = best(places, scores, labels, self.overlap, _MOST_BOXES)
        return Boxes(*(values[kept].cpu().numpy() for values in (places, labels, scores.float())))

    def _own(self, boxes: Boxes, wide: int, high: int) -> Boxes:
        """Boxes of the frame in pixels of a picture of this size; those beside it are none."""
        places = boxes.places / np.tile(self.frame.scale(wide, high), 2)
        own = replace(boxes, places=np.clip(places, 0, (wide, high, wide, high)).astype(np.float32))
        return own.take(own.areas > 0)

    def _budget(self, settings: RunSettings) -> int:
        """The tokens of a pass: all pictures of a step, so that batch norms see as many as they can, up to a limit."""
        whole = min(settings.batch_size * self.frame.patches, _TOKENS_OF_NORMS)
        return settings.token_budget or max(token_budget_of(None, self.model), whole)
