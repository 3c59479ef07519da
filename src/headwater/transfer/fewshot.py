"""Few labels: several heads, on frozen features and on contrastively tuned ones, chosen by folds of the labelled rows.

No row is held out for validation where every row counts: the rows are dealt into folds, and each is answered by heads
that did not see it. So few rows tell little: the choice has a favourite, which another must beat by more than chance.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from headwater.options import in_words
from headwater.training.settling import agree, settle
from headwater.transfer import contrastive, discriminant, head, prototypes, scores
from headwater.transfer.choosing import MeasuredHead, choose, verdict
from headwater.transfer.classifier import Examples, Stage, Trace
from headwater.transfer.dealing import Deal, answerable
from headwater.transfer.features import extract, in_batches
from headwater.transfer.head import Head

if TYPE_CHECKING:
    from headwater.foundation.encoder import Encoder
    from headwater.run import Run

log = logging.getLogger("headwater")
HEADS = ("logistic", "prototypes", "discriminant")
FROZEN, TUNED = "frozen", "contrastive"
_FAVOURITE = "prototypes"
"""The head that is kept unless another is clearly better; on tuned features, where there are any."""
_FOLDS = 3
_DEALS = 5
_ROWS_DEALT_AGAIN = 1000
_TRAINING_COST = 3.5


class FewShot:
    """Fits the heads of one encoder to few rows and keeps one.

    Args:
        encoder: the foundation; its weights change where the tuned features are kept.
        train: the rows to learn from, one label each.
        run: settings, budget, and a folder in which finished work is kept for a resumed run.

    Attributes:
        trace: a stage for every head with its accuracy on held-out rows, its time and why it was kept or left.
        held_out: logits of the kept head for rows that it did not see, and their targets; None where none were.
    """

    def __init__(self, encoder: Encoder, train: Examples, run: Run) -> None:
        self.encoder, self.train, self.run = encoder, _distinct(train), run
        self.trace = Trace()
        self.held_out: tuple[np.ndarray, np.ndarray] | None = None

    def fit(self) -> Head:
        """The head that goes with the encoder as it is afterwards."""
        self.frozen = extract(self.encoder, self.train.inputs, self.run.settings)
        reason = self._why_not_tuned()
        heads = [self._frozen(name) for name in HEADS]
        if not reason:
            heads += self._tuned()
        kept, why = choose(heads, (FROZEN if reason else TUNED, _FAVOURITE))
        for one in heads:
            self._tell(one, verdict(one, kept, why))
        if reason:
            self.trace.stages.append(Stage(TUNED, None, None, None, 0.0, f"not tried: {reason}"))
        dealt = kept.dealt
        self.held_out = (kept.logits[dealt], self.train.targets[dealt]) if dealt.any() else None
        return self._solved(kept.body, kept.head)

    def _solved(self, body: str, name: str) -> Head:
        if body == FROZEN:
            return _solve(name, self.frozen, self.train, self.run.settings.seed)
        history = contrastive.tune(self.encoder, self.train, self.run.part("contrastive"))
        self.trace.curve += [{"stage": TUNED, **vars(epoch)} for epoch in history.epochs]
        self.encoder.changed()
        return _solve(name, self._features(self.train.inputs), self.train, self.run.settings.seed)

    def _frozen(self, name: str) -> MeasuredHead:
        """A head on frozen features, measured on several deals of the rows into folds."""
        began, rows, seed = time.monotonic(), len(self.train), self.run.settings.seed
        solved, logits = _solve(name, self.frozen, self.train, seed), []
        for deal in range(_DEALS if rows <= _ROWS_DEALT_AGAIN else 1):
            answers = np.full((rows, self.train.n_classes), np.nan, np.float32)
            for held in self._folds(deal):
                rest = np.setdiff1d(np.arange(rows), held)
                # The strength that all rows chose serves every deal: choosing it each time would cost more than tuning.
                found = _solve(name, self.frozen[rest], self.train.take(rest), seed, like=solved)
                judged = answerable(self.train.targets, held)
                answers[judged] = found.logits(self.frozen[judged])
            logits.append(answers)
        return self._measured(FROZEN, name, logits, time.monotonic() - began)

    def _tuned(self) -> list[MeasuredHead]:
        """Every head on features that were tuned, without the rows of each fold, for the first deal of the rows."""
        began, rows, seed = time.monotonic(), len(self.train), self.run.settings.seed
        logits = {name: np.full((rows, self.train.n_classes), np.nan, np.float32) for name in HEADS}
        before = {name: tensor.cpu().clone() for name, tensor in self.encoder.network.state_dict().items()}
        for number, held in enumerate(self._folds(0)):
            rest = self.train.take(np.setdiff1d(np.arange(rows), held))
            contrastive.tune(self.encoder, rest, self.run.part(f"contrastive-fold-{number}"))
            judged = answerable(self.train.targets, held)
            seen, unseen = self._features(rest.inputs), self._features([self.train.inputs[row] for row in judged])
            self.encoder.network.load_state_dict(before)
            for name, answers in logits.items():
                answers[judged] = _solve(name, seen, rest, seed).logits(unseen)
        seconds = time.monotonic() - began
        return [self._measured(TUNED, name, [answers], seconds) for name, answers in logits.items()]

    def _measured(self, body: str, name: str, logits: Sequence[np.ndarray], seconds: float) -> MeasuredHead:
        # The seconds of the attempt that did the work, not of the one that resumed it.
        told = settle(self.run, f"{body}-{name}-seconds", lambda: {"seconds": seconds})["seconds"]
        return MeasuredHead.of(body, name, logits, self.train.targets, told)

    def _tell(self, one: MeasuredHead, decision: str) -> None:
        right = one.right[one.dealt]
        stage = scores.stage(one.name, right, one.seconds, decision, self.run.settings.seed)
        self.trace.stages.append(stage)
        log.info("%s", stage)

    def _folds(self, deal: int) -> list[np.ndarray]:
        return Deal(self.run.settings.seed + deal, self.train.groups, _FOLDS).folds(self.train.targets)

    def _why_not_tuned(self) -> str:
        """Why the encoder is not tuned; empty where it is."""
        sizes = np.bincount(self.train.targets)
        if sizes.max() < _FOLDS:
            return f"folds of {sizes.max()} rows a class leave no two to draw together"
        remaining = self.run.remaining()
        needed = self._seconds() if math.isfinite(remaining) else 0.0
        remaining, needed = agree(self.run, remaining, needed)
        return f"needs about {in_words(needed)}, {in_words(max(0.0, remaining))} left" if needed > remaining else ""

    def _seconds(self) -> float:
        """The seconds that tuning will take, from the measured time of one pass over some rows."""
        sample, began = self.train.inputs[: self.run.settings.batch_size], time.monotonic()
        self._features(sample)
        return (time.monotonic() - began) * _TRAINING_COST * contrastive.STEPS * (_FOLDS + 1)

    def _features(self, inputs: Sequence[Any]) -> np.ndarray:
        """Features of the encoder as it is now, shape (rows, width), kept nowhere."""
        features = np.zeros((len(inputs), self.encoder.width), np.float32)
        for rows, found in in_batches(self.encoder, inputs, self.run.settings.token_budget):
            features[rows] = found.cpu().numpy()
        return features


def _solve(name: str, features: np.ndarray, rows: Examples, seed: int, like: Head | None = None) -> Head:
    """A head of this name; with the strength of another, where the head has one to choose."""
    given = (features, rows.targets, rows.n_classes, rows.weights)
    if name == "logistic":
        return head.solve(*given, deal=Deal(seed, rows.groups), strength=like.strength if like else None)
    return prototypes.solve(*given) if name == "prototypes" else discriminant.solve(*given)


def _distinct(train: Examples) -> Examples:
    """Equal rows as one that weighs as much as all of them, so that no copy straddles the folds."""
    first: dict[Any, int] = {}
    keys = zip(train.inputs, train.targets.tolist(), strict=True)
    place = np.array([first.setdefault(key, len(first)) for key in keys], dtype=np.intp)
    if len(first) == len(train):
        return train
    weights = np.bincount(place, train.weights)
    return replace(train.take(np.unique(place, return_index=True)[1]), weights=weights)
