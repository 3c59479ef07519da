"""`auto` beside every single strategy on MiniLM: does it reach the best of them within one point, and at what cost?

All of them train on the same rows (at most `--rows`, drawn class by class) and are measured on the whole test part.
"""

from __future__ import annotations

from pathlib import Path
from statistics import mean
from typing import Any

import data
import ours
from harness import Bench, Measured, main
from headwater.settings import STRATEGIES
from results import Spread, Table, publish

SETS = ("sst2", "ag_news_small")


def compare(bench: Bench) -> None:
    """Measures strategy by strategy; a table for each set."""
    sets = bench.options.only or (SETS[:1] if bench.options.quick else SETS)
    publish(bench, [_table(bench, data.prepare(name, bench.options.data)) for name in sets])


def _table(bench: Bench, prepared: data.DataSet) -> Table:
    size = 100 if bench.options.quick else min(bench.options.rows, len(data.read(prepared.train)[0]))
    runs: dict[str, list[Measured]] = {strategy: [] for strategy in STRATEGIES}
    for seed in bench.seeds:
        files = prepared.files | {"train": str(data.part_of(prepared.train, size, seed))}
        for strategy, measured in runs.items():
            measured.append(bench.measure("headwater", **files, model="minilm", strategy=strategy, seed=seed))
    accuracy = {strategy: mean(run.values["accuracy"] for run in measured) for strategy, measured in runs.items()}
    best = max(value for strategy, value in accuracy.items() if strategy != "auto")
    rows = [_row(strategy, measured, best) for strategy, measured in runs.items()]
    caption = (
        f"{prepared.name}, {size} training rows: means over the seeds; costs as median (least to most) of the whole "
        f"process. Bar: `auto` is at most 1 point below the best single strategy; it is {accuracy['auto'] - best:+.4f}."
    )
    return Table(caption, ("strategy", "accuracy", "by seed", "to the best", "CPU s", "peak MiB", "stages"), rows)


def _row(strategy: str, runs: list[Measured], best: float) -> tuple[Any, ...]:
    accuracies = [run.values["accuracy"] for run in runs]
    return (
        strategy,
        f"{mean(accuracies):.4f}",
        ", ".join(f"{value:.4f}" for value in accuracies),
        f"{mean(accuracies) - best:+.4f}",
        Spread.of(run.cpu_seconds for run in runs),
        Spread.of(run.peak_mib for run in runs),
        " / ".join(sorted({" > ".join(run.values["stages"]) for run in runs})),
    )


FLAGS: dict[str, dict[str, Any]] = {
    "--rows": {"type": int, "default": 2000, "help": "training rows at most (default: %(default)s)"},
    "--only": {"nargs": "+", "choices": SETS, "help": "these sets"},
}

if __name__ == "__main__":
    main(Path(__file__), {"headwater": ours.adapt}, compare, flags=FLAGS)
