"""What becomes of rows without labels: a fit as if there were none, one that learns from them, and which is kept.

The user has named the method, and validation rows are few and may come from another place than the unlabelled ones:
they have a veto, no more. The gain and the reason stand in the report.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from headwater.errors import DataError, SettingError
from headwater.evaluation.calibration import fit_temperature, probabilities
from headwater.evaluation.intervals import Estimate, Gain
from headwater.options import in_words
from headwater.run import Run
from headwater.settings import Settings
from headwater.training.settling import agree, settle
from headwater.transfer import distance, scores
from headwater.transfer.classifier import Classifier, Examples, Make
from headwater.transfer.recipes import RECIPES
from headwater.transfer.selftraining import believed, joined

log = logging.getLogger("headwater")
View = Callable[[Sequence[Any]], np.ndarray]
_NOTHING = "doing nothing"
_LEFT_OUT = "the plan leaves the source out, and no labelled row is from elsewhere"
_ALIGNING = ("coral", "dann")
"""The methods that bring two places together."""
_FEWEST = 20
_LOOKED_AT = 1000
"""The most rows of each side whose distance is measured."""


@dataclass(frozen=True)
class Learnt:
    """What was learnt from unlabelled rows.

    Attributes:
        method: how, as `unlabelled_method` names it.
        rows: how many there were.
        distance: the proxy A-distance between labelled rows of another place and the unlabelled ones, 0 to 2.
        gain: over doing nothing, on validation rows; None where it was not measured.
        kept: whether the application is the one that learnt from them.
        told: what the method tells of itself.
        reason: why it was kept or left.
    """

    method: str
    rows: int
    distance: Estimate
    gain: Gain | None
    kept: bool
    reason: str
    told: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method}, {self.rows:,} unlabelled rows: {self.reason}"

    def section(self) -> dict[str, Any]:
        """The section of the report."""
        gain = self.gain.to_json() if self.gain else None
        return {
            "method": self.method, "rows": self.rows, "distance": self.distance, "gain": gain, "kept": self.kept,
            "sentence": str(self), "told": self.told,
        }  # fmt: skip


def refuse(settings: Settings, strategy: str | None, *, several: bool) -> None:
    """Refuses what a method cannot do with a model, a strategy or a target.

    Args:
        settings: what was asked.
        strategy: how the foundation is adapted; None for a basic model.
        several: whether a row may have several labels.

    Raises:
        SettingError: few-shot; coral without a head that learns from frozen features; dann where no encoder is trained;
            pretraining of a model that is no foundation; self-training where a row may have several labels.
    """
    if settings.unlabelled is None:
        return
    method, basic = settings.unlabelled_method, strategy is None
    got = f"{method} with {'a basic model' if basic else f'--strategy {strategy}'}"
    if strategy == "few-shot":
        raise SettingError(
            "Few-shot learns from the labelled rows as they are", where="--unlabelled", got="--strategy few-shot",
            fix="Leave it out, or take another strategy: auto, probe, lora, last-layers, full or probe-then-full.",
        )  # fmt: skip
    if method == "coral" and strategy != "probe":
        raise SettingError(
            "CORAL aligns the frozen features that a probe learns from", where="--unlabelled-method", got=got,
            accepted="a foundation with --strategy probe",
            fix="Or take self-training, for any model, where a row has one label.",
        )  # fmt: skip
    if method == "dann" and strategy not in RECIPES:
        raise SettingError(
            "DANN trains the encoder", where="--unlabelled-method", got=got,
            accepted=f"a foundation with --strategy {', '.join(RECIPES)}",
            fix="Or take self-training, for any model, where a row has one label.",
        )  # fmt: skip
    if method == "pretraining" and basic:
        raise SettingError(
            "Only a foundation has a pretraining that can go on", where="--unlabelled-method", got=got,
            accepted="self-training", fix="Or give a foundation as --model.",
        )  # fmt: skip
    if method == "self-training" and several:
        raise SettingError(
            "Self-training believes one answer a row, and here a row may have several labels",
            where="--unlabelled-method", got=got, accepted="a foundation with coral, dann or pretraining",
            fix="Take one of these, or leave --unlabelled out.",
        )  # fmt: skip


def learn(make: Make, view: View, train: Examples, valid: Examples, run: Run) -> tuple[Classifier, Learnt]:
    """Fits a model without and with the unlabelled rows, and keeps the second unless it is worse beyond chance.

    Args:
        make: an unfitted model.
        view: features of inputs before anything is learnt from them, for the distance.
        train: the rows to learn from, with `unlabelled`.
        valid: the rows that choose between settings and epochs, and compare.
        run: settings and a folder for both fits.

    Raises:
        DataError: there are too few unlabelled rows to tell where they lie.
        SettingError: the model cannot learn by this method.
    """
    _refuse_few(train, run.settings)
    make().refuse(run)
    began = time.monotonic()
    plain = make().fit(replace(train, unlabelled=()), valid, run.part("model"))
    seconds = settle(run, "without-unlabelled", lambda: {"seconds": time.monotonic() - began})["seconds"]
    method, apart = run.settings.unlabelled_method, _apart(view, train, run.settings.seed)
    log.info("%s: proxy A-distance %s between labelled and unlabelled rows", method, apart)
    found = partial(Learnt, method, len(train.unlabelled), apart)
    nothing_far = method in _ALIGNING and not train.elsewhere.any()
    if reason := _LEFT_OUT if nothing_far else _why_not(run, seconds):
        return plain, found(None, kept=False, reason=f"not tried: {reason}")
    if method == "self-training":
        other, told = _self_trained(make, plain, train, valid, run.part(method))
    else:
        other, told = make().fit(train, valid, run.part(method)), {}
    if other is None:
        reason = f"left: too few answers are surer than {run.settings.self_training_confidence:g}"
        return plain, found(None, kept=False, reason=reason, told=told)
    gain, reason = _compared(plain, other, valid, run.settings.seed)
    kept = _is_kept(gain, run)
    learnt = found(gain, kept=kept, reason=f"{'kept' if kept else 'left'}: {reason}", told=told)
    if not kept:
        return plain, learnt
    named = [replace(stage, name=f"{method}: {stage.name}") for stage in other.trace.stages]
    other.trace.stages = [*plain.trace.stages, *named]
    return other, learnt


def _refuse_few(train: Examples, settings: Settings) -> None:
    method = settings.unlabelled_method
    if method in _ALIGNING and len(train.unlabelled) < _FEWEST:
        raise DataError(
            "A place cannot be told from so few unlabelled rows", where=f"--unlabelled-method {method}",
            got=len(train.unlabelled), accepted=f"{_FEWEST} or more", fix="Give more rows, or take self-training.",
        )  # fmt: skip


def _apart(view: View, train: Examples, seed: int) -> Estimate:
    random = np.random.default_rng(seed)
    labelled = train.elsewhere if train.elsewhere.any() else np.ones(len(train), dtype=bool)
    sides = [
        random.permutation(rows)[:_LOOKED_AT] for rows in (np.flatnonzero(labelled), np.arange(len(train.unlabelled)))
    ]
    inputs = [train.inputs[row] for row in sides[0].tolist()] + [train.unlabelled[row] for row in sides[1].tolist()]
    here, there = np.split(view(inputs), [len(sides[0])])
    return distance.between(here, there, seed)


def _why_not(run: Run, seconds: float) -> str:
    """Why a fit does not begin that is to take as long as the first did; empty when it does."""

    def asked() -> dict[str, Any]:
        left, needed = agree(run, run.remaining(), seconds)
        if left > needed:
            return {"why": ""}
        return {"why": f"it needs about {in_words(needed)}, {in_words(max(0.0, left))} left of the budget"}

    return settle(run, "next-fit", asked)["why"]


def _self_trained(
    make: Make, plain: Classifier, train: Examples, valid: Examples, run: Run
) -> tuple[Classifier | None, dict[str, Any]]:
    """The last of some models that each learnt from the answers of the one before; None where none may be believed."""
    settings, counts = run.settings, []
    own = replace(train, unlabelled=())
    shares = np.bincount(train.targets, minlength=train.n_classes) / len(train)
    teacher, before, began = plain, None, time.monotonic()
    for number in range(settings.self_training_rounds):
        if number and _why_not(run.part(f"round-{number}"), (time.monotonic() - began) / number):
            break
        logits, targets = teacher.held_out or (teacher.logits(valid.inputs), valid.targets)
        chances = probabilities(teacher.logits(train.unlabelled), fit_temperature(logits, targets))
        found = believed(chances, shares, settings.self_training_confidence)
        if not len(found) or found.same(before):
            break
        counts.append(np.bincount(found.classes, minlength=train.n_classes).tolist())
        log.info("self-training: %s of %s answers are believed", f"{len(found):,}", f"{len(train.unlabelled):,}")
        more = joined(own, train.unlabelled, found, settings.self_training_weight)
        teacher, before = make().fit(more, valid, run.part(f"round-{number}")), found
    return None if teacher is plain else teacher, {"believed_by_class_and_round": counts}


def _compared(plain: Classifier, other: Classifier, valid: Examples, seed: int) -> tuple[Gain | None, str]:
    if not len(valid):
        return None, "there are no validation rows to compare on"
    if other.held_out is not None:
        return None, "validation rows are from where the labelled rows are, and cannot tell what is gained elsewhere"
    right, base = (scores.correct(model.logits(valid.inputs), valid.targets) for model in (other, plain))
    gain = scores.gain(right, base, _NOTHING, seed)
    interval = f"[{100 * gain.low:.1f}, {100 * gain.high:.1f}]"
    return gain, f"{100 * gain.value:+.1f} points over {_NOTHING} {interval} on {len(valid):,} validation rows"


def _is_kept(gain: Gain | None, run: Run) -> bool:
    """Validation rows have a veto, no more; but a fit that the budget may have cut short must show that it gains."""
    if gain is None:
        return True

    def asked() -> dict[str, Any]:
        (left,) = agree(run, run.remaining())
        return {"cut": left <= 0}

    return gain.value > 0 if settle(run, "last-fit", asked)["cut"] else not gain.high < 0
