"""Altered copies of training rows: how many, by which method, with which weight; and what is refused."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from headwater.data import imbalance
from headwater.errors import SettingError
from headwater.evaluation.showing import shown
from headwater.options import refuse_unread
from headwater.transfer.classifier import Examples

if TYPE_CHECKING:
    from headwater.application import Application
    from headwater.run import Run
    from headwater.settings import Settings

log = logging.getLogger("headwater")
ON_FEATURES = ("mixup",)
"""The methods of `augment` that work on a foundation's features, not on inputs."""
_OF_COPIES = ("augment_copies", "augment_strength", "augment_weight", "augment_model", "augment_translators")
_WITH_FIXED_FEATURES = ("probe", "probe-then-full", "auto")
_SHOWN = 3
"""Examples of each method in the report."""
_LONGEST = 1000
"""Characters of a text that is such an example."""


def refuse(settings: Settings, strategy: str | None, *, several: bool) -> None:
    """Refuses what a model cannot do.

    Args:
        settings: what was asked.
        strategy: how the foundation is adapted; None for a basic model, which has no features to work on.
        several: whether a row may have several labels.

    Raises:
        SettingError: how copies are made, where none are; mixup or SMOTE on a basic model; SMOTE without fixed
            features, or with several labels a row; copies or a source for few-shot.
    """
    if not settings.augment and settings.plan != "augment":
        refuse_unread(settings, _OF_COPIES, "a training without copies", dict.fromkeys(_OF_COPIES, "with --augment"))
    if "mixup" in (settings.augment or ()) and strategy is None:
        raise SettingError(
            "Mixup mixes the features of a foundation, and this model has none", where="--augment", got="mixup",
            accepted="word-dropout, word-swap, span-masking, back-translation", fix="Or give a foundation as --model.",
        )  # fmt: skip
    if strategy == "few-shot" and (settings.augment or settings.source):
        raise SettingError(
            "Few-shot learns from the labelled rows as they are", where="--strategy few-shot",
            got="--augment" if settings.augment else "--source",
            fix="Leave it out, or take another strategy: auto, probe, lora, last-layers, full or probe-then-full.",
        )  # fmt: skip
    if settings.imbalance != "smote":
        return
    if strategy not in _WITH_FIXED_FEATURES:
        raise SettingError(
            "SMOTE makes rows out of the frozen features of a foundation, and here are none",
            where="--imbalance",
            got=f"smote with {'a basic model' if strategy is None else f'--strategy {strategy}'}",
            accepted=f"a foundation with --strategy {', '.join(_WITH_FIXED_FEATURES)}",
            fix="Or give --imbalance weights, class-balanced, oversample or undersample.",
        )
    if several:
        raise SettingError(
            "SMOTE needs one label a row, and here a row may have several", where="--imbalance", got="smote",
            accepted="none, weights, class-balanced, oversample, undersample",
        )  # fmt: skip


def balanced(train: Examples, settings: Settings) -> Examples:
    """The rows weighed or drawn again as the setting `imbalance` says, each with the number of the row it is."""
    train = replace(train, parent=np.arange(len(train)))
    how = settings.imbalance
    if how in ("none", "smote"):
        return train
    if how == "weights":
        return replace(train, weights=imbalance.class_weights(train.targets, train.n_classes))
    if how == "class-balanced":
        beta = settings.class_balanced_beta
        return replace(train, weights=imbalance.effective_weights(train.targets, train.n_classes, beta))
    return train.take(imbalance.resample(train.targets, how, settings.seed))


def augmented(application: Application, train: Examples, run: Run) -> tuple[Examples, dict[str, Any]]:
    """Training rows with their altered copies behind them, and the report's section on it (empty where none is asked).

    Each copy is made by one method; the methods take turns over the rows, drawn by the seed. A row and its copies
    together weigh what the row has weighed: however many copies are made, every row of the user's counts alike.

    Args:
        application: knows how to alter its inputs.
        train: training rows, divided off and balanced; each has its `parent`.
        run: settings, and a folder for what a model has altered.
    """
    settings = run.settings
    methods = [method for method in settings.augment or () if method not in ON_FEATURES]
    if not methods:
        return train, {}
    made = [copy for draw in range(settings.augment_copies) for copy in _copies(application, train, methods, draw, run)]
    findings = _findings(train, made, settings)
    log.info("augmentation: %s", ", ".join(f"{rows:,} copies by {name}" for name, rows in findings["copies"].items()))
    return _joined(train, made, settings.augment_weight), findings


_Copy = tuple[int, str, Any]
"""The row it was made of, the method, the altered input (None where nothing could be altered)."""


def _copies(application: Application, train: Examples, methods: list[str], draw: int, run: Run) -> list[_Copy]:
    """One copy of each row, in the order of the rows."""
    # Turns are drawn, not counted off: rows whose classes alternate would else have a method for each class.
    turns = np.random.default_rng([run.settings.seed, 2]).permutation(len(train)) + draw
    made: list[_Copy] = []
    for number, method in enumerate(methods):
        rows = np.flatnonzero(turns % len(methods) == number).tolist()
        copies = application.augment([train.inputs[row] for row in rows], method, draw, run)
        made += [(row, method, copy) for row, copy in zip(rows, copies, strict=True)]
    return sorted(made, key=lambda copy: copy[0])


def _joined(train: Examples, made: list[_Copy], weight: float) -> Examples:
    altered = [(row, value) for row, _, value in made if value is not None]
    parents = np.array([row for row, _ in altered], np.intp)
    copies = np.bincount(parents, minlength=len(train))
    own = np.ones(len(train)) if train.weights is None else train.weights
    kept = np.where(copies > 0, own / (1 + weight), own)
    both = train.take(np.concatenate([np.arange(len(train)), parents]))
    return replace(
        both,
        inputs=[*train.inputs, *(value for _, value in altered)],
        weights=np.concatenate([kept, (own / (1 + weight) * weight)[parents] / copies[parents]]),
        altered=np.arange(len(both)) >= len(train),
    )


def _findings(train: Examples, made: list[_Copy], settings: Settings) -> dict[str, Any]:
    by_method: dict[str, list[_Copy]] = {}
    for copy in made:
        by_method.setdefault(copy[1], []).append(copy)
    done = {name: [copy for copy in copies if copy[2] is not None] for name, copies in sorted(by_method.items())}
    return {
        "rows": len(train),
        "copies": {name: len(copies) for name, copies in done.items()},
        "unaltered": len(made) - sum(map(len, done.values())),
        "strength": settings.augment_strength,
        "weight": settings.augment_weight,
        "examples": [
            {"method": name, "before": shown(train.inputs[row], _LONGEST, between=" / "),
             "after": shown(value, _LONGEST, between=" / ")}
            for name, copies in done.items()
            for row, _, value in copies[:_SHOWN]
        ],
    }  # fmt: skip
