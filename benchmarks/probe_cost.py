"""What a probe costs on SST-2: headwater's `probe` beside one bare forward pass over the same rows.

The bare pass tokenises the 6,920 training rows, sorts them by length, and sends them through MiniLM in batches of 32,
each padded to its longest row; it keeps nothing. headwater starts from an empty feature cache, computes the features of
the same rows (a tenth of them are its validation rows), stores them, and solves the head with cross-validated
regularisation. Each side is first warmed up on 64 rows of another data set, so that imports are not counted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import data
import ours
from harness import Bench, Stopwatch, main
from results import Spread, Table, publish

MAX_LENGTH = 128


def bare_forward(train: str, warm: str, folder: str, seed: int) -> dict[str, Any]:
    """One pass over the training rows in the order of their lengths."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    torch.manual_seed(seed)

    def run(texts: list[str], _: list[str]) -> None:
        tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        network = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
        encoded = tokenizer(texts, truncation=True, max_length=MAX_LENGTH)
        order = sorted(range(len(texts)), key=lambda row: len(encoded["input_ids"][row]))
        with torch.inference_mode():
            for start in range(0, len(order), 32):
                rows = order[start : start + 32]
                batch = {name: [values[row] for row in rows] for name, values in encoded.items()}
                network(**tokenizer.pad(batch, return_tensors="pt"))

    return _timed(run, warm, train)


def headwater_probe(train: str, warm: str, folder: str, seed: int) -> dict[str, Any]:
    """The features of the same rows, and the head."""
    import numpy as np

    from headwater import catalog
    from headwater.run import Run
    from headwater.settings import Settings
    from headwater.transfer.classifier import Examples

    model = catalog.model_class("text-classification", "minilm")
    settings = Settings(strategy="probe", max_length=MAX_LENGTH, seed=seed, offline=True)

    def run(texts: list[str], labels: list[str]) -> None:
        classes = sorted(set(labels))
        examples = Examples(texts, np.array([classes.index(label) for label in labels]), len(classes))
        held_out = np.arange(len(texts)) % 10 == seed % 10
        train_rows, valid_rows = (examples.take(np.flatnonzero(rows)) for rows in (~held_out, held_out))
        model(foundation=folder).fit(train_rows, valid_rows, Run(settings, Path(tempfile.mkdtemp())))

    return _timed(run, warm, train)


def _timed(run: Callable[[list[str], list[str]], None], warm: str, train: str) -> dict[str, Any]:
    run(*(column[:64] for column in data.read(warm)))
    rows = data.read(train)
    with Stopwatch() as watch:
        run(*rows)
    return {"cpu_seconds": watch.cpu_seconds, "wall_seconds": watch.wall_seconds}


def compare(bench: Bench) -> None:
    """Measures pairs, the bare pass first."""
    train = data.prepare("sst2", bench.options.data).train
    if bench.options.quick:
        train = data.part_of(train, 300, 0)
    warm = data.prepare("ag_news_small", bench.options.data).test
    pairs = list(bench.pairs("forward", "headwater", train=str(train), warm=str(warm), folder=ours.minilm()))
    rows: list[tuple[Any, ...]] = []
    for name, side in (("bare forward pass", 0), ("headwater probe", 1)):
        runs = [pair[side] for pair in pairs]
        work = [Spread.of(run.values[cost] for run in runs) for cost in ("cpu_seconds", "wall_seconds")]
        rows.append((name, *work, Spread.of(run.cpu_seconds for run in runs), Spread.of(r.peak_mib for r in runs)))
    ratios = [
        Spread.of(probe.values[cost] / bare.values[cost] for bare, probe in pairs)
        for cost in ("cpu_seconds", "wall_seconds")
    ]
    rows.append(("ratio within pairs", *ratios, "", ""))
    caption = "Median (least to most). Bar: the probe's CPU seconds are at most 1.3 times those of the bare pass."
    columns = ("side", "CPU s", "wall s", "CPU s with imports and warm-up", "peak MiB")
    publish(bench, [Table(caption, columns, rows)])


SIDES = {"forward": bare_forward, "headwater": headwater_probe}

if __name__ == "__main__":
    main(Path(__file__), SIDES, compare)
