"""What a source beside the data is worth: every plan on the twelve pairs of Amazon domains, few and many target rows.

The target trains on its first rows and is measured on its test part; the source is the whole training part of another
domain. `source-only` learns from the source alone. The plan's own choice is `auto`.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from statistics import mean
from typing import Any

import data
import ours
from harness import WORK, Bench, Measured, main
from results import Spread, Table, publish

PLANS = ("target-only", "joint", "augment", "auto")
SIZES = (50, 200, 1000)
MODELS = ("minilm", "tfidf-logistic")


def branches(train: str, test: str, source: str, model: str, seed: int) -> dict[str, Any]:
    """Every plan on one pair, one after another, with the features of the pair computed once."""
    import headwater

    os.environ["HEADWATER_CACHE"] = str(WORK / "features")
    shared = {"model": model, "seed": seed} | ({"strategy": "probe"} if model == "minilm" else {})
    found: dict[str, Any] = {"source-only": ours.adapt(source, test, **shared)["accuracy"]}
    for plan in PLANS:
        app = headwater.adapt(
            "text-classification", train, test=test, source=source, plan=plan, text="text", target="label",
            offline=True, **shared,
        )  # fmt: skip
        if app.report is None:
            raise SystemExit("adapt made no report.")
        found[plan] = app.report.metrics["accuracy"].value
        if plan == "auto":
            found |= {name: app.report.plan[name] for name in ("name", "weight")}
            found["distance"] = app.report.plan["distance"]["value"]
    return found


def compare(bench: Bench) -> None:
    """Measures pair by pair; a table for each model and size."""
    models = bench.options.models or (MODELS[1:] if bench.options.quick else MODELS)
    sizes = bench.options.sizes or (SIZES[:1] if bench.options.quick else SIZES)
    publish(bench, [_table(bench, model, size) for model in models for size in sizes])


def _table(bench: Bench, model: str, size: int) -> Table:
    domains = data.DOMAINS[:2] if bench.options.quick else data.DOMAINS
    sets = {domain: data.prepare(f"amazon_{domain}", bench.options.data) for domain in domains}
    pairs = {
        (source, target): [
            bench.measure(
                "branches", source=str(sets[source].train), test=str(sets[target].test), model=model, seed=seed,
                train=str(data.part_of(sets[target].train, size, seed)),
            )
            for seed in bench.seeds
        ]
        for source, target in itertools.permutations(domains, 2)
    }  # fmt: skip
    means = {pair: {name: mean(run.values[name] for run in runs) for name in ("source-only", *PLANS)}
             for pair, runs in pairs.items()}  # fmt: skip
    overall = {name: mean(of_pair[name] for of_pair in means.values()) for name in ("source-only", *PLANS)}
    best = max(value for name, value in overall.items() if name != "auto")
    worst = min(of_pair["auto"] - of_pair["target-only"] for of_pair in means.values())
    caption = (
        f"{model}, {size} target rows: accuracy, means over the seeds. Bars: `auto` at most 0.5 points below the best "
        f"plan on average ({100 * (overall['auto'] - best):+.1f}), and on no pair more than 1 point below "
        f"target-only (worst {100 * worst:+.1f})."
    )
    rows = [_row(pair, runs, means[pair]) for pair, runs in pairs.items()]
    rows.append(("all", "", "", *(f"{overall[name]:.4f}" for name in ("source-only", *PLANS)), ""))
    return Table(caption, ("pair", "distance", "chosen", "source-only", *PLANS, "CPU s"), rows)


def _row(pair: tuple[str, str], runs: list[Measured], means: dict[str, float]) -> tuple[Any, ...]:
    chosen = sorted({f"{run.values['name']} {run.values['weight']:g}" for run in runs})
    return (
        " to ".join(pair),
        f"{mean(run.values['distance'] for run in runs):.2f}",
        ", ".join(chosen),
        *(f"{means[name]:.4f}" for name in ("source-only", *PLANS)),
        Spread.of(run.cpu_seconds for run in runs),
    )


FLAGS: dict[str, dict[str, Any]] = {
    "--models": {"nargs": "+", "help": "these models"},
    "--sizes": {"nargs": "+", "type": int, "help": "these numbers of target rows"},
}

if __name__ == "__main__":
    main(Path(__file__), {"branches": branches}, compare, flags=FLAGS)
