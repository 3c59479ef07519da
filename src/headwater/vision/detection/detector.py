"""What all detectors share: the frame, the pixels, training, answers in a picture's own pixels, files."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Self

import numpy as np
import torch
from torch import nn

from headwater.application import Stage
from headwater.data.boxes import Boxes
from headwater.data.pictures import Picture, look
from headwater.options import Between, counted
from headwater.run import Run
from headwater.settings import Settings as RunSettings
from headwater.training import course, schedule
from headwater.training.passes import in_passes
from headwater.training.trainer import READS, Trainer
from headwater.vision.detection.geometry import best, clipped
from headwater.vision.detection.learning import SceneLearner
from headwater.vision.detection.precision import interval
from headwater.vision.detection.scenes import Framed, Target
from headwater.vision.detection.views import Preset
from headwater.vision.frames import Frame
from headwater.vision.kept import folder_of
from headwater.vision.locator import Locator, Scenes
from headwater.vision.network import PixelNetwork
from headwater.vision.norms import tokens_of_pass
from headwater.vision.pixels import decoded_whole, portions
from headwater.vision.sheet import sheet

_LEAST_SURE: Final = 0.01
_MOST_GUESSES: Final = 1000
_MOST_BOXES: Final = 100
_MOST_TIMES: Final = 10
_STEPS_AN_EPOCH: Final = 24
_LEAST_PATIENCE: Final = 3
_LEAST_EDGE: Final = 1.0


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


class Detector(PixelNetwork, Locator):
    """A network over whole pictures in a frame, trained from scratch.

    A subclass gives `network`.

    Attributes:
        frame: the size at which the network sees pictures.
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
        self.frame = Frame.of(train.inputs, run.settings.image_size, self.most_side)
        folder = folder_of(run)
        seen, unseen = (Framed.of(scenes, self.frame, folder, self.proposals) for scenes in (train, valid))
        self.mean, self.deviation = seen.pixels.moments()
        self.begin(run.settings, self.untrained)
        self.learn(seen, unseen, run)
        return self

    def learn(self, seen: Framed, unseen: Framed, run: Run) -> float:
        """Trains the network on pictures in the frame; returns its score on the ones that it did not see."""
        started, settings = time.monotonic(), self.completed(run.settings, len(seen))
        budget = tokens_of_pass(settings, self.model, settings.batch_size, self.frame.patches)
        settings = replace(settings, token_budget=budget)
        learner = SceneLearner(self, seen, unseen, settings)
        self.trace.seen = sheet(len(seen), settings.seed, learner.shown, altered=learner.preset != Preset())
        history = Trainer(replace(run, settings=settings), type(self).__name__, decay=schedule.cosine).fit(learner)
        self.trace.curve = [asdict(epoch) for epoch in history.epochs]
        score, low, high = interval(learner.found(), unseen.known, settings.seed)
        name, seconds = counted(history.best_epoch, "epoch"), time.monotonic() - started
        self.trace.stages.append(Stage(name, score, low, high, seconds, history.stopped))
        return score

    @classmethod
    def completed(cls, settings: RunSettings, rows: int) -> RunSettings:
        chosen = course.completed(
            course.in_small_steps(settings, rows, _STEPS_AN_EPOCH), rows, epochs=cls.epochs,
            learning_rate=cls.learning_rate, fewest_steps=cls.fewest_steps, most_times=_MOST_TIMES,
        )  # fmt: skip
        # Average precision on few pictures jumps from epoch to epoch, and the slow steps at the end gain most.
        return replace(chosen, patience=settings.patience or max(_LEAST_PATIENCE, (chosen.epochs or 0) // 2))

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
            places = [proposals[row].to(device) for row in rows.tolist()]
            return self.model.guesses(self.read(pixels[rows]), places)

        lengths = np.full(len(pixels), self.frame.patches)
        with torch.inference_mode():
            for rows, guesses in in_passes(self.model, lengths, self.token_budget, guessed):
                found.update(zip(rows.tolist(), map(self._chosen, guesses), strict=True))
        return [found[row] for row in range(len(pixels))]

    def all_found(self, gallery: Framed) -> list[Boxes]:
        """The same of every picture of a gallery."""
        return self.found(gallery.pixels.array, [target.proposals for target in gallery.targets])

    def untrained(self) -> Finder:
        return self.network(self.n_classes)

    def state(self) -> dict[str, Any]:
        return {**super().state(), "frame": asdict(self.frame)}

    @classmethod
    def stated(cls, values: dict[str, Any], folder: Path) -> Self:
        made = super().stated(values, folder)
        made.frame = Frame(**values["frame"])
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
