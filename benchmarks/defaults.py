"""The search from which the networks trained from scratch have their defaults: one setting changed at a time.

No test row takes part: the training rows of each set (SST-2 with its validation rows) are divided in two, one part
trains and the other chooses the epoch and gives the score. A default moves where a change gains on the mean of the
sets by more than the spread of the seeds.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import fields
from pathlib import Path
from statistics import mean
from typing import Any

import data
from harness import Bench, Measured, main
from results import Spread, Table, publish

HELD_OUT = {"sst2": (2400, 3000), "ag_news_small": (1200, 2000), "chnsenticorp_htl": (800, 1500)}
"""Rows that train, and rows that score."""
MODELS = ("cnn", "lstm", "transformer")
CHANGES: tuple[dict[str, Any], ...] = (
    {},
    {"learning_rate": 2e-3},
    {"learning_rate": 4e-3},
    {"epochs": 30},
    {"epochs": 30, "learning_rate": 2e-3},
    {"batch_size": 16},
    {"embedding": 300},
    {"token_dropout": 0.0},
    {"token_dropout": 0.25},
    {"dropout": 0.25},
    {"min_count": 1},
)


def held_out(fit: str, held: str, model: str, seed: int, change: dict[str, Any]) -> dict[str, Any]:
    """Trains on one part and returns the accuracy on the other."""
    import numpy as np

    from headwater import catalog
    from headwater.options import build
    from headwater.run import Run
    from headwater.settings import Settings
    from headwater.transfer.classifier import Examples

    texts, labels = data.read(fit)
    classes = sorted(set(labels))

    def examples(texts: list[str], labels: list[str]) -> Examples:
        return Examples(texts, np.array([classes.index(label) for label in labels]), len(classes))

    of_run = {field.name for field in fields(Settings)}
    run = Run(
        build(Settings, {"seed": seed, **{name: value for name, value in change.items() if name in of_run}}),
        Path(tempfile.mkdtemp()),
    )
    kind = catalog.model_class("text-classification", model)
    own = build(kind.Settings, {name: value for name, value in change.items() if name not in of_run})
    fitted = kind(own).fit(examples(texts, labels), examples(*data.read(held)), run)
    scores = [epoch["score"] for epoch in fitted.trace.curve]
    return {"accuracy": max(scores), "best_epoch": int(np.argmax(scores)) + 1, "epochs": len(scores)}


def compare(bench: Bench) -> None:
    """Measures model by model; a table for each."""
    publish(bench, [_table(bench, model) for model in bench.options.models or MODELS])


def _table(bench: Bench, model: str) -> Table:
    sets = list(HELD_OUT)[:1] if bench.options.quick else list(HELD_OUT)
    parts = {name: data.halves_of(data.prepare(name, bench.options.data), *HELD_OUT[name]) for name in sets}
    measured = [
        [
            [
                bench.measure("held_out", fit=str(fit), held=str(held), model=model, seed=seed, change=change)
                for seed in bench.seeds
            ]
            for fit, held in parts.values()
        ]
        for change in [*CHANGES, *bench.options.also]
    ]
    rows = [
        _row(change, runs, measured[0]) for change, runs in zip([*CHANGES, *bench.options.also], measured, strict=True)
    ]
    caption = f"{model}: held-out accuracy, means over the seeds; best epoch and costs as median (least to most)."
    return Table(caption, ("change", *sets, "mean", "gain", "best epoch", "CPU s"), rows)


def _row(change: dict[str, Any], runs: list[list[Measured]], unchanged: list[list[Measured]]) -> tuple[Any, ...]:
    accuracies = [mean(run.values["accuracy"] for run in of_set) for of_set in runs]
    before = mean(mean(run.values["accuracy"] for run in of_set) for of_set in unchanged)
    every = [run for of_set in runs for run in of_set]
    return (
        ", ".join(f"{name} {value}" for name, value in change.items()) or "as it is",
        *(f"{accuracy:.4f}" for accuracy in accuracies),
        f"{mean(accuracies):.4f}",
        f"{mean(accuracies) - before:+.4f}",
        Spread.of(run.values["best_epoch"] for run in every),
        Spread.of(run.cpu_seconds for run in every),
    )


FLAGS: dict[str, dict[str, Any]] = {
    "--models": {"nargs": "+", "help": "these models"},
    "--also": {"nargs": "+", "type": json.loads, "default": [], "help": "further changes, each a JSON object"},
}

if __name__ == "__main__":
    main(Path(__file__), {"held_out": held_out}, compare, seeds=1, flags=FLAGS)
