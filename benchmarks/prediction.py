"""Prediction: rows a second beside transformers' text-classification pipeline, and memory over the size of the file.

Same weights: headwater's application is a `probe`, which leaves the encoder alone, and this script makes sure that the
encoder's file in the run folder is byte for byte the embedded MiniLM that the pipeline loads. The heads are a linear
layer on mean-pooled features there, BERT's pooler and a linear layer here: a thousandth of the arithmetic. Both cut
texts at 128 tokens and are warmed up on 64 texts; loading is not counted. The 10,000 texts are distinct, half sentences
of SST-2 and half AG News, shuffled.

Memory is that of the command `headwater predict RUN FILE.csv --to OUT.csv` on files of short distinct texts. MiniLM's
ends at 100,000 rows unless `--million` is given: a million takes it half an hour.
"""

from __future__ import annotations

import csv
import hashlib
import itertools
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import data
import ours
from harness import WORK, Bench, Measured, Stopwatch, main
from results import Spread, Table, publish

ROWS = 10_000
SIZES = (10_000, 100_000, 1_000_000)
MAX_LENGTH = 128


def fit(train: str, model: str, to: str) -> dict[str, Any]:
    """Makes the application that predicts."""
    import headwater

    headwater.adapt(
        "text-classification", train, model=model, to=to, max_length=MAX_LENGTH, offline=True,
        **ours.adapted_by(model, "probe"),
    )  # fmt: skip
    return {}


def headwater_predict(texts: str, run: str) -> dict[str, Any]:
    """`Application.predict` on a list."""
    import headwater

    return _timed(headwater.load(run).predict, data.read(texts)[0])


def pipeline_predict(texts: str, folder: str) -> dict[str, Any]:
    """The pipeline on a list, 32 rows a batch, in the order given."""
    from transformers import pipeline

    classify: Any = pipeline("text-classification", model=folder, batch_size=32)
    return _timed(lambda rows: classify(rows, truncation=True, max_length=MAX_LENGTH), data.read(texts)[0])


def predict_file(run: str, texts: str) -> dict[str, Any]:
    """The command, as a user gives it."""
    from headwater import cli

    to = Path(tempfile.mkdtemp(), "out.csv")
    sys.argv = ["headwater", "predict", run, texts, "--to", str(to)]
    try:
        cli.main()
    except SystemExit as end:
        if end.code:
            raise
    with to.open(encoding="utf-8", newline="") as file:
        return {"rows": sum(1 for _ in csv.reader(file)) - 1}


def compare(bench: Bench) -> None:
    """Measures throughput in pairs, then memory size by size."""
    runs = {model: _application(bench, model) for model in ("tfidf-logistic", "minilm")}
    publish(bench, [_throughput(bench, runs["minilm"]), _memory(bench, runs)])


def _throughput(bench: Bench, run: Path) -> Table:
    rows = 200 if bench.options.quick else ROWS
    pairs = []
    for seed in bench.seeds:
        texts = str(_texts(bench, rows, seed))
        theirs = bench.measure("pipeline", texts=texts, folder=ours.minilm())
        pairs.append((theirs, bench.measure("headwater", texts=texts, run=str(run))))
    lines = []
    for name, side in (("transformers pipeline", 0), ("headwater predict", 1)):
        lines.append((name, *(_rates([pair[side] for pair in pairs], rows)), ""))
    gains = [
        Spread.of(theirs.values[cost] / mine.values[cost] for theirs, mine in pairs)
        for cost in ("wall_seconds", "cpu_seconds")
    ]
    memory = Spread.of(mine.peak_mib / theirs.peak_mib for theirs, mine in pairs)
    lines.append(("headwater / pipeline", *gains, memory, "at least 2 for rows a second"))
    caption = f"{rows:,} texts, one shuffle a seed: median (least to most)."
    return Table(caption, ("side", "rows a second", "rows a CPU second", "peak MiB", "bar"), lines)


def _rates(runs: list[Measured], rows: int) -> list[Spread]:
    rates = [Spread.of(rows / run.values[cost] for run in runs) for cost in ("wall_seconds", "cpu_seconds")]
    return [*rates, Spread.of(run.peak_mib for run in runs)]


def _memory(bench: Bench, runs: dict[str, Path]) -> Table:
    sizes = (1000, 4000) if bench.options.quick else SIZES
    lines = []
    for model, run in runs.items():
        first = None
        for size in sizes[: None if model != "minilm" or bench.options.million else 2]:
            measured = bench.measure("file", run=str(run), texts=str(_short_texts(bench, size)))
            if measured.values["rows"] != size:
                raise SystemExit(f"{model}: {measured.values['rows']} rows came back of {size}.")
            first = first or measured.peak_mib
            share = f"{measured.peak_mib / first:.2f}"
            lines.append((model, f"{size:,}", measured.peak_mib, share, measured.cpu_seconds, measured.wall_seconds))
    caption = "Peak memory of the whole command over the number of rows. Bar: it stays flat."
    return Table(caption, ("model", "rows", "peak MiB", "to the smallest", "CPU s", "wall s"), lines)


def _application(bench: Bench, model: str) -> Path:
    """A fresh run folder of this model; for MiniLM its encoder's file is checked to be the embedded one."""
    train = data.part_of(data.prepare("sst2", bench.options.data).train, 200 if bench.options.quick else 2000, 0)
    run = WORK / "runs" / model
    if not (bench.options.resume and run.is_dir()):
        shutil.rmtree(run, ignore_errors=True)
        bench.measure("fit", train=str(train), model=model, to=str(run))
    if model == "minilm":
        known = _hash(Path(ours.minilm(), "model.safetensors"))
        if known not in map(_hash, run.rglob("*.safetensors")):
            raise SystemExit(
                f"{run}: no file here is the embedded MiniLM, so the sides would not have the same weights."
            )
    return run


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _texts(bench: Bench, rows: int, seed: int) -> Path:
    pools = [data.read(data.prepare(name, bench.options.data).train)[0] for name in ("sst2", "ag_news_small")]
    shuffler = random.Random(seed)
    texts = list(itertools.chain.from_iterable(shuffler.sample(sorted(set(pool)), rows // 2) for pool in pools))
    shuffler.shuffle(texts)
    return data.write(((text, "") for text in texts), WORK / "data" / f"texts-{rows}-{seed}.csv")


def _short_texts(bench: Bench, rows: int) -> Path:
    words = sorted(
        {word for text in data.read(data.prepare("sst2", bench.options.data).test)[0] for word in text.split()}
    )
    threes = ((" ".join(random.Random(row).sample(words, 3)) + f" {row}", "") for row in range(rows))
    return data.write(threes, WORK / "data" / f"short-{rows}.csv")


def _timed(predict: Callable[[list[str]], Any], texts: list[str]) -> dict[str, Any]:
    predict([f"{text} again" for text in texts[:64]])
    with Stopwatch() as watch:
        answers = predict(texts)
    if len(answers) != len(texts):
        raise SystemExit(f"{len(answers)} answers came back for {len(texts)} texts.")
    return {"cpu_seconds": watch.cpu_seconds, "wall_seconds": watch.wall_seconds}


SIDES = {"fit": fit, "headwater": headwater_predict, "pipeline": pipeline_predict, "file": predict_file}

if __name__ == "__main__":
    million = {"--million": {"action": "store_true", "help": "predict a million rows with MiniLM, too"}}
    main(Path(__file__), SIDES, compare, flags=million)
