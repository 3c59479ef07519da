"""The stages of an adaptation: one strategy, or with `auto` the probe and then a deeper one while it can pay."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from headwater.data.imbalance import class_weights
from headwater.options import in_words
from headwater.training.settling import agree, settle
from headwater.transfer import scores
from headwater.transfer.alignment import recoloured
from headwater.transfer.classifier import Examples, Stage, Trace
from headwater.transfer.dealing import Deal
from headwater.transfer.features import extract, in_batches
from headwater.transfer.fewshot import FewShot
from headwater.transfer.finetune import completed, finetune
from headwater.transfer.head import Head, solve_with
from headwater.transfer.recipes import recipe_of
from headwater.transfer.virtual import virtual

if TYPE_CHECKING:
    from headwater.foundation.encoder import Encoder
    from headwater.run import Run

log = logging.getLogger("headwater")
_LARGE = 500_000_000
"""Weights from which `auto` learns a low-rank update instead of all of them."""
_LEAST_ROWS = 20
"""Validation rows below which nobody can tell the better of two stages."""
_LEAST_GAIN = 0.005
_TRAINING_COST = 3.5
"""What a token costs in training, in forward passes: one forward, two backward, and the optimiser."""


@dataclass(frozen=True)
class _Result:
    """What a stage gave: its head, which rows it had right (`scores.correct`), and the seconds it took."""

    head: Head
    right: np.ndarray
    seconds: float


class Adaptation:
    """Adapts one encoder to one set of examples by the strategy of the settings.

    Args:
        encoder: the foundation; strategies deeper than the probe change its weights.
        train: the rows to learn from.
        valid: the rows that choose between epochs, and between stages.
        run: settings, budget, and a folder in which finished work is kept for a resumed run.

    Attributes:
        trace: the stages with their scores, times and decisions, and the learning curve of each.
        held_out: where no validation rows are wanted, logits of training rows that the head had not seen, shape (rows,
            classes), and their targets.
    """

    def __init__(self, encoder: Encoder, train: Examples, valid: Examples, run: Run) -> None:
        self.encoder, self.train, self.valid, self.run = encoder, train, valid, run
        self.trace = Trace()
        self.held_out: tuple[np.ndarray, np.ndarray] | None = None

    def fit(self) -> Head:
        """The head that goes with the encoder as it is afterwards."""
        strategy = self.run.settings.strategy
        if strategy == "auto":
            return self._ladder()
        if strategy == "few-shot":
            return self._few_shot()
        start = self._probe() if strategy in ("probe", "probe-then-full") else None
        if start is not None:
            kept = "kept, on folds of the aligned training rows" if self._is_blind else "kept"
            self._tell("probe", start, kept if strategy == "probe" else "gave its head to probe-then-full")
            if strategy == "probe":
                return start.head
        result = self._deepen(strategy, start)
        self._tell(strategy, result, "kept")
        return result.head

    def _few_shot(self) -> Head:
        if self.train.several:
            probe = self._probe()
            self._tell("probe", probe, "kept")
            reason = "not tried: a row may have several labels, and few-shot draws together rows of one"
            self.trace.stages.append(Stage("few-shot", None, None, None, 0.0, reason))
            if not len(self.valid):
                self.held_out = probe.head.unseen(self.train.targets)
            return probe.head
        chosen = FewShot(self.encoder, self.train, self.run)
        head = chosen.fit()
        self.trace, self.held_out = chosen.trace, None if len(self.valid) else chosen.held_out
        return head

    def _ladder(self) -> Head:
        probe = self._probe()
        deeper = "lora" if _size(self.encoder) > _LARGE else "probe-then-full"
        reason = settle(self.run, "ladder", lambda: {"not tried": self._why_not(probe, deeper)})["not tried"]
        if reason:
            self._tell("probe", probe, "kept")
            self.trace.stages.append(Stage(deeper, None, None, None, 0.0, f"not tried: {reason}"))
            return probe.head
        before = {name: tensor.cpu().clone() for name, tensor in self.encoder.network.state_dict().items()}
        result = self._deepen(deeper, probe)
        gain = scores.gain(result.right, probe.right, "probe", self.run.settings.seed)
        told = f"{100 * gain.value:+.1f} points over the probe [{100 * gain.low:.1f}, {100 * gain.high:.1f}]"
        better = gain.value > 0
        self._tell("probe", probe, f"left for {deeper}" if better else "kept")
        self._tell(deeper, result, f"{'kept' if better else 'left for the probe'}: {told}")
        if better:
            return result.head
        self.encoder.network.load_state_dict(before)
        return probe.head

    def _probe(self) -> _Result:
        began, settings = time.monotonic(), self.run.settings
        features = self._aligned(extract(self.encoder, self.train.inputs, settings))
        features, train, made, counts = virtual(features, self.train, settings)
        self.trace.augmentation |= {"made": counts} if counts else {}
        deal = Deal(settings.seed, train.groups)
        head = solve_with(made, features, train.targets, train.weights, deal=deal)
        right = self._right(head.logits(extract(self.encoder, self.valid.inputs, settings)))
        answered = head.unseen(train.targets)
        if self._is_blind and answered is not None:
            right, self.held_out = scores.correct(*answered), answered
        elif len(self.valid) < _LEAST_ROWS and head.held_out is not None and head.spared is not None:
            # So few rows say next to nothing: the folds of the head add what they held out of the target's own rows.
            own = _once(train)
            own = own[head.spared[own]]
            right = np.concatenate([right, scores.correct(head.held_out[own], train.targets[own])])
        return self._timed("probe", _Result(head, right, time.monotonic() - began))

    def _aligned(self, features: np.ndarray) -> np.ndarray:
        """The training features; of rows from elsewhere, recoloured like where the model will be used, if asked for."""
        if self.run.settings.unlabelled_method != "coral" or not self.train.unlabelled:
            return features
        elsewhere = self.train.elsewhere
        there = extract(self.encoder, self.train.unlabelled, self.run.settings)
        aligned = features.copy()
        aligned[elsewhere] = recoloured(features[elsewhere], np.concatenate([there, features[~elsewhere]]))
        return aligned

    @property
    def _is_blind(self) -> bool:
        """Whether validation rows come from elsewhere, and the head was made for features that are aligned."""
        settings = self.run.settings
        aligned = settings.unlabelled_method == "coral" and len(self.train.unlabelled) > 0
        return aligned and self.train.of_source is None and settings.valid is None

    def _deepen(self, strategy: str, start: _Result | None) -> _Result:
        began, train = time.monotonic(), self.train
        if "mixup" in (self.run.settings.augment or ()):
            self.trace.augmentation["mixed_batches"] = strategy
        if self.run.settings.imbalance == "smote":
            # Features that change hold no place for synthetic rows: the classes weigh alike by their rows' weights.
            train = replace(train, weights=_times(train.weights, class_weights(train.targets, train.n_classes)))
        head, history = finetune(
            self.encoder, strategy, train, self.valid, self.run.part(strategy), start.head if start else None
        )
        self.trace.curve += [{"stage": strategy, **asdict(epoch)} for epoch in history.epochs]
        logits = np.zeros((len(self.valid), self.train.n_classes), np.float32)
        for rows, features in in_batches(self.encoder, self.valid.inputs, self.run.settings.token_budget):
            logits[rows] = head.logits(features.cpu().numpy())
        return self._timed(strategy, _Result(head, self._right(logits), time.monotonic() - began))

    def _why_not(self, probe: _Result, deeper: str) -> str:
        """Why the next stage is not worth its time; empty when it is."""
        if len(self.valid) < _LEAST_ROWS:
            return f"{len(self.valid)} validation rows cannot tell which stage is better"
        left = 1 - float(probe.right.mean())
        if left <= _LEAST_GAIN:
            return f"only {100 * left:.1f} points are left to gain"
        remaining = self.run.remaining()
        needed = self._seconds_of(deeper) if math.isfinite(remaining) else 0.0
        remaining, needed = agree(self.run, remaining, needed)
        return f"needs about {in_words(needed)}, {in_words(max(0.0, remaining))} left" if needed > remaining else ""

    def _seconds_of(self, strategy: str) -> float:
        """The seconds that a strategy will take, from the measured time of a few passes."""
        settings = completed(self.run.settings, recipe_of(strategy, self.encoder), len(self.train))
        lengths = self.encoder.prepare(self.train.inputs).lengths
        sample = [self.train.inputs[row] for row in np.argsort(lengths)[:: max(1, len(lengths) // 256)].tolist()]
        tokens, began = int(self.encoder.prepare(sample).lengths.sum()), time.monotonic()
        for _ in in_batches(self.encoder, sample, settings.token_budget):
            pass
        per_token = (time.monotonic() - began) / tokens
        scored = len(self.valid) / len(self.train)
        return per_token * float(lengths.sum()) * (_TRAINING_COST + scored) * (settings.epochs or 1)

    def _right(self, logits: np.ndarray) -> np.ndarray:
        return scores.correct(logits, self.valid.targets)

    def _tell(self, name: str, result: _Result, decision: str) -> None:
        stage = scores.stage(name, result.right, result.seconds, decision, self.run.settings.seed)
        self.trace.stages.append(stage)
        log.info("%s", stage)

    def _timed(self, name: str, result: _Result) -> _Result:
        """The result with the seconds of the attempt that did the work, not of the one that resumed it."""
        seconds = settle(self.run, f"{name}-seconds", lambda: {"seconds": result.seconds})["seconds"]
        return _Result(result.head, result.right, seconds)


def _once(train: Examples) -> np.ndarray:
    """The positions of the rows that come from no source, each of the user's rows once."""
    own = np.arange(len(train)) if train.of_source is None else np.flatnonzero(~train.of_source)
    return own[np.sort(np.unique(train.parents[own], return_index=True)[1])]


def _times(weights: np.ndarray | None, factors: np.ndarray) -> np.ndarray:
    return factors if weights is None else weights * factors


def _size(encoder: Encoder) -> int:
    return sum(parameter.numel() for parameter in encoder.network.parameters())
