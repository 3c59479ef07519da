"""Up to twenty million generated interactions through `als` and `item-knn`: CPU seconds a million, and memory.

Users have a hundred interactions each in the mean, whatever their number, as they do when data grow by new users; they
and 50,000 items follow power laws. `fit` is one fit of the model with its defaults on arrays that are read before;
`adapt` is the whole command on a Parquet file: reading, splitting, fitting twice (with and without what is held out),
ranking 50,000 items for every user of the test, and the report. Memory is the largest resident set of the process.
Three seeds of `fit`, the first of `adapt`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from harness import WORK, Bench, Measured, Stopwatch, main
from interactions import Pairs, generated
from recommender_sides import fitting
from results import Spread, Table, publish

SIZES = (2_500_000, 5_000_000, 10_000_000, 20_000_000)
QUICK = (50_000, 100_000)
MODELS = ("als", "item-knn")
ITEMS, OF_EACH = 50_000, 100
_GIB = 1024


def fit(file: str, model: str, seed: int) -> dict[str, Any]:
    """One fit, after another on few pairs that compiles."""
    pairs = Pairs.read(file)
    fitting(pairs.take(slice(0, 1000)), model, {}, {"seed": seed})()
    work = fitting(pairs, model, {}, {"seed": seed})
    with Stopwatch() as watch:
        work()
    return {"seconds": watch.cpu_seconds}


def generate(size: int, seed: int, to: str) -> dict[str, Any]:
    """Writes the interactions, in a process of its own: what it needs would count as the memory of the next ones."""
    generated(size, size // OF_EACH, ITEMS, seed).write(Path(to))
    return {}


def adapt(file: str, model: str, seed: int) -> dict[str, Any]:
    """The whole command."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    import headwater

    pairs, folder = Pairs.read(file), Path(tempfile.mkdtemp())
    pq.write_table(pa.table({"user_id": pairs.users, "item_id": pairs.items}), folder / "interactions.parquet")
    del pairs
    with Stopwatch() as watch:
        app = headwater.adapt(
            "recommendation", folder / "interactions.parquet", model=model, seed=seed, to=folder / "run"
        )
    if app.report is None:
        raise SystemExit("adapt made no report.")
    return {"seconds": watch.cpu_seconds, "ndcg": app.report.metrics["ndcg"].value}


def compare(bench: Bench) -> None:
    """Both models at every size."""
    rows = [_row(bench, model, size) for model in MODELS for size in (QUICK if bench.options.quick else SIZES)]
    caption = (
        "CPU seconds as median (range) over the seeds, `adapt` of the first. Bar: 20 million within 6 GiB, growth "
        "linear."
    )
    columns = ("model", "million", "fit, CPU s", "a million", "GiB", "adapt, CPU s", "a million", "GiB")
    publish(bench, [Table(caption, columns, rows)])


def _row(bench: Bench, model: str, size: int) -> tuple[Any, ...]:
    fits = [bench.measure("fit", file=_file(bench, size, seed), model=model, seed=seed) for seed in bench.seeds]
    whole = bench.measure("adapt", file=_file(bench, size, 0), model=model, seed=0)
    million = size / 1e6
    return model, million, *_costs(fits, million), *_costs([whole], million)


def _costs(runs: list[Measured], million: float) -> tuple[Any, ...]:
    seconds = [run.values["seconds"] for run in runs]
    share = Spread.of(second / million for second in seconds)
    return Spread.of(seconds), share, Spread.of(run.peak_mib / _GIB for run in runs)


def _file(bench: Bench, size: int, seed: int) -> str:
    file = WORK / f"grown-{size}-{seed}.npz"
    if not file.exists():
        bench.measure("generate", size=size, seed=seed, to=str(file))
    return str(file)


if __name__ == "__main__":
    main(Path(__file__), {"fit": fit, "adapt": adapt, "generate": generate}, compare)
