"""What all networks trained from scratch on pictures share: pixels, training, logits, files."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import torch
from torch import nn

from headwater.data.pictures import Picture
from headwater.options import Between, counted
from headwater.ranges import Search
from headwater.run import Run
from headwater.settings import Settings as RunSettings
from headwater.training import course
from headwater.training.losses import classification_loss
from headwater.training.passes import in_passes
from headwater.training.trainer import READS, Learner, Trainer
from headwater.transfer import scores
from headwater.transfer.classifier import Classifier, Examples, Facts
from headwater.vision.augmentation import Mixed, Preset, altered, mixed, preset_of
from headwater.vision.kept import folder_of
from headwater.vision.network import PixelNetwork, patches
from headwater.vision.norms import norms_of, settled, tokens_of_pass
from headwater.vision.pixels import Pixels, decoded, is_grey, portions, side_of
from headwater.vision.plain import principal
from headwater.vision.sheet import marks, sheet, tiles

_MOST_TIMES = 5
_ROWS_OF_NORMS = 16


@dataclass(frozen=True, kw_only=True)
class NeuralSettings:
    """What every network trained from scratch can be told."""

    section: ClassVar[str] = "Model"

    dropout: Annotated[float, Between(0, 0.95), Search(0, 0.7), "The share of features dropped while training."] = 0.5


class NeuralClassifier(PixelNetwork, Classifier):
    """A network over the pixels of pictures, trained from scratch.

    A subclass gives `network`, a module that takes standardised pixels of shape (rows, channels, side, side) and
    returns logits of shape (rows, classes).

    Attributes:
        side: pixels along each edge of what the network sees.
        grey: whether it sees one channel, else three.
    """

    Settings = NeuralSettings
    reads = (*READS, "image_size", "image_augment")
    epochs: ClassVar[int] = 30
    learning_rate: ClassVar[float] = 1e-3
    fewest_steps: ClassVar[int] = 600
    """What few rows are passed over more often for, up to five times."""
    most_side: ClassVar[int] = 128
    """The largest side it takes by itself: from scratch, more pixels cost more than they teach."""
    erased: ClassVar[bool] = True
    """Whether `auto` takes rectangles out of training pictures: networks of few maps learn less from what is left."""
    large_products: ClassVar[bool] = True
    """Whether its time goes into products that are large enough for a processor's matrix units."""

    @abstractmethod
    def network(self, channels: int, n_classes: int) -> nn.Module:
        """The untrained network for pictures of `side`."""

    def fit(self, train: Examples, valid: Examples, run: Run) -> Self:
        """Learns the weights from `train`; `valid` chooses the epoch."""
        started, settings = time.monotonic(), run.settings
        self.n_classes = train.n_classes
        self.side = side_of(train.inputs, settings.image_size, self.most_side)
        self.grey = is_grey(train.inputs)
        folder = folder_of(run)
        seen, unseen = (Pixels.of(rows.inputs, self.side, grey=self.grey, folder=folder) for rows in (train, valid))
        self.mean, self.deviation = seen.moments()
        self.begin(settings, self.untrained)
        chosen = replace(self.completed(settings, len(train)), token_budget=self._budget(settings))
        learner = _PictureLearner(self, (train, seen), (valid, unseen), settings)
        self.trace.seen = sheet(len(train), settings.seed, learner.shown, altered=learner.preset != Preset())
        history = Trainer(replace(run, settings=chosen), type(self).__name__).fit(learner)
        self.trace.curve = [asdict(epoch) for epoch in history.epochs]
        seconds, name = time.monotonic() - started, counted(history.best_epoch, "epoch")
        right = scores.correct(self.logits_of(unseen.array), valid.targets)
        self.trace.stages = [scores.stage(name, right, seconds, history.stopped)]
        return self

    @classmethod
    def completed(cls, settings: RunSettings, rows: int) -> RunSettings:
        return course.completed(
            settings, rows, epochs=cls.epochs, learning_rate=cls.learning_rate, fewest_steps=cls.fewest_steps,
            most_times=_MOST_TIMES,
        )  # fmt: skip

    def view(self, inputs: Sequence[Picture], run: Run) -> np.ndarray:
        return principal(inputs)

    def facts(self, run: Run) -> Facts:
        return Facts(parameters=sum(weight.numel() for weight in self.model.parameters()))

    def logits(self, inputs: Sequence[Picture]) -> np.ndarray:
        parts = [inputs[rows] for rows in portions(len(inputs), self.side)]
        found = [self.logits_of(decoded(part, self.side, grey=self.grey)) for part in parts]
        return np.concatenate([np.empty((0, self.n_classes), np.float32), *found])

    def logits_of(self, pixels: np.ndarray) -> np.ndarray:
        """Logits of shape (rows, classes) for uint8 pixels of shape (rows, side, side, channels)."""
        found = np.empty((len(pixels), self.n_classes), np.float32)
        self.model.eval()
        lengths = np.full(len(pixels), self.patches)
        with torch.inference_mode():
            for rows, logits in in_passes(
                self.model, lengths, self.token_budget, lambda rows: self._forward(pixels[rows])
            ):
                found[rows] = logits
        return found

    @property
    def patches(self) -> int:
        """The cost of a picture in tokens: its squares of 16 by 16 pixels."""
        return patches(self.side, self.side)

    def untrained(self) -> nn.Module:
        return self.network(1 if self.grey else 3, self.n_classes)

    def state(self) -> dict[str, Any]:
        return {**super().state(), "side": self.side, "grey": self.grey}

    @classmethod
    def stated(cls, values: dict[str, Any], folder: Path) -> Self:
        made = super().stated(values, folder)
        made.side, made.grey = values["side"], values["grey"]
        return made

    def _forward(self, pixels: np.ndarray) -> np.ndarray:
        return self.model(self.read(pixels)).float().cpu().numpy()

    def _budget(self, settings: RunSettings) -> int | None:
        """The tokens of a pass; a batch norm wants enough rows to tell how its features are distributed."""
        if not norms_of(self.model):
            return settings.token_budget
        return tokens_of_pass(settings, self.model, _ROWS_OF_NORMS, self.patches)


