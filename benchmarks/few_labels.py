"""Few labels: headwater's `probe` and `auto` beside SetFit, on 8, 16 and 64 rows a class, with the same body and draws.

SetFit 1.2.0 trains the embedded MiniLM contrastively and puts a logistic regression on it: one epoch, batches of 16
pairs, and the 20 rounds of pairs of its paper (`num_iterations=20`), everything else by default. It runs in an
environment of its own (`peers.py`) with the same torch and transformers. Accuracy is on the whole test part, costs are
those of the whole process, test included.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import data
import ours
import peers
from harness import Bench, Measured, main
from results import Spread, Table, publish

SETS = ("sst2", "ag_news_small")
SIZES = (8, 16, 64)


def headwater_few(train: str, test: str, strategy: str, seed: int) -> dict[str, Any]:
    """`headwater adapt` on the draw."""
    return ours.adapt(train, test, model="minilm", strategy=strategy, seed=seed)


def setfit(train: str, test: str, folder: str, seed: int) -> dict[str, Any]:
    """SetFit on the draw; imported from the peers' environment."""
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments  # pyrefly: ignore[missing-import]

    texts, labels = data.read(train)
    model: Any = SetFitModel.from_pretrained(folder, labels=sorted(set(labels)))
    arguments = TrainingArguments(
        output_dir=tempfile.mkdtemp(), seed=seed, num_iterations=20, save_strategy="no", report_to="none"
    )
    rows: Any = Dataset.from_dict({"text": texts, "label": labels})
    Trainer(model=model, args=arguments, train_dataset=rows).train()
    texts, labels = data.read(test)
    answers = [str(answer) for answer in model.predict(texts)]
    return {"accuracy": mean(answer == label for answer, label in zip(answers, labels, strict=True))}


def compare(bench: Bench) -> None:
    """Measures the three sides on each draw."""
    sizes, sets = ((8,), ("sst2",)) if bench.options.quick else (SIZES, SETS)
    rows = []
    for name in sets:
        prepared = data.prepare(name, bench.options.data)
        for size in sizes:
            runs = [_draw(bench, prepared, size, seed) for seed in bench.seeds]
            rows += [_row(name, size, side, [run[side] for run in runs]) for side in runs[0]]
    caption = "Test accuracy over the draws: mean, standard deviation, least to most. Costs: median (least to most)."
    columns = ("data", "rows a class", "side", "accuracy", "std", "least to most", "CPU s", "peak MiB")
    publish(bench, [Table(caption, columns, rows)])


def _draw(bench: Bench, prepared: data.DataSet, size: int, seed: int) -> dict[str, Measured]:
    files = {"train": str(data.few_of(prepared.train, size, seed)), "test": str(prepared.test)}
    if bench.options.quick:
        files["test"] = str(data.part_of(prepared.test, 200, seed))
    theirs = bench.measure("setfit", python=peers.python(), **files, folder=ours.minilm(), seed=seed)
    mine = {name: bench.measure("headwater", **files, strategy=name, seed=seed) for name in ("probe", "auto")}
    return {"SetFit": theirs} | {f"headwater {name}": run for name, run in mine.items()}


def _row(name: str, size: int, side: str, runs: list[Measured]) -> tuple[Any, ...]:
    accuracies = [run.values["accuracy"] for run in runs]
    spread = stdev(accuracies) if len(accuracies) > 1 else 0.0
    extremes = f"{min(accuracies):.3f} to {max(accuracies):.3f}"
    costs = (Spread.of(run.cpu_seconds for run in runs), Spread.of(run.peak_mib for run in runs))
    return name, size, side, f"{mean(accuracies):.4f}", f"{spread:.4f}", extremes, *costs


SIDES = {"headwater": headwater_few, "setfit": setfit}

if __name__ == "__main__":
    main(Path(__file__), SIDES, compare, seeds=10)
