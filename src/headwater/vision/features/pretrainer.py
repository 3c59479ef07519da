"""What all methods that learn to see without labels share: the network, two views of each picture, training, files."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import torch
from torch import nn

from headwater.application import Stage, Trace
from headwater.data.pictures import Picture
from headwater.evaluation.views import effective_rank, found_again
from headwater.foundation.image import ImageEncoder, Reading
from headwater.options import Between, build, counted
from headwater.ranges import Search
from headwater.run import Run, write_whole
from headwater.settings import Settings as RunSettings
from headwater.training import course
from headwater.training.device import device_of, nearest, token_budget_of
from headwater.training.schedule import cosine
from headwater.training.trainer import READS, Learner, Trainer
from headwater.transfer.features import in_batches
from headwater.vision.features.views import Twins
from headwater.vision.kept import folder_of
from headwater.vision.network import patches, standardised, tensor_for
from headwater.vision.pixels import Pixels, is_grey, side_of

_LEAST_HALVED = 32
"""The edge from which on the last maps, halved five times, come from more than one pixel."""
_WIDENINGS = 4
_MOST_SCORED = 256


@dataclass(frozen=True, kw_only=True)
class PretrainerSettings:
    """What every network that learns without labels can be told."""

    section: ClassVar[str] = "Model"

    width: Annotated[
        int,
        Between(4, 256),
        Search(16, 64, log=True),
        "Maps of the network's first stage; an image has eight times as many features.",
    ] = 32
    crop: Annotated[
        float, Between(0.05, 1), Search(0.1, 0.5), "The least share of an image's area that a view shows."
    ] = 0.2
    colour: Annotated[
        float,
        Between(0, 0.9),
        Search(0.1, 0.8),
        "How much brightness, contrast and saturation of a view change at most.",
    ] = 0.4


class TwinNetwork(nn.Module, ABC):
    """A network with the heads that its method trains it through.

    Attributes:
        body: pixels of shape (rows, 3, side, side) to features of shape (rows, width); all that is kept.
    """

    body: nn.Module

    @abstractmethod
    def loss(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """The summed loss of rows.

        Args:
            first: features of a view of each row, shape (rows, width), in single precision.
            second: the same of another view.
        """


class Pretrainer(ABC):
    """Learns a residual network (ResNet-18; He et al. 2016) from pictures without labels.

    It is timm's, written in the hub's format, so that whatever adapts a foundation adapts this one. A subclass gives
    `twins`: the heads and the loss of its method.

    Attributes:
        encoder: the network and how it reads pixels, once it is fitted.
        trace: what it can tell of its fit.
        seed: that of the run, from which the untrained network is made again.
        grey: whether the pictures that it learnt from have no colour.
    """

    Settings: ClassVar[type] = PretrainerSettings
    reads: ClassVar[tuple[str, ...]] = (*READS, "image_size")
    """The settings of every run that decide how well this model learns; `tune` searches those and its own."""
    epochs: ClassVar[int] = 100
    """The most passes that it takes by itself."""
    steps: ClassVar[int] = 4000
    """The steps after which fewer passes do."""
    fewest_epochs: ClassVar[int] = 10
    learning_rate: ClassVar[float] = 1e-3
    least_side: ClassVar[int] = 64
    """What smaller pictures are enlarged to: the network's first layers halve the edge twice."""
    most_side: ClassVar[int] = 96

    def __init__(self, settings: Any = None, *, foundation: str | None = None) -> None:
        self.settings = settings if settings is not None else self.Settings()
        self.foundation = foundation
        self.trace = Trace()
        self.token_budget: int | None = None
        self.device = "auto"
        self.seed = 0
        self.grey = False

    encoder: ImageEncoder

    @abstractmethod
    def twins(self, body: nn.Module, width: int) -> TwinNetwork:
        """The network with the heads of the method, for features of this width."""

    def fit(self, train: Sequence[Picture], valid: Sequence[Picture], run: Run) -> Self:
        """Learns from `train`; `valid` chooses the epoch. Resumes what `run.folder` holds."""
        started, settings = time.monotonic(), run.settings
        self.token_budget, self.device, self.seed = settings.token_budget, settings.device, settings.seed
        self.grey = is_grey(train)
        side = self.side_for(train, settings.image_size)
        folder = folder_of(run)
        seen, unseen = (Pixels.of(pictures, side, grey=False, folder=folder) for pictures in (train, valid))
        mean, deviation = (tuple(values.tolist()) for values in seen.moments())
        self.encoder = self._untrained(Reading(side, mean, deviation))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            network = self.twins(self.encoder.network, self.encoder.width)
        network.to(device_of(settings))
        learner = TwinLearner(self, network, seen, unseen)
        chosen = replace(self.completed(settings, len(train)), token_budget=self._budget(settings, learner))
        history = Trainer(replace(run, settings=chosen), type(self).__name__, decay=cosine).fit(learner)
        self.trace.curve = [asdict(epoch) for epoch in history.epochs]
        seconds, name = time.monotonic() - started, counted(history.best_epoch, "epoch")
        # What the validation pictures tell of it, the task measures, on the very views that the baselines see.
        self.trace.stages = [Stage(name, None, None, None, seconds, history.stopped)]
        return self

    @classmethod
    def completed(cls, settings: RunSettings, rows: int) -> RunSettings:
        """The settings of a run with what the model takes by itself, for so many rows, where they are open."""
        fewest = min(cls.fewest_epochs, cls.epochs)
        chosen = course.completed(
            settings, rows, epochs=fewest, learning_rate=cls.learning_rate, fewest_steps=cls.steps,
            most_times=cls.epochs / fewest,
        )  # fmt: skip
        # The score of a few pictures hardly tells one epoch from the next, and the last ones are the best.
        return replace(chosen, patience=settings.patience or chosen.epochs)

    @classmethod
    def side_for(cls, pictures: Sequence[Picture], wanted: int | None) -> int:
        """Pixels along each edge of what the network sees; small pictures are enlarged, unless it is told otherwise."""
        return wanted or max(cls.least_side, side_of(pictures, None, cls.most_side))

    def features(self, inputs: Sequence[Picture]) -> np.ndarray:
        """Features of pictures, float32 of shape (rows, width)."""
        found = np.zeros((len(inputs), self.encoder.width), np.float32)
        for rows, features in in_batches(self.encoder, inputs, self.token_budget):
            found[rows] = features.cpu().numpy()
        return found

    def untrained(self, pictures: torch.Tensor) -> nn.Module:
        """The network as it was before it learnt, but for its norms, which have seen these pictures.

        Args:
            pictures: from 0 to 1, shape (rows, 3, side, side).
        """
        network = self._untrained(self.encoder.reading).network
        for norm in (module for module in network.modules() if isinstance(module, nn.BatchNorm2d)):
            norm.momentum = None  # the mean over all that passes
        network.to(pictures.device).train()
        with torch.no_grad():
            for part in pictures.split(_MOST_SCORED):
                network(self.standardised(part))
        return network.eval()

    @property
    def twin_views(self) -> Twins:
        """How the two views of a picture are made."""
        return Twins.of(crop=self.settings.crop, colour=self.settings.colour, grey=self.grey)

    def standardised(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures of 0 to 1 as the network reads them."""
        reading = self.encoder.reading
        return standardised(pictures, np.array(reading.mean, np.float32), np.array(reading.std, np.float32))

    def save(self, folder: Path) -> None:
        """Writes the network in the hub's format, under `encoder`, which is a foundation for other runs."""
        self.encoder.save(folder / "encoder")
        values = {
            "settings": asdict(self.settings), "token_budget": self.token_budget, "device": self.device,
            "seed": self.seed, "grey": self.grey,
        }  # fmt: skip
        write_whole(folder / "model.json", json.dumps(values).encode())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads what `save` wrote."""
        values = json.loads((folder / "model.json").read_text("utf-8"))
        made = cls(build(cls.Settings, values["settings"], where=str(folder / "model.json")))
        made.token_budget, made.device, made.seed, made.grey = (
            values[name] for name in ("token_budget", "device", "seed", "grey")
        )
        made.encoder = ImageEncoder.load(folder / "encoder", cls.__name__, device=str(nearest(made.device)))
        made.encoder.source = None
        return made

    def _untrained(self, reading: Reading) -> ImageEncoder:
        """The network that the seed gives."""
        import timm

        channels = [self.settings.width * 2**stage for stage in range(_WIDENINGS)]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            network = timm.create_model("resnet18", num_classes=0, channels=tuple(channels))
        told = {
            "architecture": "resnet18",
            "num_classes": 0,
            "model_args": {"channels": channels},
            "pretrained_cfg": {
                "input_size": [3, reading.side, reading.side], "mean": list(reading.mean), "std": list(reading.std),
            },
        }  # fmt: skip
        return ImageEncoder(type(self).__name__, network.eval(), reading, told)

    def _budget(self, settings: RunSettings, learner: TwinLearner) -> int:
        """The tokens of a pass: all rows of a step, since norms and losses want to see them together."""
        whole = settings.batch_size * int(learner.lengths[0])
        return settings.token_budget or max(token_budget_of(None, learner.network), whole)


class TwinLearner(Learner):
    """A network with its training and its validation pictures, for the trainer."""

    def __init__(self, pretrainer: Pretrainer, network: TwinNetwork, seen: Pixels, unseen: Pixels) -> None:
        self.pretrainer, self.twins, self.seen = pretrainer, network, seen
        self.network = network
        side = pretrainer.encoder.reading.side
        # The network is timm's, without our `Convolution`: over one column half precision gives gradients by chance.
        self.large_products = side >= _LEAST_HALVED
        self.lengths = np.full(len(seen), 2 * patches(side, side))
        self.making = pretrainer.twin_views
        held_out = _spread_out(len(unseen), _MOST_SCORED)
        # Among a few pictures each is found by chance: pictures that it learns from stand beside them, in fixed views.
        beside = _spread_out(len(seen), _MOST_SCORED - len(held_out))
        pixels = np.concatenate([unseen.take(held_out), seen.take(beside)])
        self.pairs = fixed_views(pixels, self.making, pretrainer.seed)

    def loss(self, rows: np.ndarray) -> torch.Tensor:
        first, second = self.making.views(tensor_for(self.network, self.seen.take(rows)))
        # One pass for both: the norms see twice as many rows, and products are larger.
        both = self.twins.body(self.pretrainer.standardised(torch.cat([first, second])))
        # The heads are small, and their norms divide by what may be next to nothing: single precision is for them.
        with torch.autocast(both.device.type, enabled=False):
            of_first, of_second = both.float().chunk(2)
            return self.twins.loss(of_first, of_second)

    def score(self) -> float:
        first, second = (features_of(self.twins.body, self.pretrainer, views) for views in self.pairs)
        found = found_again(first, second)
        # Where all views are found again, epochs differ in how many directions their features use.
        rank = effective_rank(np.concatenate([first, second])) / first.shape[1]
        return float(found.mean() + rank / (len(found) + 1))


def _spread_out(rows: int, most: int) -> np.ndarray:
    """At most so many positions among rows, as far from one another as can be."""
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).round().astype(np.int64))


def fixed_views(pixels: np.ndarray, twins: Twins, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two views of pictures that the seed decides, on the processor.

    Args:
        pixels: uint8 of shape (rows, side, side, 3).
        twins: how views are made.
        seed: of their random numbers.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return twins.views(torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2))


def features_of(network: nn.Module, pretrainer: Pretrainer, views: torch.Tensor) -> np.ndarray:
    """Features of views of 0 to 1, float32 of shape (rows, width), by a network in evaluation mode."""
    device, parts = next(network.parameters()).device, []
    with torch.inference_mode():
        for part in views.split(64):
            parts.append(network(pretrainer.standardised(part.to(device))).float().cpu().numpy())
    return np.concatenate([np.zeros((0, pretrainer.encoder.width), np.float32), *parts])
