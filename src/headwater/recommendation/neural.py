"""What all networks that recommend share: how they are made, trained, asked and kept."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from headwater.options import counted
from headwater.recommendation.recommender import Recommender
from headwater.recommendation.validation import Validation
from headwater.run import Run
from headwater.training import course
from headwater.training.device import device_of, nearest
from headwater.training.trainer import READS, Learner, Trainer
from headwater.transfer.scores import stage


class NeuralRecommender(Recommender):
    """A network that learns to rank items, epoch after epoch, the best of which is kept.

    Attributes:
        network: what has learnt; made by `untrained` from the settings and facts.
        device: where it was asked to compute.
        token_budget: the most tokens of a pass; None takes what suits the device.
        known_items: whether anybody had to do with each item, shape (items,).
    """

    reads = READS
    epochs: ClassVar[int] = 30
    learning_rate: ClassVar[float] = 1e-3
    fewest_steps: ClassVar[int] = 500
    """What few rows are passed over more often for, up to `most_times`."""
    most_times: ClassVar[int] = 10
    network: Any  # a module of the model's own kind, whose methods it calls
    known_items: np.ndarray
    device: str = "auto"
    token_budget: int | None = None

    @abstractmethod
    def untrained(self) -> nn.Module:
        """The network before it has learnt."""

    def begin(self, run: Run) -> None:
        """Makes the network under the seed of the run, and puts it where it computes."""
        self.device, self.token_budget = run.settings.device, run.settings.token_budget
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(run.settings.seed)
            self.network = self.untrained()
        self.network.to(device_of(run.settings))

    def train(self, learner: RankingLearner, run: Run) -> None:
        """Trains the network, and tells of it in `trace`."""
        started = time.monotonic()
        settings = course.completed(
            run.settings, len(learner.lengths), epochs=self.epochs, learning_rate=self.learning_rate,
            fewest_steps=self.fewest_steps, most_times=self.most_times,
        )  # fmt: skip
        history = Trainer(replace(run, settings=settings), self.foundation or type(self).__name__).fit(learner)
        self.trace.curve = [asdict(epoch) for epoch in history.epochs]
        gains, spent = learner.gains(), time.monotonic() - started
        self.trace.stages = [stage(counted(history.best_epoch, "epoch"), gains, spent, history.stopped)]

    def only_known(self, scores: np.ndarray) -> np.ndarray:
        """The scores, those of items that nobody had to do with at minus infinity."""
        scores[:, ~self.known_items] = -np.inf
        return scores

    def arrays(self) -> dict[str, np.ndarray]:
        state = {f"network.{name}": tensor.cpu().numpy() for name, tensor in self.network.state_dict().items()}
        return {**state, "known_items": self.known_items}

    def facts(self) -> dict[str, Any]:
        return {"device": self.device, "token_budget": self.token_budget}

    def restore(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        self.device, self.token_budget = facts["device"], facts["token_budget"]
        self.known_items = arrays["known_items"]
        prefix = "network."
        state = {
            name.removeprefix(prefix): torch.from_numpy(np.array(values))
            for name, values in arrays.items()
            if name.startswith(prefix)
        }
        with torch.random.fork_rng(devices=[]):
            self.network = self.untrained()
        self.network.load_state_dict(state)
        self.network.to(nearest(self.device)).eval()


class RankingLearner(Learner):
    """A learner whose epochs are judged by what is held out: by its likelihood, or by how high it is ranked.

    Ranks of some hundred items leave much to chance; the likelihood needs scores that are logits.

    Args:
        model: whose network learns.
        lengths: the cost of each training row in tokens.
        validation: what is held out.
    """

    logits: ClassVar[bool] = True
    """Whether the scores of the model are logits of what comes next."""

    def __init__(self, model: NeuralRecommender, lengths: np.ndarray, validation: Validation) -> None:
        self.model, self.network = model, model.network
        self.lengths, self.validation = lengths, validation

    def score(self) -> float:
        if not self.logits:
            return float(self.gains().mean())
        self.refresh()
        return float(self.validation.log_chances(self.model.scores).mean())

    def gains(self) -> np.ndarray:
        """How high the network, as it is now, ranks what is held out of each user, shape (users,)."""
        self.refresh()
        return self.validation.gains(self.model.scores)

    def refresh(self) -> None:
        """Brings up to date what the model's scores are made of beside the network."""
