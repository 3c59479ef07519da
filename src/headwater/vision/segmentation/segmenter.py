"""What all networks that give every pixel a class share: canvases, training, answers at a picture's own size, files."""

from __future__ import annotations

import logging
import math
import time
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from headwater.data.masks import VOID
from headwater.data.pictures import Glance, Picture, look
from headwater.evaluation.overlap import confusion_of, counts_of, overall
from headwater.evaluation.overlays import over
from headwater.evaluation.showing import tile
from headwater.options import counted
from headwater.run import Run
from headwater.settings import Settings as RunSettings
from headwater.training import course
from headwater.training.passes import in_passes
from headwater.training.trainer import READS, Learner, Trainer
from headwater.transfer.scores import stage
from headwater.vision import threads
from headwater.vision.kept import folder_of
from headwater.vision.locator import Locator, Scenes
from headwater.vision.network import PixelNetwork, patches
from headwater.vision.norms import settled, tokens_of_pass, train_unfrozen
from headwater.vision.pixels import is_grey
from headwater.vision.segmentation.alteration import Alteration, alteration_of, altered
from headwater.vision.segmentation.canvas import EMPTY, Box, Canvas
from headwater.vision.segmentation.losses import class_weights, segmentation_loss
from headwater.vision.segmentation.settings import SegmenterSettings
from headwater.vision.segmentation.views import Views
from headwater.vision.sheet import levels, sheet, tiles

_MOST_TIMES: Final = 10
_STEPS_AN_EPOCH: Final = 48
"""A batch has at most a 48th of the pictures: few of them still make many steps."""
_HEAD_FACTOR: Final = 10
log = logging.getLogger("headwater")
_ORIENTATIONS: Final = ((0, False), (0, True), (2, False), (2, True), (1, False), (1, True), (3, False), (3, True))
"""Quarter turns, and whether mirrored before."""
_FINE: Final = 1 << 26
"""The logits of an answer that are blended at the picture's own size; of a larger one, the classes are enlarged."""


