"""Image models trained from scratch: accuracy with its interval and cost, beside a plain loop over the same network.

Every model takes its own defaults. The plain loop trains torchvision's ResNet-18, with the 3 x 3 stem that ours has for
small pictures too, for as many CPU seconds as headwater's whole process took on the same seed: Adam with its defaults,
batches of 64, pixels standardised, float32, nothing altered and nothing held out. What it gives where the time runs out
is measured on the same test pictures.
"""

from __future__ import annotations

import tempfile
import time
import zipfile
from pathlib import Path
from statistics import mean
from typing import Any

from harness import Bench, Measured, main
from results import Spread, Table, publish

SETS = {
    "mnist_small": ("pixels-logistic", "lenet"),
    "cifar10_small": ("pixels-logistic", "lenet", "alexnet", "vgg11", "resnet18"),
}
"""The models that are measured by default."""
_SEEDS = {"vgg11": 1, "plain": 1}
"""Seeds of what takes long and has no bar, where fewer than all."""
BARS = {"mnist_small": "lenet at least 0.98", "cifar10_small": "resnet18 at least 0.70 within 2,700 CPU s, above plain"}
PLAIN = ("cifar10_small", "resnet18")


def headwater_adapt(train: str, test: str, model: str, seed: int, epochs: int | None = None) -> dict[str, Any]:
    """One whole `adapt`: reading, near copies, splitting, baselines, learning, calibration, test and report."""
    import headwater

    app = headwater.adapt(
        "image-classification", train, test=test, model=model, seed=seed, epochs=epochs, offline=True,
        to=Path(tempfile.mkdtemp()) / "run",
    )  # fmt: skip
    if app.report is None:
        raise SystemExit("adapt made no report.")
    accuracy = app.report.metrics["accuracy"]
    return {"accuracy": accuracy.value, "low": accuracy.low, "high": accuracy.high, "epochs": len(app.trace.curve)}


def plain_loop(train: str, test: str, cpu_seconds: float, seed: int) -> dict[str, Any]:
    """The network of torchvision, trained by a loop as tutorials have it."""
    import torch
    from torch import nn
    from torchvision.models import resnet18

    torch.manual_seed(seed)
    pictures, labels = _tensors(train)
    network = resnet18(num_classes=int(labels.max()) + 1)
    network.conv1, network.maxpool = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity()
    optimiser, epochs = torch.optim.Adam(network.parameters()), 0.0
    while time.process_time() < cpu_seconds:
        for rows in torch.randperm(len(pictures)).split(64):
            if time.process_time() >= cpu_seconds:
                break
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(pictures[rows]), labels[rows]).backward()
            optimiser.step()
            epochs += len(rows) / len(pictures)
    network.eval()
    pictures, labels = _tensors(test)
    with torch.inference_mode():
        right = torch.cat([network(part).argmax(dim=1) for part in pictures.split(256)]) == labels
    share = right.float().mean().item()
    half = 1.96 * (share * (1 - share) / len(labels)) ** 0.5
    return {"accuracy": share, "low": share - half, "high": share + half, "epochs": round(epochs, 1)}


def _tensors(archive: str) -> tuple[Any, Any]:
    """Standardised pixels of shape (rows, 3, 32, 32) and class positions of a zip with a folder a class."""
    import numpy as np
    import torch
    from PIL import Image

    with zipfile.ZipFile(archive) as opened:
        names = sorted(name for name in opened.namelist() if not name.endswith("/"))
        classes = sorted({name.split("/")[-2] for name in names})
        arrays = [np.asarray(Image.open(opened.open(name)).convert("RGB")) for name in names]
    pixels = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).float() / 255
    labels = torch.tensor([classes.index(name.split("/")[-2]) for name in names])
    return (pixels - 0.47) / 0.25, labels


def compare(bench: Bench) -> None:
    """Measures set by set; a table for each."""
    sets = bench.options.only or (("mnist_small",) if bench.options.quick else tuple(SETS))
    publish(bench, [_table(bench, name) for name in sets])


def _table(bench: Bench, name: str) -> Table:
    files = {part: str(bench.options.data / name / f"{part}.zip") for part in ("train", "test")}
    epochs = {"epochs": 1} if bench.options.quick else {}
    rows = []
    for model in bench.options.models or SETS[name]:
        seeds = bench.seeds[: _SEEDS.get(model)]
        runs = [bench.measure("headwater", **files, model=model, seed=seed, **epochs) for seed in seeds]
        rows.append(_row(model, runs))
        if (name, model) == PLAIN:
            plain = [bench.measure("plain", **files, cpu_seconds=run.cpu_seconds, seed=seed)
                     for run, seed in zip(runs[: _SEEDS["plain"]], seeds, strict=False)]  # fmt: skip
            rows.append(_row("torchvision resnet18, plain loop", plain))
    caption = (
        f"{name}: means over the seeds, the 95 % interval of the first; costs as median (range). Bar: {BARS[name]}."
    )
    return Table(caption, ("model", "accuracy", "by seed", "interval", "epochs", "CPU s", "peak MiB"), rows)


def _row(name: str, runs: list[Measured]) -> tuple[Any, ...]:
    scores = [run.values["accuracy"] for run in runs]
    first = runs[0].values
    return (
        name, f"{mean(scores):.4f}", ", ".join(f"{score:.4f}" for score in scores),
        f"{first['low']:.3f} to {first['high']:.3f}", ", ".join(str(run.values["epochs"]) for run in runs),
        Spread.of(run.cpu_seconds for run in runs), Spread.of(run.peak_mib for run in runs),
    )  # fmt: skip


FLAGS: dict[str, dict[str, Any]] = {
    "--only": {"nargs": "+", "choices": tuple(SETS), "help": "these sets"},
    "--models": {"nargs": "+", "help": "these models"},
}

if __name__ == "__main__":
    main(Path(__file__), {"headwater": headwater_adapt, "plain": plain_loop}, compare, flags=FLAGS)
