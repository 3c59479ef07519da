"""Fine-tuning MiniLM on SST-2: headwater's `full` beside transformers' Trainer.

Both sides start from the same weights and take 3 epochs of batches of 32 rows, at most 128 tokens a text, with a
learning rate of 5e-5; everything else is what each takes by default. The Trainer pads each batch to its longest row
(DataCollatorWithPadding), computes in float32, writes no checkpoint, reports to no tracker, and looks at no validation
rows. headwater does more in its time: it reads the files, audits them, fits its baselines, scores 872 validation rows
after each epoch, calibrates, and writes the run folder with its report. Costs are those of the whole process.
Each side takes its own default number format: the Trainer float32, headwater float32 too, or on a processor with
matrix units bfloat16. headwater also lets waiting threads sleep; `--passive` has the Trainer's sleep as well
(OMP_WAIT_POLICY=PASSIVE). `--whole` trains on all 6,920 rows instead of 2,000.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

import data
import ours
from harness import Bench, main
from results import Spread, Table, publish, ratio

RECIPE: dict[str, Any] = {"epochs": 3, "learning_rate": 5e-5, "batch_size": 32, "max_length": 128}


def headwater_full(train: str, valid: str, test: str, seed: int, **recipe: Any) -> dict[str, Any]:
    """`headwater adapt --strategy full`."""
    return ours.adapt(train, test, valid=valid, model="minilm", strategy="full", seed=seed, **recipe)


def trainer(train: str, test: str, folder: str, seed: int, **recipe: Any) -> dict[str, Any]:
    """The same rows, with the Trainer of transformers."""
    import numpy as np
    import torch
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
        set_seed,
    )

    set_seed(seed)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    classes = sorted(set(data.read(train)[1]))
    model: Any = AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=len(classes), dtype=torch.float32
    )

    def rows(path: str) -> Any:
        texts, labels = data.read(path)
        encoded = tokenizer(texts, truncation=True, max_length=recipe["max_length"])
        return [
            {name: values[row] for name, values in encoded.items()} | {"labels": classes.index(label)}
            for row, label in enumerate(labels)
        ]

    arguments = TrainingArguments(
        output_dir=tempfile.mkdtemp(), seed=seed, num_train_epochs=recipe["epochs"],
        learning_rate=recipe["learning_rate"], per_device_train_batch_size=recipe["batch_size"],
        per_device_eval_batch_size=recipe["batch_size"], save_strategy="no", eval_strategy="no", report_to="none",
    )  # fmt: skip
    learner = Trainer(
        model,
        arguments,
        train_dataset=rows(train),
        data_collator=DataCollatorWithPadding(tokenizer),
    )
    learner.train()
    answer = learner.predict(rows(test))
    return {"accuracy": float(np.mean(np.argmax(answer.predictions, axis=1) == answer.label_ids))}


def compare(bench: Bench) -> None:
    """Measures pairs on the same draw of training rows, one draw a seed."""
    if bench.options.passive:
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    sst2 = data.prepare("sst2", bench.options.data)
    recipe: dict[str, Any] = RECIPE | ({"epochs": 1} if bench.options.quick else {})
    pairs = []
    for seed in bench.seeds:
        train = sst2.train
        if not bench.options.whole:
            train = data.part_of(sst2.train, 100 if bench.options.quick else 2000, seed)
        files = {"train": str(train), "test": str(sst2.test)}
        theirs = bench.measure("trainer", **files, folder=ours.minilm(), seed=seed, **recipe)
        pairs.append((theirs, bench.measure("headwater", **files, valid=str(sst2.valid), seed=seed, **recipe)))
    rows = []
    for name, side in (("transformers Trainer", 0), ("headwater full", 1)):
        runs = [pair[side] for pair in pairs]
        costs = [Spread.of(getattr(run, cost) for run in runs) for cost in ("cpu_seconds", "wall_seconds", "peak_mib")]
        accuracies = [run.values["accuracy"] for run in runs]
        rows.append((name, f"{mean(accuracies):.4f}", ", ".join(f"{value:.4f}" for value in accuracies), *costs))
    ratios = [ratio(pairs, cost) for cost in ("cpu_seconds", "wall_seconds", "peak_mib")]
    gain = mean(second.values["accuracy"] - first.values["accuracy"] for first, second in pairs)
    rows.append(("headwater / Trainer", f"{gain:+.4f}", "", *ratios))
    caption = (
        "Test accuracy on 1,821 rows, and the cost of the whole process: median (least to most). The last row holds "
        "the difference of the mean accuracies and the ratios within pairs. Bars: at least -0.005; CPU at most 0.5; "
        "memory at most 1.0."
    )
    columns = ("side", "accuracy", "by seed", "CPU s", "wall s", "peak MiB")
    variant = "".join(f"_{flag}" for flag in ("whole", "passive") if getattr(bench.options, flag))
    publish(bench, [Table(caption, columns, rows)], name=bench.name + variant)


SIDES = {"headwater": headwater_full, "trainer": trainer}

if __name__ == "__main__":
    flags = {
        "--whole": {"action": "store_true", "help": "train on all 6,920 rows instead of 2,000"},
        "--passive": {"action": "store_true", "help": "waiting threads sleep on both sides"},
    }
    main(Path(__file__), SIDES, compare, flags=flags)
