"""Image classification from networks pretrained without labels, beside the same question from scratch.

The networks learn from the training images of all sets here together, labels unseen; no test image is among them. Then
each set is adapted to: from scratch (resnet18, its defaults), and from each pretrained network by each strategy, at one
image size, by their defaults. Gains are over scratch, each image's mean over the seeds beside the same of scratch, at
95 %.
"""

from __future__ import annotations

import csv
import shutil
import zipfile
from pathlib import Path
from statistics import mean
from typing import Any

from harness import WORK, Bench, Measured, main
from results import Spread, Table, publish

SETS = {
    "hymenoptera": ("hymenoptera/train", None, "hymenoptera/val"),
    "clothing_small": ("clothing_small/train.zip", "clothing_small/validation.zip", "clothing_small/test.zip"),
}
"""Training, validation and test images."""
METHODS = ("simclr", "simsiam")
STRATEGIES = ("probe", "full")
SIDE = 96
_REPLICATES = 10_000


def headwater_pretrain(images: str, model: str, to: str, epochs: int | None, pixels: int) -> dict[str, Any]:
    """One whole `adapt` of image-features, left in a folder; an unfinished one that is there goes on."""
    import headwater
    from headwater import flow

    if (Path(to) / "application.json").exists():
        shutil.rmtree(to)
    if (Path(to) / "config.yaml").exists():
        app = flow.resume(to)
    else:
        settings = {"epochs": epochs, "image_size": pixels, "batch_size": 64}
        app = headwater.adapt("image-features", images, model=model, to=to, **settings)
    if app.report is None:
        raise SystemExit("adapt made no report.")
    metrics = {name: estimate.value for name, estimate in app.report.metrics.items()}
    return {**metrics, "seconds": app.report.provenance.get("seconds"), "epochs": len(app.report.curve)}


def headwater_adapt(
    train: str, valid: str | None, test: str, model: str, seed: int, settings: dict[str, Any]
) -> dict[str, Any]:
    """One whole `adapt` to the labelled images of a set, and which test images it had right."""
    import headwater
    from headwater.data import reading

    app = headwater.adapt(
        "image-classification", train, valid=valid, test=test, model=model, seed=seed, offline=True, **settings,
    )  # fmt: skip
    if app.report is None:
        raise SystemExit("adapt made no report.")
    accuracy = app.report.metrics["accuracy"]
    right = app.marks(reading.read(test, app.settings)).right
    return {"accuracy": accuracy.value, "low": accuracy.low, "high": accuracy.high, "right": right.tolist()}


def compare(bench: Bench) -> None:
    """Pretrains once a method, then adapts set by set; a table for each."""
    images = _manifest(bench)
    eyes, epochs = {}, 1 if bench.options.quick else bench.options.pretraining_epochs
    for model in bench.options.methods:
        folder = WORK / f"eyes-{model}-{bench.options.side_length}-{epochs or 'own'}"
        told = bench.measure(
            "pretrain", images=str(images), model=model, to=str(folder), epochs=epochs, pixels=bench.options.side_length
        )
        eyes[model] = (folder, told)
    rows = [_pretrained(model, told) for model, (_, told) in eyes.items()]
    header = ("method", "other view found", "effective rank", "epochs", "CPU s", "peak MiB")
    tables = [Table("What was learnt without labels.", header, rows)]
    tables += [
        _table(bench, name, {model: folder for model, (folder, _) in eyes.items()}) for name in bench.options.only
    ]
    publish(bench, tables)


def _pretrained(model: str, told: Measured) -> tuple[Any, ...]:
    values = told.values
    return (
        model, f"{values['other_view_found']:.3f}", f"{values['effective_rank']:.1f}", values["epochs"],
        f"{told.cpu_seconds:.0f}", f"{told.peak_mib:.0f}",
    )  # fmt: skip


def _table(bench: Bench, name: str, eyes: dict[str, Path]) -> Table:
    train, valid, test = (part and str(bench.options.data / part) for part in SETS[name])
    given = {"train": train, "valid": valid, "test": test}
    side = {"image_size": bench.options.side_length}
    quick = {"epochs": 1} if bench.options.quick else {}

    def runs(model: str, settings: dict[str, Any]) -> list[Measured]:
        return [
            bench.measure("adapt", **given, model=model, seed=seed, settings=side | settings) for seed in bench.seeds
        ]

    scratch = runs("resnet18", quick)
    rows = [_row("resnet18 from scratch", scratch, scratch)]
    for model, folder in eyes.items():
        for strategy in STRATEGIES:
            found = runs(str(folder), {"strategy": strategy, **({} if strategy == "probe" else quick)})
            rows.append(_row(f"{model}, {strategy}", found, scratch))
    header = ("from", "accuracy", "by seed", "interval", "gain over scratch", "CPU s")
    caption = f"{name}, {bench.options.side_length} pixels; means and gain over the seeds, interval of the first."
    return Table(caption, header, rows)


def _row(name: str, runs: list[Measured], scratch: list[Measured]) -> tuple[Any, ...]:
    scores = [run.values["accuracy"] for run in runs]
    first = runs[0].values
    return (
        name, f"{mean(scores):.3f}", ", ".join(f"{score:.3f}" for score in scores),
        f"{first['low']:.3f} to {first['high']:.3f}", _gain(runs, scratch),
        Spread.of(run.cpu_seconds for run in runs),
    )  # fmt: skip


def _gain(runs: list[Measured], base: list[Measured]) -> str:
    """The difference in accuracy on the same images, with the interval of a paired bootstrap over them."""
    import numpy as np

    right, known = (np.mean([run.values["right"] for run in side], axis=0) for side in (runs, base))
    difference = right - known
    if not difference.any():
        return "-"
    drawn = np.random.default_rng(0).integers(0, len(difference), (_REPLICATES, len(difference)))
    low, high = np.quantile(difference[drawn].mean(axis=1), (0.025, 0.975))
    return f"{difference.mean():+.3f} ({low:+.3f} to {high:+.3f})"


def _manifest(bench: Bench) -> Path:
    """A table of the training images of all sets, without their labels."""
    found: list[str] = []
    for train, _, _ in SETS.values():
        source = bench.options.data / train
        if source.is_dir():
            found += sorted(str(path) for path in source.glob("*/*.jpg"))
        else:
            with zipfile.ZipFile(source) as opened:
                found += [f"{source}!/{name}" for name in sorted(opened.namelist()) if not name.endswith("/")]
    file = WORK / "unlabelled-images.csv"
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([("image",), *((path,) for path in found)])
    return file


FLAGS: dict[str, dict[str, Any]] = {
    "--only": {"nargs": "+", "choices": tuple(SETS), "default": tuple(SETS), "help": "these sets"},
    "--methods": {"nargs": "+", "choices": METHODS, "default": METHODS, "help": "these methods"},
    "--pretraining-epochs": {"type": int, "help": "passes over the unlabelled images (default: the model's own)"},
    "--side-length": {"type": int, "default": SIDE, "help": "pixels along each edge (default: %(default)s)"},
}

if __name__ == "__main__":
    main(Path(__file__), {"pretrain": headwater_pretrain, "adapt": headwater_adapt}, compare, flags=FLAGS)
