"""The one trainer of every torch model: fit -> run_epoch -> train_step -> micro_step."""

from __future__ import annotations

import logging
import math
import time
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import nn

from headwater import progress
from headwater.errors import SettingError
from headwater.options import counted
from headwater.run import Run
from headwater.settings import Settings
from headwater.training import optimiser, schedule
from headwater.training.batching import epoch_batches, micro_batches
from headwater.training.checkpoint import learned
from headwater.training.device import device_of, precision_of, token_budget_of
from headwater.training.history import Epoch, History, Position
from headwater.training.interruption import Interruption
from headwater.training.keeper import Keeper
from headwater.training.memory import is_out_of_memory, smaller_budget
from headwater.training.processes import Processes
from headwater.training.tracking import Tracker

log = logging.getLogger("headwater")
_STEPS_NOT_FINITE = 10
_LEAST_PATIENCE = 3
READS = ("epochs", "learning_rate", "batch_size", "warmup", "weight_decay", "clip", "patience")
"""The settings that decide how well a training ends."""


class Learner(ABC):
    """What the trainer needs of a model.

    Attributes:
        network: what learns. The trainer moves it to the device; `loss` and `score` follow it there.
        lengths: the cost of each training row in tokens, shape (rows,).
        large_products: whether the time goes into products of large matrices, as in a foundation, and not into steps of
            a recurrence or the reading of tables.
    """

    network: nn.Module
    lengths: np.ndarray
    large_products = False

    @abstractmethod
    def loss(self, rows: np.ndarray) -> torch.Tensor:
        """The weighted loss of these training rows, summed over them."""

    @abstractmethod
    def score(self) -> float:
        """The validation score, higher is better; called in evaluation mode, without gradients."""

    def ahead(self, rows: np.ndarray) -> None:  # noqa: B027
        """Is told the training rows of this step and of the next, so that they can be made ready meanwhile."""

    def train_mode(self) -> None:
        """Puts the network into training mode; a learner whose lower layers are frozen leaves those out."""
        self.network.train()

    def parameter_groups(self, settings: Settings) -> list[dict[str, Any]]:
        """The trainable parameters with their weight decay and, where it differs, their `lr`."""
        return optimiser.parameter_groups(self.network, settings)


