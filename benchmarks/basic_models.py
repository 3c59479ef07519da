"""Every model of the catalog on every text set: accuracy with its interval, macro-F1, and cost.

The base figure of a set is TF-IDF with logistic regression as measured when the data was collected, beside the data in
its index. Newsgroups come without headers, quotations and signatures; the base figure was measured with the headers,
so `newsgroups20_headers` repeats the two TF-IDF models with them. ChnSentiCorp has one split (80/20, seed 0); SST-2
brings validation rows of its own. `minilm` is the embedded foundation (English only) with the strategy `probe`.
"""

from __future__ import annotations

from pathlib import Path
from statistics import mean
from typing import Any

import data
import ours
from harness import Bench, Measured, main
from headwater import catalog
from results import Spread, Table, publish

SETS = ("sst2", "ag_news_small", "newsgroups20", "newsgroups20_headers", "chnsenticorp_htl")
FOUNDATION = {"strategy": "probe"}


def compare(bench: Bench) -> None:
    """Measures model by model; a table for each set."""
    sets = bench.options.only or (("sst2",) if bench.options.quick else SETS)
    publish(bench, [_table(bench, data.prepare(name, bench.options.data)) for name in sets])


def _table(bench: Bench, prepared: data.DataSet) -> Table:
    names = bench.options.models or catalog.model_names("text-classification")
    if prepared.name.endswith("_headers"):
        names = [name for name in names if name.startswith("tfidf")]
    files = prepared.files
    if bench.options.quick:
        files["train"] = str(data.part_of(prepared.train, 300, 0))
    rows = []
    for name in names:
        extra = {} if catalog.foundation(name) is None else FOUNDATION
        runs = [bench.measure("headwater", **files, model=name, seed=seed, **extra) for seed in bench.seeds]
        rows.append(_row(name, runs, prepared.base))
    base = "has no base figure on record" if prepared.base is None else f"base {prepared.base}"
    caption = (
        f"{prepared.name} ({base}): means over the seeds, the 95 % interval of the first; costs as median (range)."
    )
    return Table(caption, ("model", "accuracy", "interval", "to base", "macro-F1", "CPU s", "peak MiB"), rows)


def _row(name: str, runs: list[Measured], base: float | None) -> tuple[Any, ...]:
    accuracy = mean(run.values["accuracy"] for run in runs)
    first = runs[0].values
    return (
        name,
        f"{accuracy:.4f}",
        f"{first['low']:.3f} to {first['high']:.3f}",
        "" if base is None else f"{accuracy - base:+.4f}",
        f"{mean(run.values['macro_f1'] for run in runs):.4f}",
        Spread.of(run.cpu_seconds for run in runs),
        Spread.of(run.peak_mib for run in runs),
    )


FLAGS: dict[str, dict[str, Any]] = {
    "--only": {"nargs": "+", "choices": SETS, "help": "these sets"},
    "--models": {"nargs": "+", "help": "these models"},
}

if __name__ == "__main__":
    main(Path(__file__), {"headwater": ours.adapt}, compare, flags=FLAGS)