def he(network: nn.Module) -> None:
    """Convolutions as He et al. (2015) begin them, so that the signal neither fades nor grows on its way back."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


class _PictureLearner(Learner):
    """A classifier's network, its training rows and its validation rows with their pixels, for the trainer."""

    def __init__(
        self,
        classifier: NeuralClassifier,
        train: tuple[Examples, Pixels],
        valid: tuple[Examples, Pixels],
        settings: RunSettings,
    ) -> None:
        self.classifier, (self.train, self.seen), (self.valid, self.unseen) = classifier, train, valid
        self.network = classifier.model
        self.large_products = classifier.large_products
        self.lengths = np.full(len(self.seen), classifier.patches)
        name, rows = settings.image_augment, len(self.seen)
        self.preset = preset_of(name, classifier.side, grey=classifier.grey, rows=rows)
        if name == "auto" and not classifier.erased:
            self.preset = replace(self.preset, erase=0.0)

    def views(self, rows: np.ndarray) -> tuple[torch.Tensor, Mixed | None]:
        """Training pictures as this step sees them, from 0 to 1; and mixed, where it mixes them."""
        pictures = altered(self.classifier.batch(self.seen.take(rows)), self.preset)
        return pictures, mixed(pictures, self.preset)

    def shown(self, rows: np.ndarray) -> list[dict[str, Any]]:
        """The same as a contact sheet shows them."""
        pictures, mixture = self.views(rows)
        texts = [str(self.train.inputs[row]) for row in rows.tolist()]
        found = tiles(pictures if mixture is None else mixture.pictures, texts)
        for place, one in enumerate(found):
            both, share = rows[[place]], None
            if mixture is not None:
                own = float(mixture.share[place])
                both, share = rows[[place, int(mixture.partner[place])]], np.array([own, 1 - own])
            one["labels"] = marks(self.train.targets, both, share)
        return found

    def loss(self, rows: np.ndarray) -> torch.Tensor:
        pictures, mixture = self.views(rows)
        targets = torch.from_numpy(self.train.targets[rows]).to(pictures.device)
        weights = torch.ones(len(rows)) if self.train.weights is None else torch.from_numpy(self.train.weights[rows])
        weights, several = weights.float().to(pictures.device), self.train.several
        if mixture is None:
            return classification_loss(self._logits(pictures), targets, weights, several=several)
        # Of a loss that is linear in the targets, that of a mixed target is the mixture of two losses.
        logits, share, partner = self._logits(mixture.pictures), mixture.share, mixture.partner
        own = classification_loss(logits, targets, share * weights, several=several)
        others = classification_loss(logits, targets[partner], (1 - share) * weights[partner], several=several)
        return own + others

    def score(self) -> float:
        return scores.score(self.classifier.logits_of(self.unseen.array), self.valid.targets)

    def _logits(self, pictures: torch.Tensor) -> torch.Tensor:
        # The maps of these networks shrink to a place or two, which make no distribution of one picture.
        with settled(self.network, by_row=True):
            return self.network(self.classifier.standardised(pictures))
