"""Every recommender on MovieLens 100K: lists, ratings, the next item, and items that nobody has rated yet.

`lists`: a random quarter of each item's ratings is held out, every other item is ranked for each user, and the first
ten count, whatever the rating was (the protocol of the recommenders project's comparison). `next`: the last rating of
each user is held out. `cold`: all ratings of a fifth of the items are, and these items alone are ranked by what
describes them. `ratings`: five folds of all ratings, as Surprise's table has it. Items and users come with their
columns. Every model takes its own defaults; costs are those of the whole `adapt`, baselines and report included.
"""

from __future__ import annotations

import csv
import gzip
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from harness import WORK, Bench, Measured, main
from headwater import catalog
from results import Spread, Table, publish

PARTS = {"lists": "stratified", "next": "leave-last-out", "cold": "cold-items", "ratings": "folds"}
SHARES = {"lists": 0.25, "next": 0.2, "cold": 0.2}
COLD = ("tfidf", "lsa", "text-embedding", "hybrid", "fm", "ffm", "cnn-features")
RATING = ("svd", "svdpp")
BARS = {
    "lists": "Bars: ease 0.480, als 0.447, bpr 0.44, item-knn 0.41 NDCG@10.",
    "next": "Bar: sasrec and gru above 0.1103 recall@10 and 0.0513 NDCG@10, which RecBole publishes for GRU4Rec.",
    "cold": "Bar: hybrid at least 0.27 NDCG@10.",
    "ratings": "Bars: svd at most 0.935, svdpp at most 0.921 RMSE.",
}
FOLDS = 5
_METRICS = ("ndcg", "recall", "precision", "mrr", "coverage")


def headwater_lists(folder: str, model: str, protocol: str, share: float, seed: int) -> dict[str, Any]:
    """One whole `adapt` with its report."""
    import headwater

    app = headwater.adapt(
        "recommendation", f"{folder}/ml-100k.inter.gz", model=model, protocol=protocol, test_share=share, seed=seed,
        items=f"{folder}/ml-100k.item", users=f"{folder}/ml-100k.user", offline=True,
        to=Path(tempfile.mkdtemp()) / "run",
    )  # fmt: skip
    if app.report is None:
        raise SystemExit("adapt made no report.")
    metrics = app.report.metrics
    interval = {"low": metrics["ndcg"].low, "high": metrics["ndcg"].high}
    return {name: metrics[name].value for name in _METRICS} | interval


def headwater_ratings(files: list[str], model: str, seed: int) -> dict[str, Any]:
    """One `adapt` for each fold."""
    import headwater

    reports = [headwater.adapt("recommendation", file, model=model, split="split", seed=seed).report for file in files]
    found = [report.metrics for report in reports if report is not None]
    return {name: mean(metrics[name].value for metrics in found) for name in ("rmse", "mae")}


def compare(bench: Bench) -> None:
    """Measures model by model; a table in a file of its own for each part."""
    for part in bench.options.only or (("lists",) if bench.options.quick else tuple(PARTS)):
        bench.measured.clear()
        table = _ratings(bench) if part == "ratings" else _lists(bench, part)
        publish(bench, [table], name=f"{bench.name}_{part}")


def _lists(bench: Bench, part: str) -> Table:
    folder = bench.options.data / "movielens_100k"
    rows = []
    for model in _models(bench, part):
        asked = {"folder": str(folder), "model": model, "protocol": PARTS[part], "share": SHARES[part]}
        runs = [bench.measure("lists", **asked, seed=seed) for seed in bench.seeds]
        rows.append(_row(model, runs))
    caption = f"{part}: means over the seeds, the 95 % interval of the first; costs as median (range). {BARS[part]}"
    told = ("model", "NDCG@10", "by seed", "interval", "recall", "precision", "MRR", "coverage", "CPU s", "peak MiB")
    return Table(caption, told, rows)


def _row(model: str, runs: list[Measured]) -> tuple[Any, ...]:
    first, costs = runs[0].values, [[getattr(run, cost) for run in runs] for cost in ("cpu_seconds", "peak_mib")]
    ndcg, *others = (f"{mean(run.values[name] for run in runs):.4f}" for name in _METRICS)
    by_seed = ", ".join(f"{run.values['ndcg']:.4f}" for run in runs)
    interval = f"{first['low']:.3f} to {first['high']:.3f}"
    return model, ndcg, by_seed, interval, *others, *map(Spread.of, costs)


def _ratings(bench: Bench) -> Table:
    rows = []
    for model in _models(bench, "ratings"):
        runs = [
            bench.measure("ratings", files=_folds(bench.options.data / "movielens_100k", seed), model=model, seed=seed)
            for seed in bench.seeds
        ]
        errors = [f"{mean(run.values[name] for run in runs):.4f}" for name in ("rmse", "mae")]
        by_seed = ", ".join(f"{run.values['rmse']:.4f}" for run in runs)
        costs = [Spread.of(getattr(run, cost) for run in runs) for cost in ("cpu_seconds", "peak_mib")]
        rows.append((model, errors[0], by_seed, errors[1], *costs))
    caption = (
        f"ratings: means over {FOLDS} folds and the seeds; costs of all folds as median (range). {BARS['ratings']}"
    )
    return Table(caption, ("model", "RMSE", "by seed", "MAE", "CPU s", "peak MiB"), rows)


def _folds(folder: Path, seed: int) -> list[str]:
    """A file for each fold, whose column `split` says which ratings are its test."""
    with gzip.open(folder / "ml-100k.inter.gz", "rt", encoding="utf-8") as opened:
        ratings = list(csv.reader(opened, delimiter="\t"))[1:]
    of_row = np.random.default_rng(seed).permutation(len(ratings)) % FOLDS
    files = []
    for fold in range(FOLDS):
        file = WORK / f"movielens-fold-{seed}-{fold}.csv"
        with file.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.writer(opened)
            writer.writerow(("user", "item", "rating", "timestamp", "split"))
            writer.writerows(
                [*row, "test" if own == fold else "train"] for row, own in zip(ratings, of_row, strict=True)
            )
        files.append(str(file))
    return files


def _models(bench: Bench, part: str) -> list[str]:
    """The models that a part is a question to; all, but for those that need pictures, which this data lacks."""
    known = [model.name for model in catalog.models("recommendation")]
    of_part = {"cold": COLD, "ratings": RATING}.get(part, known)
    chosen = bench.options.models or [name for name in known if name not in RATING or part == "ratings"]
    return [name for name in known if name in chosen and name in of_part and name != "image-embedding"]


FLAGS: dict[str, dict[str, Any]] = {
    "--only": {"nargs": "+", "choices": tuple(PARTS), "help": "these parts"},
    "--models": {"nargs": "+", "help": "these models"},
}

if __name__ == "__main__":
    main(Path(__file__), {"lists": headwater_lists, "ratings": headwater_ratings}, compare, flags=FLAGS)