class Segmenter(PixelNetwork, Locator):
    """A network over the pixels of pictures that gives every pixel a class.

    A subclass gives `network`, a module that takes standardised pixels of shape (rows, channels, height, width) and
    returns logits of shape (rows, classes, height, width), for heights and widths that are multiples of 16.

    Attributes:
        canvas: what the network sees of a picture.
        grey: whether it sees one channel, else three.
    """

    Settings = SegmenterSettings
    reads = (*READS, "image_size", "image_augment")
    epochs: ClassVar[int] = 30
    learning_rate: ClassVar[float] = 1e-3
    fewest_steps: ClassVar[int] = 1000
    """What few pictures are passed over more often for, up to ten times."""
    side: ClassVar[int] = 256
    """A training step sees as many pixels of a picture as a square of this edge has."""
    large_products: ClassVar[bool] = True

    @abstractmethod
    def network(self, channels: int, n_classes: int) -> nn.Module:
        """The untrained network."""

    def fit(self, train: Scenes, valid: Scenes, run: Run) -> Self:
        """Learns the weights from `train`; the mean IoU over the pixels of `valid` chooses the epoch."""
        started, settings = time.monotonic(), run.settings
        self.n_classes = train.n_classes
        tiles = self.settings.tiles
        self.canvas = Canvas.of(train.inputs, train.answers, settings.image_size or self.usual_side(), tiles)
        if self.canvas.tiles:
            log.info(
                "Masks would lose small things if images were reduced: windows of %d pixels are learnt from, turned "
                "and mirrored in every direction. Where up is up, as in streets, avoid it with --set tiles=no, or "
                "with an --image-size that the images fit into." if tiles == "auto" else
                "Windows of %d pixels are learnt from, turned and mirrored in every direction.", self.canvas.window,
            )  # fmt: skip
        self.grey = self.sees_grey(train)
        folder = folder_of(run)
        seen, unseen = (Views.of(scenes, self.canvas, grey=self.grey, folder=folder) for scenes in (train, valid))
        self.mean, self.deviation = self.moments(seen)
        self.begin(settings, self.untrained)
        self.model.to(memory_format=torch.channels_last)
        learner = _MaskLearner(self, seen, unseen, settings)
        chosen = self.completed(settings, len(learner.lengths))
        budget = tokens_of_pass(settings, self.model, chosen.batch_size, int(learner.lengths[0]))
        chosen = replace(chosen, token_budget=budget)
        changes = learner.alteration != Alteration() or learner.size != self.canvas.whole
        self.trace.seen = sheet(len(learner.lengths), settings.seed, learner.shown, altered=changes)
        history = Trainer(replace(run, settings=chosen), type(self).__name__).fit(learner)
        self.trace.curve = [asdict(epoch) for epoch in history.epochs]
        seconds, name = time.monotonic() - started, counted(history.best_epoch, "epoch")
        self.trace.stages = [stage(name, overlaps(self, unseen), seconds, history.stopped)]
        return self

    @classmethod
    def completed(cls, settings: RunSettings, rows: int) -> RunSettings:
        return course.completed(
            course.in_small_steps(settings, rows, _STEPS_AN_EPOCH), rows, epochs=cls.epochs,
            learning_rate=cls.learning_rate, fewest_steps=cls.fewest_steps, most_times=_MOST_TIMES,
        )  # fmt: skip

    def usual_side(self) -> int:
        """The edge of a square of as many pixels as a training step sees, where no other is asked for."""
        return self.side

    def sees_grey(self, scenes: Scenes) -> bool:
        """Whether the network sees one channel of these pictures."""
        return is_grey(scenes.inputs)

    def moments(self, views: Views) -> tuple[np.ndarray, np.ndarray]:
        """What pixels are standardised by."""
        return views.moments()

    def untrained(self) -> nn.Module:
        return self.network(1 if self.grey else 3, self.n_classes)

    def head(self) -> list[nn.Module]:
        """New parts of a network whose others are pretrained and learn too: ten times as fast; none as a rule."""
        return []

    def answers(self, inputs: Sequence[Picture]) -> list[np.ndarray]:
        looks = look(inputs)
        weights = [self.canvas.weight(seen.width, seen.height) for seen in looks]
        drawn = threads.ahead(lambda picture: self.canvas.drawn(picture, grey=self.grey), inputs, weights)
        return [self._answer(seen, pixels) for seen, pixels in zip(looks, drawn, strict=True)]

    def _answer(self, seen: Glance, pixels: np.ndarray) -> np.ndarray:
        """The class of every pixel of a picture, int16 of its own height and width, from its pieces on the canvas."""
        boxes = self.canvas.boxes(seen.width, seen.height)
        if len(boxes) == 1:
            return enlarged(self._pieces(pixels, boxes)[0], seen.height, seen.width)
        bands = ((self._pieces(pixels[rows], boxes[rows]), boxes[rows]) for rows in bands_of(boxes))
        return joined(bands, seen.height, seen.width, self.canvas.window // 4)

    def _pieces(self, pixels: np.ndarray, boxes: Sequence[Box]) -> list[torch.Tensor]:
        """The logits of some pieces of a picture, each of the size that it has on the canvas."""
        sizes = map(self.canvas.size, boxes)
        found = self.logits_of(pixels)
        return [logits[:, :height, :width] for logits, (width, height) in zip(found, sizes, strict=True)]

    def logits_of(self, pixels: np.ndarray) -> torch.Tensor:
        """Logits of shape (rows, classes, height, width) for uint8 pixels of shape (rows, height, width, channels)."""
        rows, high, wide = pixels.shape[:3]
        found = torch.zeros(rows, self.n_classes, high, wide)
        for turns, mirror in _ORIENTATIONS[: self.settings.averaged]:
            seen = np.rot90(pixels[:, :, ::-1] if mirror else pixels, turns, axes=(1, 2))
            for some, logits in self._computed(seen):
                back = torch.rot90(logits, -turns, dims=(2, 3)).cpu()
                found[some] += (back.flip(3) if mirror else back) / self.settings.averaged
        return found

    def classes_of(self, pixels: np.ndarray) -> np.ndarray:
        """The class of every pixel, uint8 of shape (rows, height, width)."""
        found = np.empty(pixels.shape[:3], np.uint8)
        for some, logits in self._computed(pixels):
            found[some] = logits.argmax(dim=1).cpu().numpy()
        return found

    def _computed(self, pixels: np.ndarray) -> Iterator[tuple[np.ndarray, torch.Tensor]]:
        """Some rows at a time with their logits, in single precision."""
        self.model.eval()
        cost = patches(pixels.shape[1], pixels.shape[2])
        with torch.inference_mode():
            yield from in_passes(
                self.model,
                np.full(len(pixels), cost),
                self.token_budget,
                lambda some: self.model(self.read(pixels[some])).float(),
            )

    def state(self) -> dict[str, Any]:
        return {**super().state(), "canvas": asdict(self.canvas), "grey": self.grey}

    @classmethod
    def stated(cls, values: dict[str, Any], folder: Path) -> Self:
        made = super().stated(values, folder)
        made.canvas, made.grey = Canvas(**values["canvas"]), values["grey"]
        return made


class _MaskLearner(Learner):
    """A segmenter's network with the views it learns from and those that choose the epoch, for the trainer."""

    def __init__(self, segmenter: Segmenter, seen: Views, unseen: Views, settings: RunSettings) -> None:
        self.segmenter, self.seen, self.unseen = segmenter, seen, unseen
        self.network = segmenter.model
        self.large_products = segmenter.large_products
        canvas, own = segmenter.canvas, segmenter.settings
        self.size = canvas.seen
        self.lengths = np.full(canvas.views * len(seen), patches(*self.size))
        self.alteration = alteration_of(settings.image_augment, rows=len(seen), tiles=canvas.tiles)
        self.weights = torch.from_numpy(class_weights(seen.frequencies(segmenter.n_classes), own.weighting))

    def views(self, rows: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Training pictures as this step sees them, from 0 to 1, and their masks."""
        views = self.seen.array[rows % len(self.seen)]
        pictures = self.segmenter.batch(views[..., :-1])
        masks = torch.from_numpy(np.ascontiguousarray(views[..., -1])).to(pictures.device)
        return altered(pictures, masks, self.alteration, self.size)

    def shown(self, rows: np.ndarray) -> list[dict[str, Any]]:
        """The same as a contact sheet shows them."""
        pictures, masks = self.views(rows)
        found = tiles(pictures, [self.seen.names[row] for row in self.seen.picture[rows % len(self.seen)].tolist()])
        known = np.where(masks.cpu().numpy() == EMPTY, VOID, masks.cpu().numpy())
        drawn = [over(*pair, self.segmenter.n_classes) for pair in zip(levels(pictures), known, strict=True)]
        return [{**one, "mask": tile(mask.astype(np.uint8))} for one, mask in zip(found, drawn, strict=True)]

    def loss(self, rows: np.ndarray) -> torch.Tensor:
        pictures, masks = self.views(rows)
        with settled(self.network):
            logits = self.network(self.segmenter.standardised(pictures))
        return segmentation_loss(logits, masks, self.weights.to(pictures.device), self.segmenter.settings.dice)

    def train_mode(self) -> None:
        train_unfrozen(self.network)

    def parameter_groups(self, settings: RunSettings) -> list[dict[str, Any]]:
        groups = super().parameter_groups(settings)
        new = {id(weight) for part in self.segmenter.head() for weight in part.parameters()}
        rates = {"lr": _HEAD_FACTOR * (settings.learning_rate or 0.0)}
        found = []
        for group in groups:
            parts = [[p for p in group["params"] if (id(p) in new) is fresh] for fresh in (False, True)]
            found += [{**group, "params": parts[0]}, {**group, "params": parts[1], **rates}]
        return [group for group in found if group["params"]]

    def score(self) -> float:
        found = self.segmenter.classes_of(self.unseen.pictures)
        return mean_overlap(self.unseen.masks, found, self.segmenter.n_classes)


def mean_overlap(known: np.ndarray, found: np.ndarray, n_classes: int) -> float:
    """The mean IoU of the classes that are known anywhere."""
    counts = sum(
        (confusion_of(one, other, n_classes) for one, other in zip(known, found, strict=True)),
        np.zeros((n_classes, n_classes), np.int64),
    )
    return float(np.nan_to_num(overall(counts_of(counts))["mean_iou"]))


def overlaps(segmenter: Segmenter, views: Views) -> np.ndarray:
    """The mean IoU of each view by itself, shape (views,)."""
    found = segmenter.classes_of(views.pictures)
    rows = zip(views.masks, found, strict=True)
    return np.array([mean_overlap(one[None], other[None], segmenter.n_classes) for one, other in rows])


def enlarged(logits: torch.Tensor, height: int, width: int) -> np.ndarray:
    """The class of every pixel, int16 of shape (height, width), from logits of shape (classes, ...) of another size."""
    scale = min(1.0, math.sqrt(_FINE / (len(logits) * height * width)))
    size = (max(1, round(scale * height)), max(1, round(scale * width)))
    if size != tuple(logits.shape[1:]):
        logits = functional.interpolate(logits[None], size=size, mode="bilinear", align_corners=False)[0]
    found = logits.argmax(dim=0)
    if size != (height, width):
        found = functional.interpolate(found[None, None].float(), size=(height, width))[0, 0]
    return found.cpu().numpy().astype(np.int16)


def bands_of(boxes: Sequence[Box]) -> Iterator[slice]:
    """The pieces of a picture that stand in one line, from the uppermost on.

    Example:
        >>> list(bands_of([(0, 0, 4, 4), (3, 0, 7, 4), (0, 3, 4, 7), (3, 3, 7, 7)]))
        [slice(0, 2, None), slice(2, 4, None)]
    """
    start = 0
    for _, line in groupby(boxes, key=itemgetter(1)):
        end = start + len(list(line))
        yield slice(start, end)
        start = end


def joined(
    bands: Iterable[tuple[Sequence[torch.Tensor], Sequence[Box]]], height: int, width: int, margin: int
) -> np.ndarray:  # fmt: skip
    """The class of every pixel of a picture, from the logits of its pieces, blended where these overlap.

    No more than a band of the picture is held as logits: of many classes a large one would fill the memory.

    Args:
        bands: for each line of pieces, from the uppermost on, the logits of each, shape (classes, height, width), and
            where it lies.
        height: of the picture.
        width: of the picture.
        margin: over how many pixels from its edge on a piece comes to count.
    """
    found = np.empty((height, width), np.int16)
    begun, held = 0, torch.zeros(0, 0, width)
    for parts, boxes in bands:
        top, bottom = boxes[0][1], boxes[0][3]
        total = torch.zeros(len(parts[0]), bottom - top, width)
        if len(held):
            found[begun:top] = held[:, : top - begun].argmax(dim=0).numpy()
            total[:, : held.shape[1] - top + begun] = held[:, top - begun :]
        for logits, (left, _, right, _) in zip(parts, boxes, strict=True):
            down, across = (_ramp(length, margin) for length in (bottom - top, right - left))
            total[:, :, left:right] += logits.cpu() * down[:, None] * across
        begun, held = top, total
    found[begun:] = held.argmax(dim=0).numpy()
    return found


def _ramp(length: int, margin: int) -> torch.Tensor:
    """What places count by how far they are from the ends, shape (length,)."""
    places = torch.arange(length)
    return (torch.minimum(places, length - 1 - places) + 1).clamp(max=max(1, margin)).float()
