"""What rows without labels are worth: every method beside doing nothing, on the twelve pairs of Amazon domains.

The labels are those of the source's training rows; beside them come the texts of the target's training rows, and
accuracy is on the target's test part. With `--labelled N`, so many of the target's rows have labels as well, the source
is a `--source`, and the rest of the target's training rows come without. `--methods` chooses what is measured: `dann`
trains the encoder and is compared with `full`, the others with `probe` (of a foundation).
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from statistics import mean
from typing import Any

import data
from harness import WORK, Bench, Measured, main
from results import Spread, Table, publish

METHODS = ("self-training", "coral", "pretraining", "dann")
OF_BASIC = METHODS[:1]
SHOWN = ("self-training", "coral")


def methods(train: str, test: str, rest: str, given: dict[str, Any]) -> dict[str, Any]:
    """Doing nothing and every method on one pair, with the features of the pair computed once."""
    import headwater

    os.environ["HEADWATER_CACHE"] = str(WORK / "features")
    asked = given.pop("methods")
    foundation = given["model"] == "minilm"

    def reported(strategy: str, **how: Any) -> Any:
        how |= {"strategy": strategy} if foundation else {}
        app = headwater.adapt(
            "text-classification", train, test=test, text="text", target="label", offline=True, **given, **how
        )
        if app.report is None:
            raise SystemExit("adapt made no report.")
        return app.report

    found = {"nothing": reported("probe").metrics["accuracy"].value}
    if "dann" in asked:
        found["full"] = reported("full").metrics["accuracy"].value
    for method in asked:
        report = reported("full" if method == "dann" else "probe", unlabelled=rest, unlabelled_method=method)
        found |= {method: report.metrics["accuracy"].value, f"{method} kept": report.adaptation["kept"]}
        found["distance"] = report.adaptation["distance"]["value"]
    return found


def compare(bench: Bench) -> None:
    """Measures pair by pair; a table for each model."""
    models = bench.options.models or (["tfidf-logistic"] if bench.options.quick else ["minilm", "tfidf-logistic"])
    publish(bench, [_table(bench, model) for model in models])


def _table(bench: Bench, model: str) -> Table:
    domains = data.DOMAINS[:2] if bench.options.quick else data.DOMAINS
    sets = {domain: data.prepare(f"amazon_{domain}", bench.options.data) for domain in domains}
    asked = [name for name in bench.options.methods if model == "minilm" or name in OF_BASIC]
    runs: dict[tuple[str, str], list[Measured]] = {}
    for source, target in itertools.permutations(domains, 2):
        for seed in bench.seeds:
            files, given = _files(bench, sets[source], sets[target], seed)
            given |= {"model": model, "seed": seed, "methods": asked}
            if bench.options.max_length:
                given["max_length"] = bench.options.max_length
            runs.setdefault((source, target), []).append(bench.measure("methods", **files, given=given))
    columns = ["nothing", *(["full"] if "dann" in asked else []), *asked]
    means = {pair: [mean(run.values[name] for run in found) for name in columns] for pair, found in runs.items()}
    rows = [_row(pair, found, means[pair], asked) for pair, found in runs.items()]
    overall = [mean(of_pair[place] for of_pair in means.values()) for place in range(len(columns))]
    base = [columns.index("full" if name == "dann" else "nothing") for name in columns]
    worst = [
        min(100 * (of_pair[place] - of_pair[base[place]]) for of_pair in means.values())
        for place in range(len(columns))
    ]
    rows.append(("all", "", *(f"{value:.4f}" for value in overall), "", ""))
    rows.append(("worst gain, points", "", *(f"{value:+.1f}" for value in worst), "", ""))
    labelled = f", and {bench.options.labelled} of the target" if bench.options.labelled else ""
    caption = (
        f"{model}: labels from {bench.options.rows} rows of the source{labelled}; accuracy on the target, means over "
        "the seeds. `nothing` is the model without the unlabelled rows, `full` the same for `dann`."
    )
    return Table(caption, ("pair", "distance", *columns, "left by validation", "CPU s"), rows)


def _files(
    bench: Bench, source: data.DataSet, target: data.DataSet, seed: int
) -> tuple[dict[str, str], dict[str, Any]]:
    """The files of a pair, and what else `adapt` is told."""
    known = data.part_of(source.train, bench.options.rows, seed)
    files = {"train": str(known), "test": str(target.test), "rest": str(target.train)}
    if not bench.options.labelled:
        return files, {}
    few = data.part_of(target.train, bench.options.labelled, seed)
    return files | {"train": str(few)}, {"source": str(known)}


def _row(pair: tuple[str, str], runs: list[Measured], means: list[float], asked: list[str]) -> tuple[Any, ...]:
    left = [name for run in runs for name in asked if not run.values[f"{name} kept"]]
    return (
        " to ".join(pair),
        f"{mean(run.values['distance'] for run in runs):.2f}",
        *(f"{value:.4f}" for value in means),
        ", ".join(f"{name} {left.count(name)}" for name in dict.fromkeys(left)),
        Spread.of(run.cpu_seconds for run in runs),
    )


FLAGS: dict[str, dict[str, Any]] = {
    "--models": {"nargs": "+", "help": "these models"},
    "--methods": {"nargs": "+", "choices": METHODS, "default": SHOWN, "help": "these methods (default: the cheap)"},
    "--rows": {"type": int, "default": 1000, "help": "labelled rows of the source"},
    "--labelled": {"type": int, "default": 0, "help": "labelled rows of the target"},
    "--max-length": {"type": int, "help": "tokens of a text that are read"},
}

if __name__ == "__main__":
    main(Path(__file__), {"methods": methods}, compare, flags=FLAGS)