class Trainer:
    """Fits learners under the settings of a run.

    A step takes `batch_size` rows over all processes, in passes within the token budget, and its gradient is that of
    the mean loss of its rows, however they were cut. Every step draws its random numbers from a seed of its own: a
    killed run, resumed, ends with the very weights of an unbroken one.

    Args:
        run: `settings.epochs` and `settings.learning_rate` are set; `folder` takes the checkpoint and the curves.
        label: what the progress bar and the log call this training.
        decay: how the learning rate falls after its warm-up.
    """

    def __init__(self, run: Run, label: str = "training", *, decay: schedule.Decay = schedule.linear) -> None:
        self.run, self.settings, self.label, self.decay = run, run.settings, label, decay
        self.device = device_of(run.settings)
        self.processes = Processes(self.device)

    def fit(self, learner: Learner) -> History:
        """Trains until the epochs, the patience or the budget are used up, and leaves the best weights in the network.

        Goes on from the checkpoint in the run's folder when there is one.

        Raises:
            ArtifactError: the checkpoint is damaged, or is that of another training.
            ResourceError: one row alone does not fit into the memory, or the disk is full.
            SettingError: the loss is not a finite number, step after step.
            KeyboardInterrupt: on Ctrl-C, after a checkpoint has been written.
        """
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            self._begin(learner)
            while not self.at.history.stopped:
                self.run_epoch()
        self._keeper.finish(self.at)
        learner.network.eval()
        self._tracker.close()
        log.info("%s: %s; epoch %d was the best", self.label, self.at.history.stopped, self.at.history.best_epoch)
        return self.at.history

    def run_epoch(self) -> None:
        """One pass over the training rows, or the rest of one, and its score."""
        order = np.random.default_rng([self.settings.seed, self.at.epoch])
        steps = epoch_batches(self.learner.lengths, self.settings.batch_size, order)
        self.learner.train_mode()
        with self._bar(len(steps)) as shown, Interruption() as self._interruption:
            while self.at.step < len(steps) and not self._out_of_time:
                for step in steps[self.at.step : self.at.step + 2]:
                    self.learner.ahead(self._share(step))
                loss = self.train_step(steps[self.at.step])
                self.at.advance(loss, len(steps[self.at.step]))
                self._after_step(shown)
        self._close_epoch()

    def train_step(self, rows: np.ndarray) -> float:
        """One step of the optimiser on these rows, shared among the processes; returns their mean loss."""
        rate = self._set_learning_rate()
        loss = self._gather(self._gradient(rows)) / len(rows)
        self._scaler.unscale_(self._optimiser)
        norm = self._clip()
        if self._is_finite(loss, norm) or self._scaler.is_enabled():
            self._scaler.step(self._optimiser)
            self._scaler.update()
        self._tracker.write(self._global_step, loss=loss, learning_rate=rate)
        return loss

    def micro_step(self, rows: np.ndarray, step_rows: int) -> torch.Tensor:
        """Adds the gradient of one pass to that of a step of `step_rows` rows; returns the summed loss of the pass."""
        with torch.autocast(self.device.type, self.precision, enabled=self.precision is not torch.float32):
            loss = self.learner.loss(rows)
        self._scaler.scale(loss / step_rows).backward()
        return loss.detach()

    def _begin(self, learner: Learner) -> None:
        self.learner = learner
        learner.network.to(self.device)
        self.precision = precision_of(self.settings, self.device, large_products=learner.large_products)
        self._optimiser = optimiser.AdamW(learner.parameter_groups(self.settings), self.settings.learning_rate or 0.0)
        self._parameters = self._optimiser.parameters
        # Typed as anything: of an optimiser it asks no more than `param_groups` and `step`.
        self._scaler: Any = torch.amp.GradScaler(self.device.type, enabled=self.precision is torch.float16)
        self._keeper = Keeper(self.run, learner, self._optimiser, writes=self.processes.main)
        self.at = self._keeper.resume() or Position(token_budget_of(self.settings.token_budget, learner.network))
        self.processes.align(list(learned(learner.network).values()))
        self._tracker = Tracker(self.run.folder / "logs", first_step=self._global_step, active=self.processes.main)
        self._interrupted = self._out_of_time = False
        self._saved = self._clock = time.monotonic()

    def _gradient(self, rows: np.ndarray) -> torch.Tensor:
        """Leaves the gradient of this process's share of a step in the parameters; returns its summed loss."""
        share = self._share(rows)
        while True:
            self._optimiser.zero_grad()
            self._seed_step()
            try:
                passes = micro_batches(share, self.learner.lengths, self.at.token_budget)
                return sum((self.micro_step(part, len(rows)) for part in passes), torch.zeros((), device=self.device))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            self.at.token_budget = smaller_budget(share, self.learner.lengths, self.at.token_budget)

    def _share(self, rows: np.ndarray) -> np.ndarray:
        """The rows of a step that are this process's."""
        return rows[self.processes.index :: self.processes.count]

    def _gather(self, loss: torch.Tensor) -> float:
        """Sums over the processes the gradient, the loss and the reasons to stop, on which all must agree."""
        wishes = [float(self._interruption.asked), float(self.run.remaining() <= 0)]
        total, asked, late = self.processes.sum_gradients(self._parameters, [loss.item(), *wishes])
        self._interrupted, self._out_of_time = asked > 0, late > 0
        return total

    def _clip(self) -> float:
        """Shortens the gradient where it is too long; returns the length it had."""
        norm = nn.utils.get_total_norm([p.grad for p in self._parameters if p.grad is not None])
        if 0 < self.settings.clip < norm.item() < math.inf:
            nn.utils.clip_grads_with_norm_(self._parameters, self.settings.clip, norm)
        return norm.item()

    def _is_finite(self, loss: float, norm: float) -> bool:
        if math.isfinite(loss) and math.isfinite(norm):
            self.at.skipped = 0
            return True
        self.at.skipped += 1
        log.warning("%s: step %d is left out: its gradient is not finite.", self.label, self._global_step + 1)
        if self.at.skipped == _STEPS_NOT_FINITE:
            raise SettingError(
                f"The gradient is not finite in {_STEPS_NOT_FINITE} steps in a row", where="--learning-rate",
                got=self.settings.learning_rate, fix="Lower it, or give --precision fp32.",
            )  # fmt: skip
        return False

    def _after_step(self, shown: progress.Bar | None) -> None:
        self._tick()
        if shown:
            shown.advance(loss=self.at.loss / self.at.rows)
        if self._interrupted or time.monotonic() - self._saved >= self.settings.checkpoint_seconds:
            self._save()
        if self._interrupted:
            raise KeyboardInterrupt

    def _close_epoch(self) -> None:
        score = self._score()
        self._tick()
        at, history = self.at, self.at.history
        score, left = self.processes.agree(score, self.run.remaining())
        tokens = self.learner.lengths.sum() / at.seconds
        epoch = Epoch(at.epoch + 1, self._global_step, at.loss / at.rows, score, self._rate(), at.seconds)
        if history.add(epoch):
            self._keeper.keep_best()
        self._tracker.write(self._global_step, score=score, epoch_loss=epoch.loss, tokens_per_second=tokens)
        at.next_epoch()
        history.stopped = self._why_stop(left)
        if not history.stopped:
            self._save()

    def _score(self) -> float:
        """The score, computed by the main process only."""
        if not self.processes.main:
            return 0.0
        self.learner.network.eval()
        try:
            with torch.no_grad():
                return self.learner.score()
        except KeyboardInterrupt:
            self._save()
            raise

    def _why_stop(self, seconds_left: float) -> str:
        """Why no epoch follows; empty when one does."""
        at, history = self.at, self.at.history
        if at.epoch == self.settings.epochs:
            return "the only epoch is done" if at.epoch == 1 else f"all {at.epoch} epochs are done"
        if self._out_of_time or max(epoch.seconds for epoch in history.epochs) > seconds_left:
            return f"the budget of {self.settings.budget} leaves no time for another epoch"
        if at.epoch - history.best_epoch >= self._patience:
            return f"{counted(self._patience, 'epoch')} brought no better score"
        return self.run.judge(at.epoch / (self.settings.epochs or at.epoch), history.epochs[-1].score)

    @property
    def _patience(self) -> int:
        """The epochs that may pass without a better score; epochs of few rows are many and short."""
        return self.settings.patience or max(_LEAST_PATIENCE, (self.settings.epochs or 0) // 4)

    @property
    def _steps(self) -> int:
        """The steps of one epoch."""
        return math.ceil(len(self.learner.lengths) / self.settings.batch_size)

    @property
    def _global_step(self) -> int:
        return self.at.epoch * self._steps + self.at.step

    def _rate(self) -> float:
        return self._optimiser.param_groups[0]["lr"]

    def _set_learning_rate(self) -> float:
        total = self._steps * (self.settings.epochs or 0)
        share = schedule.factor(self._global_step, total, self.settings.warmup, self.decay)
        for group in self._optimiser.param_groups:
            group["lr"] = group["peak"] * share
        return self._rate()

    def _seed_step(self) -> None:
        place = (self.settings.seed, self.at.epoch, self.at.step, self.processes.index)
        torch.manual_seed(int(np.random.SeedSequence(place).generate_state(1, np.uint64)[0]))

    def _tick(self) -> None:
        now = time.monotonic()
        self.at.seconds, self._clock = self.at.seconds + now - self._clock, now

    def _save(self) -> None:
        self._keeper.save(self.at)
        self._saved = time.monotonic()

    def _bar(self, steps: int) -> AbstractContextManager[progress.Bar | None]:
        """The bar of an epoch, on one process only."""
        label = f"{self.label}, epoch {self.at.epoch + 1} of {self.settings.epochs}"
        return progress.bar(label, steps) if self.processes.main else nullcontext()
