"""What a source beside the data is worth: every plan on the twelve pairs of Amazon domains, few and many target rows.

The target trains on its first rows and is measured on its test part; the source is the whole training part of another
domain. `source-only` learns from the source alone. The plan's own choice is `auto`; where that is `joint`, the two are
one fit. A foundation is probed, and features once computed are kept for all fits. The transfer loss of a pair is how
far `source-only` falls behind what the domain's whole training part comes to; the last line of each table tells how
well the measured distance orders the pairs by it (Spearman's rank correlation, means over the seeds).
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
_ROWS_ASIDE = 20
"""Test rows that every fit reports on by itself; the figures here come from the whole test part."""


def branches(train: str, test: str, aside: str, source: str, model: str, seed: int) -> dict[str, Any]:
    """Every plan on one pair, one after another, with the features of the pair computed once."""
    found: dict[str, Any] = {}
    for plan in ("auto", *PLANS[:-1]):
        if plan == found.get("name") == "joint":
            found[plan] = found["auto"]
            continue
        app = _adapt(train, aside, model=model, seed=seed, source=source, plan=plan)
        found[plan] = ours.accuracy_of(app, test)
        if plan == "auto" and app.report is not None:
            found |= {name: app.report.plan[name] for name in ("name", "weight")}
            found["distance"] = app.report.plan["distance"]["value"]
    return found


def alone(train: str, tests: dict[str, str], aside: str, model: str, seed: int) -> dict[str, Any]:
    """What the whole training part of one domain comes to on the test part of each."""
    app = _adapt(train, aside, model=model, seed=seed)
    return {domain: ours.accuracy_of(app, test) for domain, test in tests.items()}


def _adapt(train: str, test: str, **settings: Any) -> Any:
    import headwater

    os.environ["HEADWATER_CACHE"] = str(WORK / "features")
    strategy = ours.adapted_by(settings["model"], "probe")
    return headwater.adapt(
        "text-classification", train, test=test, text="text", target="label", offline=True, **strategy, **settings
    )


def compare(bench: Bench) -> None:
    """Measures pair by pair; a table for each model and size."""
    models = bench.options.models or (MODELS[1:] if bench.options.quick else MODELS)
    sizes = bench.options.sizes or (SIZES[:1] if bench.options.quick else SIZES)
    publish(bench, [_table(bench, model, size) for model in models for size in sizes])


def _table(bench: Bench, model: str, size: int) -> Table:
    domains = data.DOMAINS[:2] if bench.options.quick else data.DOMAINS
    sets = {domain: data.prepare(f"amazon_{domain}", bench.options.data) for domain in domains}
    tests = {domain: str(prepared.test) for domain, prepared in sets.items()}
    aside = {domain: str(data.part_of(prepared.test, _ROWS_ASIDE, 0)) for domain, prepared in sets.items()}
    whole = {
        domain: [
            bench.measure("alone", train=str(prepared.train), tests=tests, aside=aside[domain], model=model, seed=seed)
            for seed in bench.seeds
        ]
        for domain, prepared in sets.items()
    }
    pairs = {
        (source, target): [
            bench.measure(
                "branches", source=str(sets[source].train), test=tests[target], aside=aside[target], model=model,
                seed=seed, train=str(data.part_of(sets[target].train, size, seed)),
            )
            for seed in bench.seeds
        ]
        for source, target in itertools.permutations(domains, 2)
    }  # fmt: skip
    means = {pair: {name: mean(run.values[name] for run in runs) for name in PLANS} for pair, runs in pairs.items()}
    for source, target in pairs:
        means[source, target]["source-only"] = mean(run.values[target] for run in whole[source])
    reached = {domain: mean(run.values[domain] for run in runs) for domain, runs in whole.items()}
    losses = [reached[target] - means[source, target]["source-only"] for source, target in pairs]
    overall = {name: mean(of_pair[name] for of_pair in means.values()) for name in ("source-only", *PLANS)}
    best = max(value for name, value in overall.items() if name != "auto")
    worst = min(of_pair["auto"] - of_pair["target-only"] for of_pair in means.values())
    caption = (
        f"{model}, {size} target rows: accuracy, means over the seeds. Bars: `auto` at most 0.5 points below the best "
        f"plan on average ({100 * (overall['auto'] - best):+.1f}), and on no pair more than 1 point below "
        f"target-only (worst {100 * worst:+.1f})."
    )
    told = spearman([_distance(runs) for runs in pairs.values()], losses)
    rows = [_row(pair, runs, means[pair]) for pair, runs in pairs.items()]
    rows.append(("all", "", "", *(f"{overall[name]:.4f}" for name in ("source-only", *PLANS)), ""))
    rows.append(("distance to transfer loss", "Spearman", f"{told:+.2f}", *[""] * (len(PLANS) + 2)))
    return Table(caption, ("pair", "distance", "chosen", "source-only", *PLANS, "CPU s"), rows)


def spearman(distances: list[float], losses: list[float]) -> float:
    """The rank correlation of the distances of pairs with what each loses."""
    from scipy.stats import spearmanr

    return float(spearmanr(distances, losses).statistic) if len(distances) > 2 else float("nan")


def _distance(runs: list[Measured]) -> float:
    return mean(run.values["distance"] for run in runs)


def _row(pair: tuple[str, str], runs: list[Measured], means: dict[str, float]) -> tuple[Any, ...]:
    chosen = sorted({f"{run.values['name']} {run.values['weight']:g}" for run in runs})
    return (
        " to ".join(pair),
        f"{_distance(runs):.2f}",
        ", ".join(chosen),
        *(f"{means[name]:.4f}" for name in ("source-only", *PLANS)),
        Spread.of(run.cpu_seconds for run in runs),
    )


FLAGS: dict[str, dict[str, Any]] = {
    "--models": {"nargs": "+", "help": "these models"},
    "--sizes": {"nargs": "+", "type": int, "help": "these numbers of target rows"},
}

if __name__ == "__main__":
    main(Path(__file__), {"branches": branches, "alone": alone}, compare, flags=FLAGS)
